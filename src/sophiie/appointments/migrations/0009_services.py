import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models

NUMBER = {"blank": True, "null": True}
WAY = {"db_default": 0, "default": 0}


class Migration(migrations.Migration):
    """Of which service an appointment is, and its own distance from others.

    Runs while the old version serves: it writes none of these columns, and where they are empty the
    business's rules apply as before.
    """

    dependencies = [("appointments", "0008_zones"), ("services", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="appointment",
            name="service",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="services.service",
            ),
        ),
        *(
            migrations.AddField(model_name=model, name=name, field=field)
            for model in ("appointment", "assignment")
            for name, field in (
                ("buffer_before_minutes", models.PositiveSmallIntegerField(**NUMBER)),
                ("buffer_after_minutes", models.PositiveSmallIntegerField(**NUMBER)),
                ("travel_minutes", models.PositiveSmallIntegerField(**WAY)),
            )
        ),
        migrations.AddIndex(
            model_name="appointment",
            index=models.Index(
                condition=models.Q(("service__isnull", False)),
                fields=["service", "start", "id"],
                name="appointment_of_service",
            ),
        ),
        migrations.AddIndex(
            model_name="assignment",
            index=django.contrib.postgres.indexes.GistIndex(
                condition=models.Q(
                    ("buffer_before_minutes__isnull", False),
                    ("buffer_after_minutes__isnull", False),
                    ("travel_minutes__gt", 0),
                    _connector="OR",
                ),
                fields=["member", "during"],
                name="assignment_own_distance",
            ),
        ),
    ]
