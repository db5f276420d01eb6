"""Whether any worker is alive."""

from __future__ import annotations

from datetime import timedelta

from django.db.models.functions import Now
from procrastinate.contrib.django.models import ProcrastinateWorker

# Procrastinate's workers have a heartbeat every ten seconds.
SILENT_AFTER = timedelta(seconds=35)


def workers_alive() -> int:
    """How many workers have had a heartbeat lately.

    The database's clock counts, which need not be that of this machine.
    """
    return ProcrastinateWorker.objects.filter(
        last_heartbeat__gte=Now() - SILENT_AFTER, last_heartbeat__lte=Now()
    ).count()
