"""Pages for people: the accounts, and a week of one account with forms to change it."""

from __future__ import annotations

from datetime import date, timedelta
from urllib.parse import quote, urlencode

from aiohttp import web

from google_simulator.model import Account
from google_simulator.pages.layout import attribute, hidden, page, text
from google_simulator.pages.week import Shown, Week
from google_simulator.simulator import Simulator

NAV = '<nav><a href="/simulator/">Accounts</a><a href="/simulator/knobs">Knobs</a></nav>'


def accounts_page(simulator: Simulator) -> web.Response:
    """The list of accounts."""
    rows = "".join(
        f'<tr><td><a href="{account_url(account)}">{text(account.name)}</a></td>'
        f"<td>{text(account.email)}</td><td>{text(account.time_zone)}</td>"
        f"<td>{len(simulator.world.entries_of(account.email))}</td></tr>"
        for account in simulator.world.accounts.values()
    )
    return page(
        "Google accounts",
        f"{NAV}<p>Open an account to see its calendars as its owner would in Google Calendar, and"
        " to add, move or delete events by hand.</p>"
        "<table><thead><tr><th>Name</th><th>Address</th><th>Time zone</th><th>Calendars</th></tr>"
        f"</thead><tbody>{rows}</tbody></table>",
    )


def account_url(account: Account, **query: str) -> str:
    """The address of an account's week."""
    url = f"/simulator/accounts/{quote(account.email, safe='@')}"
    return attribute(f"{url}?{urlencode(query)}" if query else url)


def week_page(week: Week, version: int, problem: str | None = None) -> web.Response:
    """One week of a person's calendars, with forms."""
    account = week.account
    only = week.calendars[0][0].id if len(week.calendars) == 1 else None
    complaint = f'<p class="error" role="alert">{text(problem)}</p>' if problem else ""
    return page(
        f"{account.name}: week of {week.monday:%-d %B %Y}",
        f"{NAV}{complaint}{_week_links(week, only)}{_calendar_links(week)}"
        '<noscript><p class="quiet">Reload to see changes.</p></noscript>'
        f'<div id="calendar" data-version="{version}" aria-live="polite">'
        f'<div class="week">{"".join(_day(week, day) for day in week.days)}</div></div>'
        f"{_add_form(week)}",
        status=400 if problem else 200,
        script="/simulator/live.js",
    )


def _week_links(week: Week, only: str | None) -> str:
    extra = {"calendar": only} if only else {}
    links = [
        ("Previous week", week.monday - timedelta(days=7)),
        ("This week", week.today),
        ("Next week", week.monday + timedelta(days=7)),
    ]
    joined = " ".join(
        f'<a class="button" href="{account_url(week.account, week=day.isoformat(), **extra)}">'
        f"{label}</a>"
        for label, day in links
    )
    return f'<p class="row">{joined} <span class="quiet">Times in {text(week.zone.key)}</span></p>'


def _calendar_links(week: Week) -> str:
    monday = week.monday.isoformat()
    links = " · ".join(
        f'<a href="{account_url(week.account, week=monday, calendar=calendar.id)}">{text(name)}</a>'
        for calendar, name in week.calendars
    )
    return (
        f'<p class="quiet">Calendars: <a href="{account_url(week.account, week=monday)}">all</a>'
        f" · {links}</p>"
    )


def _day(week: Week, day: date) -> str:
    today = " today" if day == week.today else ""
    events = "".join(_event(week, shown, day) for shown in week.events if shown.covers(day))
    return f'<section class="day{today}"><h3>{day:%a %-d %b}</h3>{events}</section>'


def _event(week: Week, shown: Shown, day: date) -> str:
    resource = shown.event.resource
    if not shown.details:
        return f'<article class="event"><p>{shown.when} Busy</p></article>'
    summary = resource.get("summary", "(No title)")
    location = resource.get("location")
    notes = [f"Calendar: {shown.calendar_name}"]
    notes += [f"Status: {resource['status']}"] if resource["status"] != "confirmed" else []
    notes += [f"Type: {resource['eventType']}"] if resource["eventType"] != "default" else []
    notes += ["Shown as free"] if resource.get("transparency") == "transparent" else []
    notes += [f"{row['email']}: {row['responseStatus']}" for row in resource.get("attendees", [])]
    return (
        f'<article class="{_look(shown)}" data-event-id="{attribute(shown.event.id)}">'
        f"<p><strong>{text(summary)}</strong></p><p>{shown.when}</p>"
        f"{f'<p>{text(location)}</p>' if location else ''}"
        f'<details data-key="{attribute(f"{shown.event.id} {day}")}"><summary>Details</summary>'
        f"<pre>{text(resource.get('description', ''))}</pre>"
        f'<p class="quiet">{"<br>".join(text(note) for note in notes)}</p>'
        f"{_edit_form(week, shown) if shown.editable else ''}</details></article>"
    )


def _look(shown: Shown) -> str:
    """How busy it makes its owner, at a glance."""
    resource = shown.event.resource
    if shown.answer == "declined":
        return "event declined"
    return "event free" if resource.get("transparency") == "transparent" else "event"


def _edit_form(week: Week, shown: Shown) -> str:
    action = f"{account_url(week.account)}/events/change"
    times_fields = (
        "" if shown.all_day else _time_fields(f"{shown.start:%H:%M}", f"{shown.end:%H:%M}")
    )
    return (
        f'<form method="post" action="{action}">'
        f"{hidden('calendar', shown.calendar.id)}{hidden('event', shown.event.id)}"
        f"{hidden('week', week.monday.isoformat())}{hidden('zone', week.zone.key)}"
        f'<label>Title <input name="summary" value="'
        f'{attribute(shown.event.resource.get("summary", ""))}"></label>'
        f'<label>Date <input type="date" name="date" value="{shown.start:%Y-%m-%d}"></label>'
        f"{times_fields}"
        '<button name="act" value="save">Save</button> '
        '<button name="act" value="delete">Delete</button></form>'
    )


def _time_fields(start: str, end: str) -> str:
    return (
        f'<label>Start <input type="time" name="start" value="{start}"></label>'
        f'<label>End <input type="time" name="end" value="{end}"></label>'
    )


def _add_form(week: Week) -> str:
    options = "".join(
        f'<option value="{attribute(calendar.id)}">{text(name)}</option>'
        for calendar, name in week.writable
    )
    day = week.today if week.today in week.days else week.monday
    return (
        f'<h2>Add an event</h2><form method="post" class="row" '
        f'action="{account_url(week.account)}/events/add">'
        f"{hidden('week', week.monday.isoformat())}{hidden('zone', week.zone.key)}"
        f'<label>Calendar <select name="calendar">{options}</select></label>'
        '<label>Title <input name="summary" required></label>'
        f'<label>Date <input type="date" name="date" value="{day}" required></label>'
        f"{_time_fields('10:00', '11:00')}"
        '<label>Location <input name="location"></label>'
        '<label>Description <input name="description"></label>'
        '<label><input type="checkbox" name="all_day" value="yes"> All day</label>'
        '<label><input type="checkbox" name="free" value="yes"> Show as free</label>'
        '<button class="primary">Add</button></form>'
    )
