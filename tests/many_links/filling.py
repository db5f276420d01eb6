"""Fills the database with links and all that belongs to them, by statements that the server works
through alone: as quick as COPY, and nothing passes through Python.

Businesses of ten, everybody linked, with a channel that reports changes; half of each person's
appointments lie behind and half ahead. One link in a hundred is broken and has five changes that
wait; one event in a thousand was refused until its appointment was over.
"""

from __future__ import annotations

import time
from typing import Any

from django.db import connection

from sophiie.common.clock import now
from sophiie.common.encrypted import encrypt

TEAM = 10
TABLES = (
    ("accounts_member", "members"),
    ("calendar_link_calendarlink", "links"),
    ("sync_watchedcalendar", "calendars that are polled"),
    ("sync_pushchannel", "channels"),
    ("busy_time_busycalendar", "copies of calendars"),
    ("busy_time_busyperiod", "busy times in them"),
    ("appointments_appointment", "appointments"),
    ("appointments_assignment", "… who is assigned"),
    ("appointments_appointmentchange", "… their history"),
    ("sync_mirroredevent", "mirrored events"),
    ("sync_syncattempt", "… the ledger of attempts"),
    ("sync_unitsused", "units used, by link and day"),
)


def _id(kind: int, number: str) -> str:
    """Ids that are in order of time, as the product's are, and can be worked out."""
    return f"('0190000{kind:x}-0000-7000-8000-' || lpad(to_hex({number}), 12, '0'))::uuid"


BUSINESS, MEMBER, LINK, WATCHED, CHANNEL, COPY = range(6)
APPOINTMENT, ASSIGNMENT, CHANGE, EVENT = range(6, 10)
_BUSINESS, _MEMBER, _LINK = _id(BUSINESS, f"n / {TEAM}"), _id(MEMBER, "n"), _id(LINK, "n")
_ADDRESS = "'person' || n || '@links.example.com'"
_LINKS = "generate_series(%(first)s::int, %(last)s::int - 1) AS n"
_NOW = "%(now)s::timestamptz"
# k counts the appointments of one person; half lie behind. One a day, at an hour of their own.
_EACH = (
    f"{_LINKS} CROSS JOIN generate_series(0, %(each)s::int - 1) AS k CROSS JOIN LATERAL ("
    f"SELECT n::bigint * 100000 + k AS number, date_trunc('hour', {_NOW})"
    " + (k - %(each)s::int / 2) * interval '1 day' + interval '3 hours' AS start) AS times"
)
_APPOINTMENT, _EVENT = _id(APPOINTMENT, "number"), _id(EVENT, "number")
_BROKEN = "n %% %(one_in)s::int = 7"
_WAITS = f"({_BROKEN} AND k >= %(each)s::int - 5)"
_REFUSED = "(number %% 1009 = 11 AND k < %(each)s::int / 2)"

