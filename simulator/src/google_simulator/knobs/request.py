"""What every knob needs: finding what it turns, and clear refusals."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from google_simulator.model import Account, Calendar
from google_simulator.simulator import Simulator


class BadKnob(ValueError):
    """The request makes no sense; the message says why. Answered with 400."""


class NoSuchThing(LookupError):
    """Answered with 404."""


def the_account(simulator: Simulator, request: web.Request) -> Account:
    """The account in the address."""
    email = request.match_info["email"]
    account = simulator.world.accounts.get(email)
    if account is None:
        raise NoSuchThing(f"There is no account {email}.")
    return account


def the_calendar(simulator: Simulator, request: web.Request) -> Calendar:
    """The calendar in the address; `primary` is the account's own."""
    calendar_id = request.match_info["calendar"]
    if calendar_id == "primary":
        calendar_id = request.match_info["email"]
    calendar = simulator.world.calendars.get(calendar_id)
    if calendar is None:
        raise NoSuchThing(f"There is no calendar {calendar_id}.")
    return calendar


def wanted(body: dict[str, Any], name: str, kind: type | tuple[type, ...] = str) -> Any:
    """A field of the body that must be there."""
    value = body.get(name)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise BadKnob(f"{name} is missing or of the wrong type.")
    return value


def optional_number(body: dict[str, Any], name: str, default: float) -> float:
    """A number of the body, or the default."""
    value = body.get(name, default)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise BadKnob(f"{name} must be a number.")
    return value
