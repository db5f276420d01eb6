"""Whether anybody is there to do the work."""

from __future__ import annotations

from datetime import timedelta

from django.db.models.functions import Now
from procrastinate.contrib.django.models import ProcrastinateWorker

# Procrastinate's workers say that they live every ten seconds.
SILENT_AFTER = timedelta(seconds=35)


def workers_alive() -> int:
    """How many workers have said so lately.

    They say it by the database's clock, which need not be that of this machine.
    """
    return ProcrastinateWorker.objects.filter(
        last_heartbeat__gte=Now() - SILENT_AFTER, last_heartbeat__lte=Now()
    ).count()
