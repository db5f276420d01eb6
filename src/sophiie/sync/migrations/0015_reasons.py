from django.db import migrations, models

from sophiie.common.old_sentences import convert


def convert_events_and_calendars(apps, schema_editor):
    convert(apps.get_model("sync", "MirroredEvent"), "error")
    convert(apps.get_model("sync", "WatchedCalendar"), "error")
    convert(apps.get_model("sync", "WatchedCalendar"), "push_problem")


class Migration(migrations.Migration):
    """Reasons are stored as codes with their values, no longer as English sentences.

    Runs while the old version serves. The sentences stay: the old version reads and writes them,
    the new one writes both columns and lets the code count only beside its own sentence, so what
    the old one writes meanwhile is shown as it stands. The release after this one converts what is
    left and drops the columns with the sentences.

    Of each calendar also its title is stored, so that a new one is noticed.
    """

    dependencies = [("sync", "0014_one_event_per_calendar")]

    operations = [
        migrations.AddField(
            model_name="mirroredevent",
            name="error_reason",
            field=models.JSONField(blank=True, db_default={}, default=dict),
        ),
        migrations.AddField(
            model_name="watchedcalendar",
            name="error_reason",
            field=models.JSONField(blank=True, db_default={}, default=dict),
        ),
        migrations.AddField(
            model_name="watchedcalendar",
            name="push_problem_reason",
            field=models.JSONField(blank=True, db_default={}, default=dict),
        ),
        migrations.AddField(
            model_name="watchedcalendar",
            name="title",
            field=models.CharField(blank=True, db_default="", default="", max_length=500),
        ),
        migrations.RunPython(convert_events_and_calendars, migrations.RunPython.noop),
    ]
