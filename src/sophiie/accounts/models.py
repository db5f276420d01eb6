"""Business, Member, Invitation, ApiKey; waiting mails; the rows that limits are counted in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower

from sophiie.common.ids import new_id


class Clock(models.TextChoices):
    """How times are written for people."""

    TWENTY_FOUR = "24", "14:30"
    TWELVE = "12", "2:30 pm"


class WeekStart(models.IntegerChoices):
    """The first day of a week, as ISO counts them."""

    MONDAY = 1, "Monday"
    SATURDAY = 6, "Saturday"
    SUNDAY = 7, "Sunday"


class Business(models.Model):
    """The tenant. Nothing of one business is ever visible to another."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=200)
    timezone = models.CharField(max_length=64, help_text="IANA name, e.g. Australia/Sydney")
    created_at = models.DateTimeField(auto_now_add=True)
    # Assignees who have not linked a calendar are guests of a colleague's event.
    invite_guests = models.BooleanField(default=True, db_default=True)
    # Whether plain members may have all of the business's appointments in their own Google
    # calendar. Businesses that are older than the question have it answered with yes.
    members_may_mirror_all = models.BooleanField(default=False, db_default=False)
    clock = models.CharField(
        max_length=2,
        choices=Clock.choices,
        default=Clock.TWENTY_FOUR,
        db_default=Clock.TWENTY_FOUR,
    )
    week_start = models.PositiveSmallIntegerField(
        choices=WeekStart.choices, default=WeekStart.MONDAY, db_default=WeekStart.MONDAY
    )

    # When the whole business will be deleted, for the banner on every page. An `Erasure` says what
    # happens then.
    to_be_deleted_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    OWNER = "owner", "Owner"
    ADMIN = "admin", "Admin"
    MEMBER = "member", "Member"


class MemberManager(BaseUserManager["Member"]):
    """Makes members; email addresses are compared without regard to case."""

    def get_by_natural_key(self, username: str | None) -> Member:
        return self.get(email__iexact=username or "")

    def create_member(
        self, *, business: Business, email: str, name: str, role: str, password: str | None
    ) -> Member:
        member = self.model(
            business=business, email=email.strip().lower(), name=name.strip(), role=role
        )
        member.set_password(password)
        member.save(using=self._db)
        return member


class Member(AbstractBaseUser):
    """A person who signs in. Belongs to one business."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    business = models.ForeignKey(Business, on_delete=models.PROTECT, related_name="members")
    email = models.EmailField(max_length=254)
    name = models.CharField(max_length=200)
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.MEMBER)
    is_active = models.BooleanField(default=True)
    # When the member was last deactivated; stays when they come back, see `get_session_auth_hash`.
    deactivated_at = models.DateTimeField(null=True, blank=True)
    # When everything known of the person was erased. The row stays for what they did.
    erased_at = models.DateTimeField(null=True, blank=True)
    # Former names under which histories may mention the person, so that they can be erased there
    # too.
    former_names = models.JSONField(default=list, blank=True, db_default=[])
    date_joined = models.DateTimeField(auto_now_add=True)
    # Empty: what the browser asks for, and the clock of the business.
    language = models.CharField(max_length=10, blank=True, default="", db_default="")
    clock = models.CharField(
        max_length=2, choices=Clock.choices, blank=True, default="", db_default=""
    )
    week_numbers = models.BooleanField(default=False, db_default=False)
    # When the person dismissed the first steps; they do not come back.
    first_steps_done_at = models.DateTimeField(null=True, blank=True)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    objects: ClassVar[MemberManager] = MemberManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("email"), name="member_email_unique"),
        ]
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name

    @property
    def manages_business(self) -> bool:
        """Owners and admins see the team's state and may override what protects it."""
        return self.role in (Role.OWNER, Role.ADMIN)

    @property
    def reads_twelve_hours(self) -> bool:
        """Whether this member is shown 2:30 pm rather than 14:30."""
        return (self.clock or self.business.clock) == Clock.TWELVE

    def get_session_auth_hash(self) -> str:
        """Ties a session to this member. A deactivation ends all sessions for good: a reactivated
        member signs in again, and a lost phone stays signed out."""
        return super().get_session_auth_hash() + self._sessions_since()

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        for known in super().get_session_auth_fallback_hash():
            yield known + self._sessions_since()

    def _sessions_since(self) -> str:
        return self.deactivated_at.isoformat() if self.deactivated_at else ""

    # Sophiie uses no Django permissions; these two answers keep library code that asks for them
    # safe.
    def has_perm(self, perm: str, obj: Any = None) -> bool:
        return False

    def has_module_perms(self, app_label: str) -> bool:
        return False


class Invitation(models.Model):
    """Somebody who may become a member by a link that works once. Only its digest is stored."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    business = models.ForeignKey(Business, on_delete=models.PROTECT, related_name="invitations")
    email = models.EmailField(max_length=254)
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.MEMBER)
    digest = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint("business", Lower("email"), name="one_invitation_per_person"),
        ]
        ordering = ["created_at", "id"]

    def __repr__(self) -> str:
        return f"<Invitation {self.id}>"


class ApiKey(models.Model):
    """A key that acts as its member. Only a digest of its secret is stored."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="api_keys")
    prefix = models.CharField(max_length=16, unique=True)
    digest = models.CharField(max_length=64)
    name = models.CharField(max_length=100, blank=True, default="", db_default="")
    created_at = models.DateTimeField(auto_now_add=True)
    # To the hour, so that a call does not cost a write.
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)


class MailKind(models.TextChoices):
    """What a mail is about; its text is made when it leaves."""

    RESET = "reset"
    SIGN_UP = "sign_up"
    INVITATION = "invitation"
    NEW_ADDRESS = "new_address"
    ADDRESS_CHANGED = "address_changed"


class OutgoingMail(models.Model):
    """A mail that the worker will send: what it is about, never its text or its link's secret,
    which are made when it leaves. The row goes when the mail has left."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=20, choices=MailKind.choices)
    to = models.EmailField(max_length=254)
    # The member or invitation that it is about.
    about = models.UUIDField(null=True, blank=True)
    language = models.CharField(max_length=10)
    created_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(db_index=True)


class Attempts(models.Model):
    """An entry of the cache in which the sign-in library counts attempts; see `attempts`."""

    name = models.CharField(max_length=64, primary_key=True)
    value = models.JSONField()
    expires_at = models.DateTimeField(db_index=True)


class Allowance(models.Model):
    """A bucket that is not full; see `limits`."""

    name = models.CharField(max_length=64, primary_key=True)
    full_at = models.DateTimeField(db_index=True)


class KnownAddress(models.Model):
    """A network address from which a member signed in; only a digest of it."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64)
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["member", "digest"], name="address_known_once"),
        ]
