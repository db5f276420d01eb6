"""How long the pauses between two polls are: the rules alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

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
