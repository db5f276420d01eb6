from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sync", "0011_refused_events")]

    operations = [
        migrations.AddField(
            model_name="mirroredevent",
            name="drift_fields",
            field=models.JSONField(blank=True, db_default={}, default=dict),
        ),
        migrations.AddField(
            model_name="mirroredevent",
            name="shown_fields",
            field=models.JSONField(blank=True, db_default={}, default=dict),
        ),
        migrations.AddField(
            model_name="mirroredevent",
            name="left_out",
            field=models.JSONField(blank=True, db_default={}, default=dict),
        ),
        migrations.AddField(
            model_name="mirroredevent",
            name="left_out_next_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="mirroredevent",
            name="series_may_go",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="mirroredevent",
            name="hosted_elsewhere",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AlterField(
            model_name="mirroredevent",
            name="drift_kind",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "Nothing"),
                    ("edited", "Changed in Google"),
                    ("deleted", "Deleted in Google"),
                    ("still_there", "Still in Google"),
                ],
                db_default="",
                default="",
                max_length=11,
            ),
        ),
    ]
