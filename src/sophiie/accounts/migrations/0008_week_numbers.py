from django.db import migrations, models


class Migration(migrations.Migration):
    """Who is shown the number of each week; nobody until they choose it."""

    dependencies = [("accounts", "0007_erasure")]

    operations = [
        migrations.AddField(
            model_name="member",
            name="week_numbers",
            field=models.BooleanField(default=False, db_default=False),
        ),
    ]
