from django.db import migrations, models

from sophiie.common.add_index import AddIndexBesideWork


class Migration(migrations.Migration):
    # The tables are written to all the time, also while this runs.
    atomic = False

    dependencies = [("appointments", "0007_customers")]

    operations = [
        AddIndexBesideWork(
            model_name="appointment",
            index=models.Index(fields=["timezone"], name="appointment_by_zone"),
        ),
    ]
