import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Which customer an appointment is for.

    Runs while the old version serves: it writes neither column, and a worker of the new version
    looks within a minute for the customers of what the old one books, and of all earlier ones.
    """

    dependencies = [("appointments", "0006_wall_times"), ("customers", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="appointment",
            name="customer",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="appointments",
                to="customers.customer",
            ),
        ),
        migrations.AddField(
            model_name="appointment",
            name="customer_sought",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddIndex(
            model_name="appointment",
            index=models.Index(
                condition=models.Q(("customer__isnull", False)),
                fields=["customer", "start", "id"],
                name="appointment_of_customer",
            ),
        ),
        migrations.AddIndex(
            model_name="appointment",
            index=models.Index(
                condition=models.Q(("customer_sought", False)),
                fields=["id"],
                name="appointment_customer_unsought",
            ),
        ),
    ]
