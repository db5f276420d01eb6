from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("sync", "0005_guests_and_reconciliation"),
    ]

    operations = [
        migrations.AddField(
            model_name="mirroredevent",
            name="told",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="watchedcalendar",
            name="reader",
            field=models.UUIDField(blank=True, null=True),
        ),
    ]
