"""acl: who may do what with a calendar, rule by rule (facts 8).

Rules for single people and for everybody (`default`) are kept; groups and domains do not exist
here. The sync token holds the rules it was given with, so an increment is the difference.
"""

from __future__ import annotations

import hashlib

from google_simulator import errors
from google_simulator.calendar import calendars, tokens
from google_simulator.calendar.call import ROLE_ORDER, CalendarCall
from google_simulator.http.answer import Answer
from google_simulator.model import Calendar, Json

EVERYBODY = "default"
NONE = "none"
Rules = dict[str, str]


def list_rules(call: CalendarCall) -> Answer:
    """All rules, or what changed since a sync token."""
    calendar = call.must_own()
    now = _rules(calendar)
    shown, start = _changed_since(call, now), 0
    if page_token := call.text("pageToken"):
        token = tokens.open_token(call.simulator.world.birth, page_token)
        if token is None or token.get("acl_page") != calendar.id:
            raise errors.invalid_parameter("pageToken", page_token)
        shown, start = token["rules"], token["start"]
    size = call.number("maxResults", 100, 250)
    ids = list(shown)
    body: Json = {
        "kind": "calendar#acl",
        "etag": f'"p{calendar.version}"',
        "items": [_rendered(rule_id, shown[rule_id]) for rule_id in ids[start : start + size]],
    }
    if start + size < len(ids):
        more = {"acl_page": calendar.id, "rules": shown, "start": start + size}
        body["nextPageToken"] = tokens.seal(call.simulator.world.birth, more)
    else:
        kept = {"acl": calendar.id, "rules": now}
        body["nextSyncToken"] = tokens.seal(call.simulator.world.birth, kept)
    return Answer(200, body, {"ETag": body["etag"]})


def get(call: CalendarCall) -> Answer:
    """One rule."""
    rules = _rules(call.must_own())
    return _shown(call.path["ruleId"], _role_in(rules, call.path["ruleId"]))


def insert(call: CalendarCall) -> Answer:
    """Give a person, or everybody, a role. The role `none` takes it, as a deletion does."""
    calendar = call.must_own()
    rule_id = _rule_id(call.body.get("scope"))
    _set(call, calendar, rule_id, _role(call.body))
    return _shown(rule_id, _role(call.body))


def patch(call: CalendarCall) -> Answer:
    """Another role for a rule that is there. Its scope cannot be changed."""
    calendar = call.must_own()
    rule_id = call.path["ruleId"]
    role = _role({"role": _role_in(_rules(calendar), rule_id), **call.body})
    _set(call, calendar, rule_id, role)
    return _shown(rule_id, role)


def delete(call: CalendarCall) -> Answer:
    """Take a role."""
    calendar = call.must_own()
    _role_in(_rules(calendar), call.path["ruleId"])
    _set(call, calendar, call.path["ruleId"], NONE)
    return Answer(204)


def _rules(calendar: Calendar) -> Rules:
    rules = {f"user:{email}": role for email, role in calendar.acl.items()}
    return rules | ({EVERYBODY: calendar.public_role} if calendar.public_role else {})


def _changed_since(call: CalendarCall, now: Rules) -> Rules:
    sync_token = call.text("syncToken")
    if sync_token is None:
        return now
    token = tokens.open_token(call.simulator.world.birth, sync_token)
    if token is None or token.get("acl") != call.calendar.id:
        raise errors.full_sync_required()
    before: Rules = token["rules"]
    changed = {rule_id: role for rule_id, role in now.items() if before.get(rule_id) != role}
    return changed | {rule_id: NONE for rule_id in before if rule_id not in now}


def _set(call: CalendarCall, calendar: Calendar, rule_id: str, role: str) -> None:
    given = None if role == NONE else role
    if rule_id == EVERYBODY:
        if given not in (None, "freeBusyReader", "reader"):
            raise errors.invalid("Everybody can only be given a role that reads.")
        calendars.publish(call.simulator, calendar, given)
        return
    email = rule_id.removeprefix("user:")
    if email == calendar.owner and role != "owner":
        raise errors.forbidden()
    calendars.share(call.simulator, calendar, email, given)


def _role_in(rules: Rules, rule_id: str) -> str:
    if rule_id not in rules:
        raise errors.not_found()
    return rules[rule_id]


def _role(body: Json) -> str:
    role = body.get("role")
    if role not in (NONE, *ROLE_ORDER):
        raise errors.invalid("Invalid role.")
    return str(role)


def _rule_id(scope: object) -> str:
    if not isinstance(scope, dict):
        raise errors.required("Missing scope.")
    kind, value = scope.get("type"), scope.get("value")
    if kind == EVERYBODY:
        return EVERYBODY
    if kind != "user" or not isinstance(value, str) or "@" not in value:
        raise errors.invalid("Invalid scope value.")
    return f"user:{value.lower()}"


def _shown(rule_id: str, role: str) -> Answer:
    body = _rendered(rule_id, role)
    return Answer(200, body, {"ETag": body["etag"]})


def _rendered(rule_id: str, role: str) -> Json:
    kind, _, value = rule_id.partition(":")
    digest = hashlib.sha256(f"{rule_id} {role}".encode()).hexdigest()
    return {
        "kind": "calendar#aclRule",
        "etag": f'"{int(digest[:12], 16)}"',
        "id": rule_id,
        "scope": {"type": kind, "value": value} if value else {"type": kind},
        "role": role,
    }
