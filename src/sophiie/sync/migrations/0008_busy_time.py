"""Room for what is read of calendars that count as busy.

Every calendar that counts gets its rows here already: until it is read for the first time its
member's time is unknown, not free.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations, models

from sophiie.common.clock import now

COUNTING = ("backfilling", "active", "needs_reconnect")


def count_calendars(apps: Any, schema_editor: Any) -> None:
    links = apps.get_model("calendar_link", "CalendarLink").objects.filter(state__in=COUNTING)
    watched = apps.get_model("sync", "WatchedCalendar").objects
    busy = apps.get_model("busy_time", "BusyCalendar").objects
    for link in links.exclude(calendar_id=""):
        for calendar_id in {link.calendar_id, *link.busy_calendar_ids}:
            watched.get_or_create(
                link=link, calendar_id=calendar_id, defaults={"next_read_at": now()}
            )
            busy.get_or_create(member_id=link.member_id, calendar_id=calendar_id)


class Migration(migrations.Migration):
    dependencies = [
        ("sync", "0007_guest_review"),
        ("busy_time", "0002_series"),
        ("calendar_link", "0003_quotas_and_ledger"),
    ]

    operations = [
        migrations.AddField(
            model_name="watchedcalendar",
            name="not_understood",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AddIndex(
            model_name="mirroredevent",
            index=models.Index(fields=["event_id"], name="mirrored_event_by_event"),
        ),
        migrations.RunPython(count_calendars, migrations.RunPython.noop),
    ]
