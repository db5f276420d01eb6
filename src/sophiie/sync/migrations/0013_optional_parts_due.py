from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # The table is written to all the time, also while this runs.
    atomic = False

    dependencies = [("sync", "0012_optional_parts")]

    operations = [
        AddIndexConcurrently(
            model_name="mirroredevent",
            index=models.Index(
                condition=models.Q(("left_out_next_at__isnull", False)),
                fields=["left_out_next_at"],
                name="mirrored_event_left_out",
            ),
        ),
    ]
