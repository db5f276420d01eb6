import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations, models

import sophiie.common.ids


class Migration(migrations.Migration):
    """Customers, and the indexes by which they are found: by name, by address or number, and by any
    part of what is known of them."""

    initial = True

    dependencies = [
        ("accounts", "0007_erasure"),
    ]

    operations = [
        TrigramExtension(),
        migrations.CreateModel(
            name="Customer",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=sophiie.common.ids.new_id,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.CharField(blank=True, default="", max_length=200)),
                (
                    "phones",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), blank=True, default=list, size=None
                    ),
                ),
                (
                    "other_phones",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), blank=True, default=list, size=None
                    ),
                ),
                (
                    "emails",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), blank=True, default=list, size=None
                    ),
                ),
                ("address", models.CharField(blank=True, default="", max_length=500)),
                ("notes", models.TextField(blank=True, default="", max_length=5000)),
                ("created_at", models.DateTimeField()),
                ("updated_at", models.DateTimeField()),
                (
                    "name_key",
                    models.TextField(blank=True, db_collation="C", default="", editable=False),
                ),
                (
                    "reach",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(),
                        blank=True,
                        default=list,
                        editable=False,
                        size=None,
                    ),
                ),
                ("search", models.TextField(blank=True, default="", editable=False)),
                (
                    "business",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.business",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="FormerId",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="former_ids",
                        to="customers.customer",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(fields=["business", "name_key", "id"], name="customer_by_name"),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=django.contrib.postgres.indexes.GinIndex(
                fields=["reach"], fastupdate=False, name="customer_by_reach"
            ),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.indexes.OpClass("search", name="gin_trgm_ops"),
                name="customer_by_words",
            ),
        ),
    ]
