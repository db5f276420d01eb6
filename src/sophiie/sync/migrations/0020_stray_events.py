"""Events of ours in calendars where Sophiie has put none."""

import django.db.models.deletion
from django.db import migrations, models

# The version before, which serves until the last process is new, deletes both without a word.
_KEY = """
ALTER TABLE sync_strayevent ADD CONSTRAINT stray_event_{name}
    FOREIGN KEY ({name}_id) REFERENCES {table} (id) ON DELETE CASCADE
"""
_KEYS = [("calendar", "sync_watchedcalendar"), ("appointment", "appointments_appointment")]


class Migration(migrations.Migration):
    dependencies = [("sync", "0019_lost_events"), ("appointments", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="StrayEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "calendar",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="strays",
                        to="sync.watchedcalendar",
                    ),
                ),
                ("event_id", models.CharField(max_length=64)),
                (
                    "appointment",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="appointments.appointment",
                    ),
                ),
                ("start", models.DateTimeField()),
                ("end", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=["calendar", "event_id"], name="stray_event_once"
                    )
                ],
            },
        ),
        *(
            migrations.RunSQL(
                _KEY.format(name=name, table=table),
                f"ALTER TABLE sync_strayevent DROP CONSTRAINT stray_event_{name}",
            )
            for name, table in _KEYS
        ),
    ]
