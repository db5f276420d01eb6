import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """How often somebody, or a key, has held a time lately."""

    dependencies = [
        ("accounts", "0004_preferences_invitations_keys"),
        ("appointments", "0003_running_out_and_booked_anyway"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="appointment",
            name="hold_key",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="accounts.apikey",
            ),
        ),
        migrations.AddIndex(
            model_name="appointmentchange",
            index=models.Index(
                condition=models.Q(("action", "held")), fields=["by", "at"], name="change_held"
            ),
        ),
    ]
