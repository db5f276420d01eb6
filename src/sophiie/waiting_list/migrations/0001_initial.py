# Who waits for an earlier time.

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import sophiie.common.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0008_week_numbers"),
        ("appointments", "0008_zones"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="WaitingEntry",
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
                ("title", models.CharField(blank=True, default="", max_length=300)),
                ("customer_name", models.CharField(blank=True, default="", max_length=200)),
                ("customer_phone", models.CharField(blank=True, default="", max_length=50)),
                ("minutes", models.PositiveIntegerField(default=0)),
                (
                    "member_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), blank=True, default=list, size=None
                    ),
                ),
                ("first_day", models.DateField()),
                ("last_day", models.DateField()),
                ("note", models.TextField(blank=True, default="", max_length=1000)),
                ("created_at", models.DateTimeField()),
                (
                    "appointment",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="waiting",
                        to="appointments.appointment",
                    ),
                ),
                (
                    "business",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.business",
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["business", "created_at", "id"], name="waiting_in_order"),
                    models.Index(fields=["last_day"], name="waiting_until"),
                ],
            },
        ),
    ]
