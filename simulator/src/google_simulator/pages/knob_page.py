"""The knobs as a page: what is set, a form for each, and the latest calls."""

from __future__ import annotations

from aiohttp import web

from google_simulator import times
from google_simulator.calendar.call import ROLE_ORDER
from google_simulator.faults import KINDS
from google_simulator.model import Account, Calendar
from google_simulator.oauth.tokens import DEATHS
from google_simulator.pages.layout import attribute, hidden, page, text
from google_simulator.pages.people import NAV
from google_simulator.seeds import SEEDS
from google_simulator.simulator import Simulator
from google_simulator.switches import SWITCHES

SHOWN_CALLS = 30


def knob_page(simulator: Simulator, problem: str | None = None) -> web.Response:
    """The page with the most used knobs, all switches and the latest calls."""
    complaint = f'<p class="error" role="alert">{text(problem)}</p>' if problem else ""
    parts = (
        NAV,
        complaint,
        '<p class="quiet">Each of these is also JSON under <code>/simulator/api/</code>; see'
        " docs/how-to/simulator.md.</p>",
        _clock(simulator),
        _latency(simulator),
        _faults(simulator),
        *(_account(simulator, account) for account in simulator.world.accounts.values()),
        _switches(simulator),
        _calls(simulator),
        _reset(),
    )
    return page("Knobs", "".join(parts), status=400 if problem else 200)


def form(act: str, inner: str, button: str, **carried: str) -> str:
    """One knob as a form."""
    carried_inputs = "".join(hidden(name, value) for name, value in carried.items())
    return (
        f'<form method="post" action="/simulator/knobs/{act}" class="row">{carried_inputs}{inner}'
        f"<button>{text(button)}</button></form>"
    )


def _field(label: str, name: str, value: object, kind: str = "text", extra: str = "") -> str:
    return (
        f'<label>{text(label)} <input type="{kind}" name="{name}" '
        f'value="{attribute(str(value))}" {extra}></label>'
    )


def _choice(label: str, name: str, choices: tuple[str, ...], chosen: str | None) -> str:
    options = "".join(
        f"<option{' selected' if choice == chosen else ''}>{text(choice)}</option>"
        for choice in choices
    )
    return f'<label>{text(label)} <select name="{name}">{options}</select></label>'


def _clock(simulator: Simulator) -> str:
    now = times.with_milliseconds(simulator.clock.now())
    return (
        f"<fieldset><legend>Clock</legend><p>It is {now}.</p>"
        + form("clock", _field("Hours", "hours", 1, "number", 'step="any"'), "Advance")
        + "</fieldset>"
    )


def _latency(simulator: Simulator) -> str:
    faults = simulator.faults
    fields = _field("Milliseconds", "ms", faults.latency_ms, "number", 'step="any"') + _field(
        "Spread", "spread_ms", faults.spread_ms, "number", 'step="any"'
    )
    return f"<fieldset><legend>Latency</legend>{form('latency', fields, 'Set')}</fieldset>"


def _faults(simulator: Simulator) -> str:
    rows = "".join(
        f"<li><code>{text(fault.method)}</code> {text(fault.kind)} {fault.when} the effect,"
        f" status {fault.status}, {text(_how_often(fault.count, fault.share, fault.hits))}</li>"
        for fault in simulator.faults.faults
    )
    fields = (
        _field("Method", "method", "calendar.events.*")
        + _choice("Kind", "kind", KINDS, None)
        + _choice("When", "when", ("before", "after"), None)
        + _field("Count", "count", 1, "number")
        + _field("Status", "status", 503, "number")
        + _field("Reason", "reason", "backendError")
    )
    return (
        f"<fieldset><legend>Faults</legend><ul>{rows or '<li>None.</li>'}</ul>"
        f"{form('fault', fields, 'Add')}{form('clear-faults', '', 'Clear')}</fieldset>"
    )


def _how_often(count: int | None, share: float | None, hits: int) -> str:
    if share is not None:
        return f"{share:.0%} of calls"
    return f"{count - hits} more times" if count is not None else "always"


def _account(simulator: Simulator, account: Account) -> str:
    email = account.email
    grants = [grant for grant in simulator.world.grants.values() if grant.account == email]
    allowed = "; ".join(f"{grant.project}: {' '.join(grant.scopes)}" for grant in grants)
    calendars = (
        simulator.world.calendars[calendar_id] for calendar_id in simulator.world.entries_of(email)
    )
    rows = "".join(_calendar(account, calendar) for calendar in calendars if not calendar.deleted)
    failure = _choice(
        "Refreshing fails as", "failure", ("nothing", *DEATHS), account.token_failure or "nothing"
    )
    return (
        f"<fieldset><legend>{text(account.name)} ({text(email)})</legend>"
        f'<p class="quiet">Allowed: {text(allowed or "nothing")}</p><div class="row">'
        f"{form('revoke-grant', '', 'Revoke grant', email=email)}"
        f"{form('tokens', failure, 'Set', email=email)}"
        f"{form('quota-exceeded', '', 'Quota exceeded for 3 h', email=email)}</div>"
        f"<details><summary>Calendars</summary><table><tbody>{rows}</tbody></table></details>"
        "</fieldset>"
    )


def _calendar(account: Account, calendar: Calendar) -> str:
    named = {"email": account.email, "calendar": calendar.id}
    role = _choice("Role", "role", ("none", *ROLE_ORDER), calendar.role_of(account.email))
    acts = form("role", role, "Set role", **named)
    for act, label in (
        ("expire-sync-tokens", "Expire sync tokens"),
        ("empty-trash", "Empty trash"),
        *(() if calendar.is_primary else (("delete-calendar", "Delete calendar"),)),
    ):
        acts += form(act, "", label, **named)
    return f'<tr><td>{text(calendar.summary)}</td><td><div class="row">{acts}</div></td></tr>'


def _switches(simulator: Simulator) -> str:
    rows = "".join(
        f"<tr><td>{text(switch.fact)}</td><td>{text(switch.question)}</td><td>"
        + form(
            "switch",
            _choice(switch.name, "value", switch.settings, simulator.switches[switch.name]),
            "Set",
            name=switch.name,
        )
        + "</td></tr>"
        for switch in SWITCHES.values()
    )
    return (
        "<fieldset><legend>What nobody outside Google knows</legend><table><thead><tr>"
        f"<th>Fact</th><th>Question</th><th>Switch</th></tr></thead><tbody>{rows}</tbody></table>"
        "</fieldset>"
    )


def _calls(simulator: Simulator) -> str:
    latest = simulator.calls.find()[-SHOWN_CALLS:]
    rows = "".join(
        f"<tr><td>{call['seq']}</td><td>{text(call['method'])}</td>"
        f"<td>{text(call['account'] or '')}</td><td>{text(call['event_id'] or '')}</td>"
        f"<td>{call['status'] or 'cut'}</td><td>{text(call['fault'] or call['reason'] or '')}</td>"
        f"<td>{call['milliseconds']}</td></tr>"
        for call in reversed(latest)
    )
    return (
        f"<h2>Latest calls</h2><table><thead><tr><th>No.</th><th>Method</th><th>Account</th>"
        "<th>Event</th><th>Status</th><th>Why</th><th>ms</th></tr></thead>"
        f"<tbody>{rows}</tbody></table>"
    )


def _reset() -> str:
    seeds = _choice("Seed", "seed", SEEDS, None)
    return f"<fieldset><legend>Begin anew</legend>{form('reset', seeds, 'Reset')}</fieldset>"
