"""Customer, the ids that merged ones had, and who is not the same as whom."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models

from sophiie.common.ids import new_id
from sophiie.customers.keys import MAX_KEY, folded, reach_of, search_text
from sophiie.customers.phones import shown

NAME_LENGTH = 200
PHONE_LENGTH = 50
EMAIL_LENGTH = 254
ADDRESS_LENGTH = 500
NOTES_LENGTH = 5000


class Customer(models.Model):
    """A person or firm for whom appointments are made.

    An appointment keeps the words that it was told when it was booked; these here are what is known
    today.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    business = models.ForeignKey(
        "accounts.Business", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    name = models.CharField(max_length=NAME_LENGTH, blank=True, default="")
    # In E.164, and as typed what cannot be read as a number.
    phones = ArrayField(models.TextField(), blank=True, default=list)
    other_phones = ArrayField(models.TextField(), blank=True, default=list)
    # The first is the one to write to.
    emails = ArrayField(models.TextField(), blank=True, default=list)
    address = models.CharField(max_length=ADDRESS_LENGTH, blank=True, default="")
    notes = models.TextField(max_length=NOTES_LENGTH, blank=True, default="")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    # Made of the above for the indexes, by `fill_keys`.
    name_key = models.TextField(blank=True, default="", db_collation="C", editable=False)
    reach = ArrayField(models.TextField(), blank=True, default=list, editable=False)
    search = models.TextField(blank=True, default="", editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["business", "name_key", "id"], name="customer_by_name"),
            # Every booking asks it, and few make a customer: nothing waits in a list to be read.
            GinIndex(fields=["reach"], name="customer_by_reach", fastupdate=False),
            GinIndex(OpClass("search", name="gin_trgm_ops"), name="customer_by_words"),
        ]

    def __str__(self) -> str:
        return self.called

    @property
    def email(self) -> str:
        return self.emails[0] if self.emails else ""

    @property
    def phone(self) -> str:
        """The number to call, or what stands in its place."""
        return next(iter([*self.phones, *self.other_phones]), "")

    @property
    def called(self) -> str:
        """The name, or else a way to reach them."""
        return self.name or self.email or shown(self.phone)

    def fill_keys(self) -> None:
        """Works out what the indexes are about. Call it before every save."""
        self.name_key = folded(self.name)[:MAX_KEY]
        self.reach = reach_of(self.emails, self.phones, self.other_phones)
        self.search = search_text(
            [self.name, *self.emails, self.address, self.notes], self.phones, self.other_phones
        )


class FormerId(models.Model):
    """The id of a customer that was merged into another: whoever stored it is led there."""

    id = models.UUIDField(primary_key=True)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="former_ids")


class NotTheSame(models.Model):
    """Two customers who look like one, and somebody said that they are two. Each pair once, the
    smaller id first.

    The database deletes the row with either customer, whoever deletes that one: the version before
    this table, too.
    """

    first = models.ForeignKey(
        Customer, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    second = models.ForeignKey(
        Customer, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False
    )
    said_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="not_the_same_once"),
            models.CheckConstraint(
                condition=models.Q(first__lt=models.F("second")), name="not_the_same_in_order"
            ),
        ]
