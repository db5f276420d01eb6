from django.db import migrations, models

from sophiie.common.add_index import AddIndexBesideWork


class Migration(migrations.Migration):
    # The tables are written to all the time, also while this runs.
    atomic = False

    dependencies = [("calendar_link", "0006_reasons")]

    operations = [
        AddIndexBesideWork(
            model_name="calendarlink",
            index=models.Index(
                condition=models.Q(("state__in", ("active", "unlinked")), _negated=True),
                fields=["state", "id"],
                name="calendar_link_unsettled",
            ),
        ),
    ]
