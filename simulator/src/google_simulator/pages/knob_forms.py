"""Turns the forms of the knob page into calls of the JSON knobs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from google_simulator.calendar import calendars, editing
from google_simulator.calendar.call import ROLE_ORDER
from google_simulator.faults import BadFault
from google_simulator.knobs.request import BadKnob
from google_simulator.model import Account, Calendar
from google_simulator.oauth import grants
from google_simulator.oauth.tokens import DEATHS
from google_simulator.seeds import SEEDS
from google_simulator.simulator import Simulator
from google_simulator.switches import UnknownSwitch

Form = Mapping[str, str]
REFUSALS = (BadKnob, BadFault, UnknownSwitch)


def clock(simulator: Simulator, form: Form) -> None:
    """Set or move the clock."""
    simulator.clock.advance(_number(form, "hours") * 3600)
    simulator.move_clock()


def latency(simulator: Simulator, form: Form) -> None:
    """Delay every call."""
    simulator.faults.latency_ms = _number(form, "ms")
    simulator.faults.spread_ms = _number(form, "spread_ms")


def fault(simulator: Simulator, form: Form) -> None:
    """Make calls fail."""
    description: dict[str, Any] = {
        name: form[name] for name in ("method", "kind", "when", "reason") if form.get(name)
    }
    for name in ("count", "status"):
        if form.get(name):
            description[name] = int(_number(form, name))
    simulator.faults.add(**description)


def clear_faults(simulator: Simulator, form: Form) -> None:
    """End all faults."""
    simulator.faults.clear()


def switch(simulator: Simulator, form: Form) -> None:
    """Set one switch."""
    simulator.switches.set(form.get("name", ""), form.get("value", ""))


def reset(simulator: Simulator, form: Form) -> None:
    """Back to the first day."""
    if form.get("seed") not in SEEDS:
        raise BadKnob("There is no such seed.")
    simulator.reset(form["seed"])


def revoke_grant(simulator: Simulator, form: Form) -> None:
    """The person removes the app."""
    email = _account(simulator, form).email
    for project in list(simulator.world.projects):
        grants.revoke_grant(simulator, project, email)


def tokens(simulator: Simulator, form: Form) -> None:
    """Let refreshes fail, heal them, or end access tokens."""
    account = _account(simulator, form)
    cause = form.get("failure")
    if cause not in ("nothing", *DEATHS):
        raise BadKnob("There is no such cause.")
    account.token_failure = None if cause == "nothing" else cause
    simulator.world.save(account)


def quota_exceeded(simulator: Simulator, form: Form) -> None:
    """Make an account's calendars read-only for hours."""
    account = _account(simulator, form)
    account.read_only_until = simulator.clock.now() + 3 * 3600
    simulator.world.save(account)


def role(simulator: Simulator, form: Form) -> None:
    """Give or take a role."""
    wanted = form.get("role")
    if wanted not in ("none", *ROLE_ORDER):
        raise BadKnob("There is no such role.")
    calendars.share(
        simulator,
        _calendar(simulator, form),
        _account(simulator, form).email,
        None if wanted == "none" else wanted,
    )


def expire_sync_tokens(simulator: Simulator, form: Form) -> None:
    """End a calendar's sync tokens."""
    calendar = _calendar(simulator, form)
    calendar.token_floor = simulator.world.next_version()
    simulator.world.save(calendar)


def empty_trash(simulator: Simulator, form: Form) -> None:
    """Empty a calendar's trash."""
    editing.empty_trash(simulator, _calendar(simulator, form))


def delete_calendar(simulator: Simulator, form: Form) -> None:
    """Delete a calendar."""
    calendar = _calendar(simulator, form)
    if calendar.is_primary:
        raise BadKnob("A primary calendar cannot be deleted, only cleared.")
    calendars.remove(simulator, calendar)


ACTS: dict[str, Callable[[Simulator, Form], None]] = {
    "clock": clock,
    "latency": latency,
    "fault": fault,
    "clear-faults": clear_faults,
    "switch": switch,
    "reset": reset,
    "revoke-grant": revoke_grant,
    "tokens": tokens,
    "quota-exceeded": quota_exceeded,
    "role": role,
    "expire-sync-tokens": expire_sync_tokens,
    "empty-trash": empty_trash,
    "delete-calendar": delete_calendar,
}


def _account(simulator: Simulator, form: Form) -> Account:
    account = simulator.world.accounts.get(form.get("email", ""))
    if account is None:
        raise BadKnob("There is no such account.")
    return account


def _calendar(simulator: Simulator, form: Form) -> Calendar:
    calendar = simulator.world.calendars.get(form.get("calendar", ""))
    if calendar is None:
        raise BadKnob("There is no such calendar.")
    return calendar


def _number(form: Form, name: str) -> float:
    try:
        return float(form.get(name, ""))
    except ValueError as error:
        raise BadKnob(f"{name} must be a number.") from error
