from django.contrib.postgres.indexes import GistIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # The table is written to all the time, also while this runs.
    atomic = False

    dependencies = [("resources", "0001_initial")]

    operations = [
        AddIndexConcurrently(
            model_name="resourceuse",
            index=GistIndex(
                condition=models.Q(("booked_anyway", True)),
                fields=["resource", "during"],
                name="resource_use_booked_anyway",
            ),
        ),
    ]
