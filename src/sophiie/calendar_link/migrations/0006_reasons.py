from django.db import migrations, models

from sophiie.common.old_sentences import convert


def convert_links(apps, schema_editor):
    convert(apps.get_model("calendar_link", "CalendarLink"), "problem")


class Migration(migrations.Migration):
    """Reasons are stored as codes with their values, no longer as English sentences.

    Runs while the old version serves. The sentences stay: the old version reads and writes them,
    the new one writes both columns and lets the code count only beside its own sentence, so what
    the old one writes meanwhile is shown as it stands. The release after this one converts what is
    left and drops the columns with the sentences.
    """

    dependencies = [("calendar_link", "0005_language_of_events")]

    operations = [
        migrations.AddField(
            model_name="calendarlink",
            name="problem_reason",
            field=models.JSONField(blank=True, db_default={}, default=dict),
        ),
        migrations.RunPython(convert_links, migrations.RunPython.noop),
    ]
