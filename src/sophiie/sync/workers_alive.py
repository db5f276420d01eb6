"""Whether anybody is there to do the work."""

from __future__ import annotations

from datetime import timedelta

from procrastinate.contrib.django.models import ProcrastinateWorker

from sophiie.common.clock import now

# Procrastinate's workers say that they live every ten seconds.
SILENT_AFTER = timedelta(seconds=35)


def workers_alive() -> int:
    """How many workers have said so lately."""
    return ProcrastinateWorker.objects.filter(last_heartbeat__gte=now() - SILENT_AFTER).count()
