# The service that somebody waits for.

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("services", "0001_initial"),
        ("waiting_list", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="waitingentry",
            name="service",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="services.service",
            ),
        ),
    ]