_STATEMENTS = (
    f"""INSERT INTO accounts_business (id, name, timezone, created_at)
    SELECT DISTINCT {_BUSINESS}, 'Business ' || n / {TEAM}, 'Australia/Sydney', {_NOW}
    FROM {_LINKS} ON CONFLICT DO NOTHING""",
    f"""INSERT INTO accounts_member (id, business_id, email, name, role, is_active, password,
        date_joined)
    SELECT {_MEMBER}, {_BUSINESS}, {_ADDRESS}, 'Person ' || n,
        CASE WHEN n %% {TEAM} = 0 THEN 'owner' ELSE 'member' END, true, '', {_NOW} FROM {_LINKS}""",
    f"""INSERT INTO calendar_link_calendarlink (id, member_id, state, covers, google_sub,
        google_email, refresh_token, access_token, access_token_expires_at, calendar_id,
        calendar_name, busy_calendar_ids, problem, created_at, backfill_total, broken_at,
        reminders_sent)
    SELECT {_LINK}, {_MEMBER}, CASE WHEN {_BROKEN} THEN 'needs_reconnect' ELSE 'active' END,
        'assigned', 'sub' || n, {_ADDRESS}, %(token)s, %(token)s, {_NOW} + interval '1 hour',
        {_ADDRESS}, 'Person ' || n, '[]', '', {_NOW}, 0,
        CASE WHEN {_BROKEN} THEN {_NOW} - interval '9 days' END, 2 FROM {_LINKS}""",
    f"""INSERT INTO sync_watchedcalendar (id, link_id, calendar_id, title, sync_token, window_start,
        window_end, read_at, error, next_read_at, next_read_within, is_net, net_width, push_next_at)
    SELECT {_id(WATCHED, "n")}, {_LINK}, {_ADDRESS}, 'Person ' || n, 'token', {_NOW},
        {_NOW} + interval '400 days', {_NOW}, '',
        {_NOW} + interval '2 hours' + random() * interval '8 hours', interval '12 hours', true,
        interval '9 hours', {_NOW} + interval '4 days' + random() * interval '1 day'
    FROM {_LINKS}""",
    f"""INSERT INTO sync_pushchannel (id, link_id, calendar_id, token_digest, resource_id,
        created_at, expires_at, proved_at)
    SELECT {_id(CHANNEL, "n")}, {_LINK}, {_ADDRESS}, md5(n::text) || md5(n::text), md5(n::text),
        {_NOW}, {_NOW} + interval '6 days', {_NOW} FROM {_LINKS}""",
    f"""INSERT INTO busy_time_busycalendar (id, member_id, calendar_id, checked_at, known_from,
        known_until)
    SELECT {_id(COPY, "n")}, {_MEMBER}, {_ADDRESS}, {_NOW}, {_NOW} - interval '1 day',
        {_NOW} + interval '399 days' FROM {_LINKS}""",
    f"""INSERT INTO busy_time_busyperiod (calendar_id, member_id, event_id, during)
    SELECT {_id(COPY, "n")}, {_MEMBER}, md5(number::text),
        tstzrange(start + interval '2 hours', start + interval '3 hours') FROM {_EACH}""",
    f"""INSERT INTO appointments_appointment (id, business_id, title, start, "end", timezone,
        location, notes, customer_name, customer_phone, customer_email, status, revision,
        created_by_id, created_at, updated_at, wall_start, wall_end, wall_revision, customer_sought)
    SELECT {_APPOINTMENT}, {_BUSINESS}, 'Leaking tap ' || k, start, start + interval '1 hour',
        'Australia/Sydney', '12 Harbour Street', 'The key is with the neighbour.', 'Bob Smith',
        '+61 2 9999 0000', 'bob@example.com', 'scheduled', 1, {_MEMBER}, {_NOW}, {_NOW},
        to_char(start AT TIME ZONE 'Australia/Sydney', 'YYYY-MM-DD"T"HH24:MI:SS')::timestamp,
        (start + interval '1 hour') AT TIME ZONE 'Australia/Sydney', 1, true FROM {_EACH}""",
    f"""INSERT INTO appointments_assignment (id, appointment_id, member_id, during, blocking,
        booked_anyway)
    SELECT {_id(ASSIGNMENT, "number")}, {_APPOINTMENT}, {_MEMBER},
        tstzrange(start, start + interval '1 hour'), true, false FROM {_EACH}""",
    f"""INSERT INTO appointments_appointmentchange (id, appointment_id, revision, action, by_id, at,
        fields)
    SELECT {_id(CHANGE, "number")}, {_APPOINTMENT}, 1, 'created', {_MEMBER}, {_NOW}, '{{}}'
    FROM {_EACH}""",
    f"""INSERT INTO sync_mirroredevent (id, link_id, appointment_id, calendar_id, event_id, wanted,
        wanted_revision, shown_revision, sent, state, attempts, error, next_attempt_at, synced_at,
        html_link, created_at, updated_at, etag, told, shown_fields)
    SELECT {_EVENT}, {_LINK}, {_APPOINTMENT}, {_ADDRESS}, md5(number::text), true, 1,
        CASE WHEN {_WAITS} THEN 0 ELSE 1 END, true,
        CASE WHEN {_WAITS} THEN 'pending' WHEN {_REFUSED} THEN 'failed' ELSE 'synced' END, 1, '',
        CASE WHEN {_WAITS} OR {_REFUSED} THEN {_NOW} - interval '1 hour' END, {_NOW},
        'https://www.google.com/calendar/event?eid=' || md5(number::text), {_NOW}, {_NOW},
        '"' || number || '"', true,
        jsonb_build_object('summary', md5('a'), 'start', md5('b'), 'end', md5('c'))
    FROM {_EACH}""",
    f"""INSERT INTO sync_syncattempt (mirrored_event_id, at, revision, wanted, succeeded, status,
        reason, message)
    SELECT {_EVENT}, {_NOW} - random() * interval '29 days', 1, true, true, 200, '', ''
    FROM {_EACH}""",
    f"""INSERT INTO sync_unitsused (scope, span, since, kind, units)
    SELECT {_LINK}::text, 'day', date_trunc('day', {_NOW} AT TIME ZONE 'America/Los_Angeles')
        AT TIME ZONE 'America/Los_Angeles', kind, n %% 50
    FROM {_LINKS} CROSS JOIN unnest(ARRAY['polls', 'writes', 'awaited']) AS kind""",
)


def fill(first: int, last: int, *, each: int, broken_one_in: int = 100) -> float:
    """Adds the links from `first` on, each with so many appointments; returns the seconds."""
    started = time.monotonic()
    values: dict[str, Any] = {
        "now": now(),
        "first": first,
        "last": last,
        "each": each,
        "one_in": broken_one_in,
        "token": encrypt("x" * 200),
    }
    with connection.cursor() as cursor:
        for statement in _STATEMENTS:
            cursor.execute(statement, values)
        cursor.execute("VACUUM (ANALYZE)")
    return time.monotonic() - started


def sizes() -> list[tuple[str, int, float, float]]:
    """By kind of row: how many, bytes of a row, and bytes of its entries in all indexes."""
    found = []
    with connection.cursor() as cursor:
        for table, name in TABLES:
            cursor.execute(
                f"SELECT count(*), pg_table_size('{table}'), pg_indexes_size('{table}')"
                f" FROM {table}"
            )
            count, rows, indexes = cursor.fetchone()
            found.append((name, count, rows / max(1, count), indexes / max(1, count)))
    return found
