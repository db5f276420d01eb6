import django.db.models.deletion
from django.db import migrations, models

_GONE_WITH = """
    ALTER TABLE customers_notthesame ADD CONSTRAINT not_the_same_{side}
    FOREIGN KEY ({side}_id) REFERENCES customers_customer (id) ON DELETE CASCADE
"""


class Migration(migrations.Migration):
    """Pairs of customers who are two although they look like one.

    The version that runs beside this migration does not know the table and deletes and merges
    customers as ever, so it is the database that deletes their rows here.
    """

    dependencies = [("customers", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="NotTheSame",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("said_at", models.DateTimeField()),
                (
                    "first",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="customers.customer",
                    ),
                ),
                (
                    "second",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="customers.customer",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("first", "second"), name="not_the_same_once"),
                    models.CheckConstraint(
                        condition=models.Q(("first__lt", models.F("second"))),
                        name="not_the_same_in_order",
                    ),
                ],
            },
        ),
        *(
            migrations.RunSQL(
                _GONE_WITH.format(side=side),
                f"ALTER TABLE customers_notthesame DROP CONSTRAINT not_the_same_{side}",
            )
            for side in ("first", "second")
        ),
    ]
