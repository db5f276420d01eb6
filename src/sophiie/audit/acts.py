"""The acts that are recorded, by their stable codes, and the groups by which people filter them.

Never change a code: old entries carry it.
"""

from __future__ import annotations

from enum import StrEnum


class Act(StrEnum):
    SIGNED_IN = "member.signed_in"
    SIGN_IN_FAILED = "member.sign_in_failed"
    SIGNED_OUT = "member.signed_out"
    PASSWORD_CHANGED = "password.changed"  # noqa: S105 - a code, not a password
    PASSWORD_RESET = "password.reset"  # noqa: S105
    EMAIL_CHANGED = "email.changed"
    TWO_FACTOR_ON = "two_factor.on"
    TWO_FACTOR_OFF = "two_factor.off"
    RECOVERY_CODES_MADE = "recovery_codes.made"
    RECOVERY_CODE_USED = "recovery_code.used"

    BUSINESS_CREATED = "business.created"
    MEMBER_ADDED = "member.added"
    MEMBER_DEACTIVATED = "member.deactivated"
    MEMBER_REACTIVATED = "member.reactivated"
    ROLE_CHANGED = "role.changed"
    INVITATION_MADE = "invitation.made"
    INVITATION_WITHDRAWN = "invitation.withdrawn"
    INVITATION_ACCEPTED = "invitation.accepted"

    API_KEY_MADE = "api_key.made"
    API_KEY_REVOKED = "api_key.revoked"

    LINK_CONNECTED = "link.connected"
    LINK_RECONNECTED = "link.reconnected"
    LINK_CHOSEN = "link.chosen"
    LINK_CHANGED = "link.changed"
    LINK_BROKEN = "link.broken"
    LINK_UNLINKING = "link.unlinking"
    LINK_UNLINKED = "link.unlinked"

    BUSINESS_CHANGED = "business.changed"
    PROFILE_CHANGED = "profile.changed"
    HOURS_CHANGED = "hours.changed"
    RULES_CHANGED = "rules.changed"
    DAYS_ADDED = "days.added"
    DAYS_REMOVED = "days.removed"
    SERVICE_MADE = "service.made"
    SERVICE_CHANGED = "service.changed"
    SERVICE_DELETED = "service.deleted"
    RESOURCE_MADE = "resource.made"
    RESOURCE_CHANGED = "resource.changed"
    RESOURCE_DELETED = "resource.deleted"

    BOOKED_ANYWAY = "appointment.booked_anyway"
    APPOINTMENT_DELETED = "appointment.deleted"
    SERIES_MADE = "series.made"
    SERIES_CHANGED = "series.changed"
    SERIES_ENDED = "series.ended"
    SERIES_DELETED = "series.deleted"
    SERIES_UNDONE = "series.undone"
    DRIFT_PUT_BACK = "drift.put_back"
    DRIFT_ACCEPTED = "drift.accepted"

    CUSTOMERS_MERGED = "customer.merged"
    CUSTOMER_DELETED = "customer.deleted"
    CUSTOMERS_IMPORTED = "customer.imported"
    CUSTOMERS_EXPORTED = "customer.exported"

    CUSTOMER_ERASED = "customer.erased"
    MEMBER_ERASURE_REQUESTED = "member.erasure_requested"
    MEMBER_ERASURE_CALLED_OFF = "member.erasure_called_off"
    MEMBER_ERASED = "member.erased"
    BUSINESS_DELETION_REQUESTED = "business.deletion_requested"
    BUSINESS_DELETION_CALLED_OFF = "business.deletion_called_off"
    BUSINESS_ERASED = "business.erased"
    DATA_EXPORTED = "data.exported"
    KEYS_ROTATED = "keys.rotated"
    LOG_EXPORTED = "audit.exported"
    # The database itself writes these; see migrations/0002_append_only.py.
    LOG_PRUNED = "audit.pruned"
    PERSON_FORGOTTEN = "audit.person_forgotten"
    BUSINESS_FORGOTTEN = "audit.business_forgotten"


class Group(StrEnum):
    SIGN_IN = "sign-in"
    TEAM = "team"
    KEYS = "keys"
    CALENDAR = "calendar"
    SETTINGS = "settings"
    APPOINTMENTS = "appointments"
    CUSTOMERS = "customers"
    DATA = "data"


ACTS_OF: dict[Group, tuple[Act, ...]] = {
    Group.SIGN_IN: (
        Act.SIGNED_IN,
        Act.SIGN_IN_FAILED,
        Act.SIGNED_OUT,
        Act.PASSWORD_CHANGED,
        Act.PASSWORD_RESET,
        Act.EMAIL_CHANGED,
        Act.TWO_FACTOR_ON,
        Act.TWO_FACTOR_OFF,
        Act.RECOVERY_CODES_MADE,
        Act.RECOVERY_CODE_USED,
    ),
    Group.TEAM: (
        Act.BUSINESS_CREATED,
        Act.MEMBER_ADDED,
        Act.MEMBER_DEACTIVATED,
        Act.MEMBER_REACTIVATED,
        Act.ROLE_CHANGED,
        Act.INVITATION_MADE,
        Act.INVITATION_WITHDRAWN,
        Act.INVITATION_ACCEPTED,
    ),
    Group.KEYS: (Act.API_KEY_MADE, Act.API_KEY_REVOKED),
    Group.CALENDAR: (
        Act.LINK_CONNECTED,
        Act.LINK_RECONNECTED,
        Act.LINK_CHOSEN,
        Act.LINK_CHANGED,
        Act.LINK_BROKEN,
        Act.LINK_UNLINKING,
        Act.LINK_UNLINKED,
    ),
    Group.SETTINGS: (
        Act.BUSINESS_CHANGED,
        Act.PROFILE_CHANGED,
        Act.HOURS_CHANGED,
        Act.RULES_CHANGED,
        Act.DAYS_ADDED,
        Act.DAYS_REMOVED,
        Act.SERVICE_MADE,
        Act.SERVICE_CHANGED,
        Act.SERVICE_DELETED,
        Act.RESOURCE_MADE,
        Act.RESOURCE_CHANGED,
        Act.RESOURCE_DELETED,
    ),
    Group.APPOINTMENTS: (
        Act.BOOKED_ANYWAY,
        Act.APPOINTMENT_DELETED,
        Act.SERIES_MADE,
        Act.SERIES_CHANGED,
        Act.SERIES_ENDED,
        Act.SERIES_DELETED,
        Act.SERIES_UNDONE,
        Act.DRIFT_PUT_BACK,
        Act.DRIFT_ACCEPTED,
    ),
    Group.CUSTOMERS: (
        Act.CUSTOMERS_MERGED,
        Act.CUSTOMER_DELETED,
        Act.CUSTOMERS_IMPORTED,
        Act.CUSTOMERS_EXPORTED,
    ),
    Group.DATA: (
        Act.CUSTOMER_ERASED,
        Act.MEMBER_ERASURE_REQUESTED,
        Act.MEMBER_ERASURE_CALLED_OFF,
        Act.MEMBER_ERASED,
        Act.BUSINESS_DELETION_REQUESTED,
        Act.BUSINESS_DELETION_CALLED_OFF,
        Act.BUSINESS_ERASED,
        Act.DATA_EXPORTED,
        Act.KEYS_ROTATED,
        Act.LOG_EXPORTED,
        Act.LOG_PRUNED,
        Act.PERSON_FORGOTTEN,
        Act.BUSINESS_FORGOTTEN,
    ),
}
