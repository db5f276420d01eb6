"""Turns a push notification into a poll, soon, and never more than one at a time.

A notification has no content, so all it can do is make a calendar due. Anybody may send one: it
counts only with the secret of its channel, and otherwise costs one query.
"""

from __future__ import annotations

import hmac
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Coalesce, Greatest, Least

from sophiie.common.clock import now
from sophiie.common.logs import log
from sophiie.sync.counters import Notification, count
from sophiie.sync.inbound.channels import digest
from sophiie.sync.inbound.poll_claim import PAUSE
from sophiie.sync.jobs import defer_poll
from sophiie.sync.models import PushChannel, WatchedCalendar

logger = log(__name__)

MAX_HEADER = 300


def take_notification(*, channel_id: str, token: str, resource_id: str, state: str) -> bool:
    """Takes a notification; False if it does not come from Google.

    True also for an unknown channel: notifications arrive after a channel was stopped, and Google
    expects a good answer to them. Only those that name a channel of ours are counted. Nobody can
    guess its name, so a stranger cannot make us write anything.
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
    _note_message(channel, reports_change=state != "sync")
    if state != "sync":  # which only says that the channel is open
        _ask_for_reading(channel)
    return True


def _note_message(channel: PushChannel, *, reports_change: bool) -> None:
    """Any message proves that Google's messages reach us: the one that opens the channel takes the
    same way as all others."""
    known = PushChannel.objects.filter(pk=channel.pk)
    proof = {"proved_at": Coalesce("proved_at", Value(now()))}
    if reports_change:
        known.update(messages=F("messages") + 1, missed=0, **proof)
    else:
        known.update(**proof)


def _is_googles(channel: PushChannel, token: str, resource_id: str) -> bool:
    if not hmac.compare_digest(channel.token_digest, digest(token)):
        return False
    # "": Google has not answered the opening yet.
    return channel.resource_id in ("", resource_id)


def _ask_for_reading(channel: PushChannel) -> None:
    """Makes the calendar due unless it is already: many notifications lead to one poll.

    A poll that is under way may have missed the change, so another one follows it.
    """
    moment = now()
    watched = WatchedCalendar.objects.filter(link=channel.link_id, calendar_id=channel.calendar_id)
    waiting = watched.filter(next_read_at__gt=moment + PAUSE)
    # Soon after the last reading, and within the pause: that reading may seem to be still to come.
    soonest = Least(
        Greatest(Value(moment), Coalesce("read_at", Value(moment - timedelta(days=1))) + PAUSE),
        Value(moment + PAUSE),
    )
    with transaction.atomic():
        watched.filter(told_at=None).update(told_at=moment)
        if waiting.update(next_read_at=soonest):
            defer_poll(channel.link_id)
