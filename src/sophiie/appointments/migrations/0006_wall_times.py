import django.contrib.postgres.indexes
from django.db import migrations, models

import sophiie.common.wall_time_field


class Migration(migrations.Migration):
    """What the clocks show at an appointment's start and end: the truth when a law changes them.

    Runs while the old version serves: it writes neither column, and a worker of the new version
    notes the wall times of what the old one books or changes, within a minute. Nothing is worked
    out here: PostgreSQL's time zone data may be others than Python's.
    """

    dependencies = [("appointments", "0005_erased")]

    operations = [
        migrations.AddField(
            model_name="appointment",
            name="wall_start",
            field=sophiie.common.wall_time_field.WallTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="appointment",
            name="wall_end",
            field=sophiie.common.wall_time_field.WallTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="appointment",
            name="wall_revision",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AddIndex(
            model_name="appointment",
            index=models.Index(
                condition=models.Q(("wall_revision", models.F("revision")), _negated=True),
                fields=["end"],
                name="appointment_without_wall_time",
            ),
        ),
        migrations.AddField(
            model_name="assignment",
            name="displaced",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddIndex(
            model_name="assignment",
            index=django.contrib.postgres.indexes.GistIndex(
                condition=models.Q(("displaced", True)),
                fields=["member", "during"],
                name="assignment_displaced",
            ),
        ),
        migrations.AlterField(
            model_name="appointmentchange",
            name="action",
            field=models.CharField(
                choices=[
                    ("created", "created"),
                    ("changed", "changed"),
                    ("cancelled", "cancelled"),
                    ("deleted", "deleted"),
                    ("reinstated", "reinstated"),
                    ("held", "held"),
                    ("confirmed", "confirmed"),
                    ("expired", "expired"),
                    ("erased", "erased"),
                    ("reclocked", "reclocked"),
                ],
                max_length=10,
            ),
        ),
        migrations.CreateModel(
            name="ZoneRules",
            fields=[
                (
                    "name",
                    models.CharField(max_length=64, primary_key=True, serialize=False),
                ),
                ("fingerprint", models.CharField(max_length=64)),
                ("version", models.CharField(blank=True, default="", max_length=20)),
                ("noted_at", models.DateTimeField()),
            ],
        ),
    ]
