from django.db import migrations, models


class Migration(migrations.Migration):
    """New businesses begin with no; what members of the others have already they keep."""

    dependencies = [("accounts", "0005_limits_and_mails")]

    operations = [
        migrations.AddField(
            model_name="business",
            name="members_may_mirror_all",
            field=models.BooleanField(default=False, db_default=False),
        ),
        migrations.RunSQL(
            "UPDATE accounts_business SET members_may_mirror_all = true",
            reverse_sql=migrations.RunSQL.noop,
        ),
    ]
