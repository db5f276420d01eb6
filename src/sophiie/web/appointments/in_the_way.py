"""The visits of a series at whose time somebody is not free: the list, and what was answered to it.

Every answer names the visits that were listed. What comes into the way after the list was shown is
listed again instead of being left out or double-booked unasked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

from django.http import QueryDict
from django.utils.translation import gettext as _

from sophiie.accounts.models import Member
from sophiie.appointments.errors import Obstacle, Source
from sophiie.appointments.rules import may_book_over
from sophiie.common.wall_time import in_zone
from sophiie.series.errors import InTheWay, VisitsInTheWay
from sophiie.series.fitting import Answers, Way
from sophiie.series.planning import Timing
from sophiie.series.rule import MAX_VISITS
from sophiie.web.shared.shown_times import weekday_moment

# Each listed visit's choice is in a field of this name with the visit's day behind it.
CHOICE = "visit_"
# Days that were answered before.
KEPT = "kept"
# The value of the button that leaves the listed days out of the rule, so that others follow.
INSTEAD = "instead"
BULK = {Way.LEAVE_OUT, Way.MOVE, Way.BOOK_ANYWAY}
BUTTON = "in_the_way"
ABOUT = "listed_for"


def listed_days(sent: QueryDict) -> list[date]:
    """The days of the visits that were in the list which was sent."""
    found = []
    for name in sent:
        if name.startswith(CHOICE):
            try:
                found.append(date.fromisoformat(name.removeprefix(CHOICE)))
            except ValueError:
                continue
    return found[:MAX_VISITS]


def answers_in(sent: QueryDict, member: Member, about: str) -> Answers:
    """What becomes of the visits in the way, by what was chosen for each or for all that were
    listed. `about` names what the list was about: it answers nothing else."""
    pressed = sent.get(BUTTON, "")
    unverified = bool(sent.get("accept_unverified"))
    if not pressed or sent.get(ABOUT) != about:
        return Answers(unverified=unverified)
    for_all = Way(pressed) if pressed in BULK else None
    each: dict[date, Way | datetime] = {}
    kept = _kept_days(sent)
    for day in listed_days(sent):
        own = _choice(sent.get(f"{CHOICE}{day}", ""))
        chosen = own if day in kept or for_all is None else for_all
        if chosen == Way.BOOK_ANYWAY and not may_book_over(member):
            continue
        if chosen is not None:
            each[day] = chosen
    return Answers(each=each, unverified=unverified)


def _kept_days(sent: QueryDict) -> set[date]:
    """The days of visits that were answered before the list which was sent: buttons for all do not
    count for them."""
    days = set(sent.getlist(KEPT))
    return {day for day in listed_days(sent) if day.isoformat() in days}


def _choice(text: str) -> Way | datetime | None:
    if text in BULK:
        return Way(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None or not 2000 < moment.year < 2099:
        return None
    return moment.astimezone(UTC)


def with_days_left_out(sent: QueryDict) -> QueryDict:
    """What was sent, with the listed days among those left out, if that button was pressed."""
    if sent.get(BUTTON) != INSTEAD:
        return sent
    again, kept = sent.copy(), _kept_days(sent)
    for day in listed_days(sent):
        if day not in kept:
            again.appendlist("leave_from", day.isoformat())
            again.appendlist("leave_to", day.isoformat())
            again.pop(f"{CHOICE}{day}", None)
    return again


@dataclass(frozen=True)
class Listed:
    """One visit in the list. `choices`: values with their words, and whether each is chosen."""

    day: date
    start: datetime
    obstacles: list[Obstacle]
    nearest: datetime | None
    choices: list[tuple[str, str, bool]]


@dataclass(frozen=True)
class Refused:
    """The list, and what can be done for all of it. `kept`: answers that were given before to
    others, which the next answer repeats."""

    about: str
    visits: list[Listed]
    of: int
    kept: list[tuple[str, str]]
    can_move: bool
    can_go_on: bool
    can_book_over: bool
    only_unread: bool
    some_unread: bool

    @property
    def fit(self) -> int:
        return self.of - len(self.visits)


def refused(
    error: VisitsInTheWay, *, about: str, zone: str, member: Member, sent: QueryDict, counts: bool
) -> Refused:
    """The list for the page. `counts`: the rule says how often, so days left out are replaced."""
    is_unread = [
        {one.source for one in visit.obstacles} == {Source.UNREADABLE} for visit in error.visits
    ]
    over = may_book_over(member)
    some_unread = any(
        one.source == Source.UNREADABLE for visit in error.visits for one in visit.obstacles
    )
    return Refused(
        about=about,
        visits=[_listed(visit, zone, sent, over=over) for visit in error.visits],
        of=error.of,
        kept=_kept(answers_in(sent, member, about), {visit.day for visit in error.visits}),
        can_move=any(visit.nearest for visit in error.visits),
        can_go_on=counts,
        can_book_over=over and not all(is_unread),
        only_unread=all(is_unread),
        some_unread=some_unread,
    )


def about(timing: Timing) -> str:
    """What a list is about: when the series is, whatever is left out."""
    return "|".join(
        (
            *(timing.first.isoformat(), timing.zone, str(timing.length)),
            *(timing.rule.as_text(), timing.rule.short_months),
        )
    )


def _listed(visit: InTheWay, zone: str, sent: QueryDict, *, over: bool) -> Listed:
    options: list[tuple[str, str]] = []
    nearest = in_zone(visit.nearest, zone) if visit.nearest else None
    if nearest:
        words = _("Move it to %(time)s") % {"time": weekday_moment(nearest)}
        options.append((nearest.astimezone(UTC).isoformat(), words))
    options.append((Way.LEAVE_OUT.value, _("Leave it out")))
    if over and any(one.source != Source.UNREADABLE for one in visit.obstacles):
        options.append((Way.BOOK_ANYWAY.value, _("Book it anyway")))
    before = sent.get(f"{CHOICE}{visit.day}", "")
    chosen = before if before in [value for value, _words in options] else options[0][0]
    return Listed(
        day=visit.day,
        start=in_zone(visit.start, zone),
        obstacles=visit.obstacles,
        nearest=nearest,
        choices=[(value, words, value == chosen) for value, words in options],
    )


def _kept(given: Answers, again: set[date]) -> list[tuple[str, str]]:
    """The answers to visits that are not listed any more."""
    return [(day.isoformat(), _written(way)) for day, way in given.each.items() if day not in again]


def _written(way: Way | datetime) -> str:
    return way.isoformat() if isinstance(way, datetime) else way.value
