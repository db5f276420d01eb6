"""Which events of our making stand for appointments that nobody knows any more."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sync", "0018_restored")]

    operations = [
        migrations.AddField(
            model_name="watchedcalendar",
            name="lost",
            field=models.JSONField(blank=True, db_default=[], default=list),
        ),
    ]
