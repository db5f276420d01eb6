from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # The table is written to all the time, also while this runs.
    atomic = False

    dependencies = [("sync", "0010_tally")]

    operations = [
        AddIndexConcurrently(
            model_name="mirroredevent",
            index=models.Index(
                condition=models.Q(("state", "failed")),
                fields=["next_attempt_at"],
                name="mirrored_event_refused",
            ),
        ),
    ]
