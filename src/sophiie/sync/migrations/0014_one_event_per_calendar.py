from django.db import migrations


class Migration(migrations.Migration):
    """Members of one business who show the same calendar had an event each there: whose it is from
    now on is looked at by the workers, in every business that mirrors anything."""

    dependencies = [("sync", "0013_optional_parts_due")]

    operations = [
        migrations.RunSQL(
            """
            INSERT INTO sync_guestreview (business_id, asked_at)
            SELECT DISTINCT member.business_id, now()
            FROM calendar_link_calendarlink link
            JOIN accounts_member member ON member.id = link.member_id
            WHERE link.state <> 'unlinked'
            ON CONFLICT DO NOTHING
            """,
            migrations.RunSQL.noop,
        ),
    ]
