# The tables of rooms, vans and the like, and the rule that none is used twice at once.

import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.text
from django.db import migrations, models

import sophiie.common.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0008_week_numbers"),
        ("appointments", "0008_zones"),
    ]

    operations = [
        migrations.CreateModel(
            name="Resource",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=sophiie.common.ids.new_id,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                ("kind", models.CharField(blank=True, default="", max_length=50)),
                ("active", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField()),
                (
                    "business",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.business",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ResourceUse",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=sophiie.common.ids.new_id,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("during", django.contrib.postgres.fields.ranges.DateTimeRangeField()),
                ("blocking", models.BooleanField(default=True)),
                ("held_until", models.DateTimeField(blank=True, null=True)),
                ("booked_anyway", models.BooleanField(default=False)),
                ("displaced", models.BooleanField(default=False)),
                (
                    "appointment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="resource_uses",
                        to="appointments.appointment",
                    ),
                ),
                (
                    "resource",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="uses",
                        to="resources.resource",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="resource",
            constraint=models.UniqueConstraint(
                models.F("business"),
                django.db.models.functions.text.Lower("name"),
                name="resource_name_once",
            ),
        ),
        migrations.AddIndex(
            model_name="resourceuse",
            index=django.contrib.postgres.indexes.GistIndex(
                condition=models.Q(("displaced", True)),
                fields=["resource", "during"],
                name="resource_use_displaced",
            ),
        ),
        migrations.AddConstraint(
            model_name="resourceuse",
            constraint=models.UniqueConstraint(
                fields=("appointment", "resource"), name="resource_use_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="resourceuse",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                condition=models.Q(("blocking", True)),
                expressions=[("resource", "="), ("during", "&&")],
                name="resource_no_overlap",
            ),
        ),
    ]
