from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("busy_time", "0002_series"),
    ]

    operations = [
        migrations.AddField(
            model_name="busycalendar",
            name="time_zone",
            field=models.CharField(blank=True, db_default="", default="", max_length=100),
        ),
    ]
