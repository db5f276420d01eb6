"""How long the pauses between two polls are: the rules alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sophiie.sync.inbound import rhythm
from sophiie.sync.inbound.rhythm import NARROWEST_NET, NET, Announcement, News

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
FRESH_FOR = timedelta(minutes=15)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def pauses(quiet: timedelta | None, *, looked_at: bool = False, bookable: bool = False) -> set[int]:
    """The pauses that chance may choose, in seconds."""
    return {
        round(
            rhythm.pause_by_clock(
                quiet,
                rhythm.Circumstances(
                    fresh_for=FRESH_FOR,
                    window_ends=NOON,
                    is_looked_at=looked_at,
                    is_bookable=lambda: bookable,
                ),
            ).total_seconds()
        )
        for _ in range(200)
    }


@pytest.mark.parametrize(
    ("quiet", "about"),
    [(timedelta(0), 60), (MINUTE, 60), (4 * MINUTE, 240), (HOUR, 1800), (None, 1800)],
)
def test_a_calendar_is_asked_again_after_as_long_as_nothing_has_changed(
    quiet: timedelta | None, about: int
) -> None:
    assert all(about * 0.74 <= pause <= about * 1.26 for pause in pauses(quiet))
    assert max(pauses(quiet)) - min(pauses(quiet)) > about * 0.3  # and never all at once


def test_an_open_page_is_told_within_minutes() -> None:
    assert max(pauses(None, looked_at=True)) <= 5 * 60 * 1.25


def test_who_can_be_booked_now_has_a_copy_on_which_a_booking_may_rely() -> None:
    """Otherwise the caller waits for Google."""
    margin = timedelta(seconds=5)
    assert max(pauses(None, bookable=True)) < (FRESH_FOR - margin).total_seconds()
    assert max(pauses(None, bookable=False)) > FRESH_FOR.total_seconds()


def test_the_net_is_thrown_every_6_to_12_hours_and_evenly() -> None:
    thrown = [rhythm.spread(NET, rhythm.NET_SPREAD) for _ in range(1000)]
    assert timedelta(hours=6) <= min(thrown) < timedelta(hours=6.5)
    assert timedelta(hours=11.5) < max(thrown) <= timedelta(hours=12)
    assert 400 < sum(pause < NET for pause in thrown) < 600


def test_the_net_widens_each_time_it_comes_up_empty() -> None:
    width, widths = None, []
    for _ in range(6):
        width = rhythm.next_width(width, Announcement.NOTHING_NEW, waited=width)
        widths.append(width)
    assert widths == [HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, NET, NET]


@pytest.mark.parametrize("announcement", [Announcement.NOT, Announcement.LATE])
def test_a_change_that_was_missed_or_announced_late_narrows_the_net(
    announcement: Announcement,
) -> None:
    assert rhythm.next_width(NET, announcement, waited=NET) == NARROWEST_NET


@pytest.mark.parametrize("waited", [None, MINUTE], ids=["a message asked", "a booking asked"])
def test_only_the_net_itself_widens_the_net(waited: timedelta | None) -> None:
    assert rhythm.next_width(HOUR, Announcement.NOTHING_NEW, waited=waited) == HOUR
    assert rhythm.next_width(HOUR, Announcement.IN_TIME, waited=waited) == HOUR


@pytest.mark.parametrize(
    ("news", "told_at", "judged"),
    [
        (None, None, Announcement.NOTHING_NEW),
        (None, NOON, Announcement.NOTHING_NEW),
        (News(NOON - HOUR, NOON), None, Announcement.NOT),
        (News(), None, Announcement.NOT),  # of a deletion Google does not say when
        (News(NOON - timedelta(seconds=20), NOON), None, Announcement.TOO_NEW),
        (News(NOON - MINUTE, NOON), NOON - MINUTE, Announcement.IN_TIME),
        (News(), NOON - MINUTE, Announcement.IN_TIME),
        # Two changes: the message of the first got lost, and that of the second found it.
        (News(NOON - HOUR, NOON), NOON, Announcement.LATE),
        # They waited for us, not for the message.
        (News(NOON - HOUR, NOON), NOON - HOUR + MINUTE, Announcement.IN_TIME),
    ],
)
def test_a_channel_is_judged_by_the_first_change_that_a_poll_finds(
    news: News | None, told_at: datetime | None, judged: Announcement
) -> None:
    assert rhythm.judge_announcement(news, told_at=told_at, moment=NOON) == judged


# The whole plan


DAY = timedelta(days=1)
CHANNEL = rhythm.Channel(is_proved=True, missed=0, ends_at=NOON + 7 * DAY)


def planned(
    news: News | None = None,
    *,
    channel: rhythm.Channel | None = CHANNEL,
    read: datetime | None = NOON - HOUR,
    told: datetime | None = None,
    changed: datetime | None = None,
    width: timedelta | None = None,
    asked: datetime = NOON,
    **around: Any,
) -> rhythm.Plan:
    circumstances: dict[str, Any] = {"fresh_for": FRESH_FOR, "window_ends": NOON + DAY, **around}
    return rhythm.plan(
        news,
        rhythm.Before(read, told, changed, width),
        channel,
        rhythm.Circumstances(**circumstances),
        asked_at=asked,
        moment=NOON,
    )


@pytest.mark.parametrize(
    ("channel", "news", "unjudged", "is_net"),
    [
        (None, None, False, False),
        (replace(CHANNEL, is_proved=False), None, False, False),
        (CHANNEL, None, False, True),
        (CHANNEL, None, True, False),  # an event waits for the next poll
        (replace(CHANNEL, missed=1), None, False, True),
        (replace(CHANNEL, missed=1), News(), False, False),  # the second in a row
        (CHANNEL, News(), False, True),
        (replace(CHANNEL, missed=2), None, False, False),
    ],
)
def test_a_poll_is_only_a_net_under_a_channel_that_has_proved_itself(
    channel: rhythm.Channel | None, news: News | None, unjudged: bool, is_net: bool
) -> None:
    plan = planned(news, channel=channel, is_unjudged=lambda: unjudged)
    assert plan.is_net is is_net
    if not is_net:
        assert plan.pause <= rhythm.SLOWEST * 1.25


@pytest.mark.parametrize(
    ("told", "asked", "is_kept"),
    [
        (None, NOON, False),
        (NOON - 2 * MINUTE, NOON - MINUTE, False),  # this poll found what it announced
        (NOON - MINUTE, NOON - MINUTE, False),
        (NOON - timedelta(seconds=59), NOON - MINUTE, True),  # it may announce what comes next
        (NOON + MINUTE, NOON, True),
        (NOON + 2 * MINUTE, NOON, False),  # of a clock that was wrong
    ],
)
def test_a_message_counts_until_a_poll_that_began_after_it(
    told: datetime | None, asked: datetime, is_kept: bool
) -> None:
    assert planned(told=told, asked=asked).told_at == (told if is_kept else None)


@pytest.mark.parametrize(
    ("news", "before", "noted"),
    [
        (None, None, None),
        (None, NOON - HOUR, NOON - HOUR),
        (News(NOON - HOUR, NOON - MINUTE), None, NOON - MINUTE),
        (News(NOON, NOON + HOUR), None, NOON),  # nothing changed later than now
        (News(), NOON - HOUR, NOON),  # Google does not say when
    ],
)
def test_when_a_calendar_changed_last(
    news: News | None, before: datetime | None, noted: datetime | None
) -> None:
    assert planned(news, changed=before).changed_at == noted


@pytest.mark.parametrize(
    ("read", "told", "width"),
    [
        (NOON - 2 * HOUR, None, 4 * HOUR),  # the net came up empty
        (NOON - HOUR, None, 2 * HOUR),  # somebody asked before
        (NOON - 2 * HOUR, NOON - MINUTE, 2 * HOUR),  # a message asked
        (None, None, 2 * HOUR),
    ],
)
def test_the_net_widens_only_where_it_came_up_empty(
    read: datetime | None, told: datetime | None, width: timedelta
) -> None:
    assert planned(read=read, told=told, width=2 * HOUR).net_width == width
    assert planned(read=read, told=told, width=2 * HOUR, channel=None).net_width == 2 * HOUR


@pytest.mark.parametrize(
    ("ends_in", "window_ends_in", "least", "most"),
    [
        (7 * DAY, DAY, 6 * HOUR, 12 * HOUR),
        (2 * HOUR, DAY, 2 * HOUR, 2 * HOUR),
        (7 * DAY, 3 * HOUR, 3 * HOUR, 3 * HOUR),
        (MINUTE / 2, DAY, MINUTE, MINUTE),
        (7 * DAY, -HOUR, MINUTE, MINUTE),
    ],
)
def test_a_net_ends_before_its_channel_and_before_everything_is_read_again(
    ends_in: timedelta, window_ends_in: timedelta, least: timedelta, most: timedelta
) -> None:
    for _ in range(20):
        plan = planned(
            channel=replace(CHANNEL, ends_at=NOON + ends_in),
            width=NET,
            read=NOON - MINUTE,
            window_ends=NOON + window_ends_in,
        )
        assert least <= plan.pause <= most


def test_without_a_net_the_interval_that_somebody_set_decides() -> None:
    second = timedelta(seconds=1)
    pauses = [planned(channel=None, interval=100 * second).pause for _ in range(50)]
    assert 75 * second <= min(pauses) < max(pauses) <= 125 * second
    quiet = [planned(channel=None, changed=NOON - 10 * MINUTE).pause for _ in range(50)]
    assert 7.5 * MINUTE <= min(quiet) < max(quiet) <= 12.5 * MINUTE


@pytest.mark.parametrize(
    ("late_by", "judged"),
    [(5 * MINUTE, Announcement.IN_TIME), (5 * MINUTE + timedelta(seconds=1), Announcement.LATE)],
)
def test_a_message_is_late_after_five_minutes(late_by: timedelta, judged: Announcement) -> None:
    news = News(NOON - late_by, NOON)
    assert rhythm.judge_announcement(news, told_at=NOON, moment=NOON) == judged


@pytest.mark.parametrize(
    ("seconds", "judged"), [(59, Announcement.TOO_NEW), (60, Announcement.NOT)]
)
def test_a_message_may_be_on_its_way_for_a_minute(seconds: int, judged: Announcement) -> None:
    news = News(NOON - timedelta(seconds=seconds), NOON)
    assert rhythm.judge_announcement(news, told_at=None, moment=NOON) == judged


@pytest.mark.parametrize(("waited", "width"), [(80 * MINUTE, 4 * HOUR), (79 * MINUTE, 2 * HOUR)])
def test_a_net_that_was_thrown_at_its_earliest_widens_it(
    waited: timedelta, width: timedelta
) -> None:
    earliest = 2 * HOUR * (1 - rhythm.NET_SPREAD)
    assert earliest == 80 * MINUTE
    assert rhythm.next_width(2 * HOUR, Announcement.NOTHING_NEW, waited=waited) == width


@pytest.mark.parametrize("announcement", Announcement)
def test_only_what_was_missed_or_late_is_a_failure(announcement: Announcement) -> None:
    is_failure = announcement in (Announcement.NOT, Announcement.LATE)
    assert announcement.is_failure is is_failure
