import uuid

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("calendar_link", "0003_quotas_and_ledger"),
        ("sync", "0008_busy_time"),
    ]

    operations = [
        migrations.AddField(
            model_name="watchedcalendar",
            name="push_next_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="watchedcalendar",
            name="push_problem",
            field=models.CharField(blank=True, db_default="", default="", max_length=200),
        ),
        migrations.AddField(
            model_name="watchedcalendar",
            name="unwatchable",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.CreateModel(
            name="PushChannel",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("calendar_id", models.CharField(max_length=1024)),
                ("token_digest", models.CharField(max_length=64)),
                ("resource_id", models.CharField(blank=True, default="", max_length=200)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                (
                    "link",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="push_channels",
                        to="calendar_link.calendarlink",
                    ),
                ),
            ],
        ),
    ]
