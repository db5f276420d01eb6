from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("busy_time", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="busyperiod",
            name="series_id",
            field=models.CharField(blank=True, db_default="", default="", max_length=1100),
        ),
    ]
