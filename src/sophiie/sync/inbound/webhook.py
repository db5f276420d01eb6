"""What a message of Google's leads to: a reading, soon, and never more than one at a time.

A message has no content, so all it can do is to make a calendar due. Anybody may send one; it
counts only with the secret of its channel, and costs one look at the database otherwise.
"""

from __future__ import annotations

import hmac
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Coalesce, Greatest, Least

from sophiie.common.clock import now
from sophiie.common.logs import log
from sophiie.sync.counters import Notification, count
from sophiie.sync.inbound.channels import digest
from sophiie.sync.inbound.poll_claim import PAUSE
from sophiie.sync.jobs import defer_read
from sophiie.sync.models import PushChannel, WatchedCalendar

logger = log(__name__)

MAX_HEADER = 300


def take_notification(*, channel_id: str, token: str, resource_id: str, state: str) -> bool:
    """Takes a message; False if it is none of Google's.

    True also for a channel that is not known: messages come late, after it was stopped, and Google
    is to be told that all is well. Those that name a channel of ours are counted; nobody can guess
    one, so that a stranger makes us write nothing.
    """
    if len(token) > MAX_HEADER or len(channel_id) > MAX_HEADER:
        return False
    try:
        channel = PushChannel.objects.filter(pk=UUID(channel_id)).first()
    except ValueError:
        return False
    if channel is None:
        return True
    if not _is_googles(channel, token, resource_id):
        logger.warning("forged notification", link_id=str(channel.link_id))
        count(Notification.REFUSED)
        return False
    count(Notification.TAKEN)
    if state != "sync":  # that one only says that the channel is open
        _ask_for_reading(channel)
    return True


def _is_googles(channel: PushChannel, token: str, resource_id: str) -> bool:
    if not hmac.compare_digest(channel.token_digest, digest(token)):
        return False
    return channel.resource_id in ("", resource_id)  # "": the answer to the opening is under way


def _ask_for_reading(channel: PushChannel) -> None:
    """Makes the calendar due, unless it is: of many messages one leads to a reading.

    A reading that is under way may have been told too little already, so there will be another.
    """
    moment = now()
    watched = WatchedCalendar.objects.filter(
        link=channel.link_id,
        calendar_id=channel.calendar_id,
        next_read_at__gt=moment + PAUSE,
    )
    # Soon after the last reading, and within the pause: that reading may seem to be still to come.
    soonest = Least(
        Greatest(Value(moment), Coalesce("read_at", Value(moment - timedelta(days=1))) + PAUSE),
        Value(moment + PAUSE),
    )
    with transaction.atomic():
        if watched.update(next_read_at=soonest):
            defer_read(channel.link_id)
