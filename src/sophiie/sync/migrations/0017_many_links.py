from django.db import migrations, models

from sophiie.common.add_index import AddIndexBesideWork


class Migration(migrations.Migration):
    # The tables are written to all the time, also while this runs.
    atomic = False

    dependencies = [("sync", "0016_thrifty_reading")]

    operations = [
        AddIndexBesideWork(
            model_name="mirroredevent",
            index=models.Index(
                condition=models.Q(("hosted_elsewhere", False), ("state", "pending")),
                fields=["next_attempt_at", "link"],
                name="mirrored_event_due_at",
            ),
        ),
        AddIndexBesideWork(
            model_name="mirroredevent",
            index=models.Index(
                condition=models.Q(("state__in", ("pending", "failed"))),
                fields=["updated_at"],
                name="mirrored_event_written",
            ),
        ),
        AddIndexBesideWork(
            model_name="pushchannel",
            index=models.Index(fields=["expires_at"], name="push_channel_ends"),
        ),
        AddIndexBesideWork(
            model_name="syncattempt",
            index=models.Index(
                condition=models.Q(("reason", "refusedByGuard")),
                fields=["at"],
                name="sync_attempt_guarded",
            ),
        ),
        AddIndexBesideWork(
            model_name="watchedcalendar",
            index=models.Index(fields=["next_read_at"], name="watched_calendar_due"),
        ),
        AddIndexBesideWork(
            model_name="watchedcalendar",
            index=models.Index(
                condition=models.Q(("unwatchable", False)),
                fields=["push_next_at"],
                name="watched_calendar_push_due",
            ),
        ),
    ]
