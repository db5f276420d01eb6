"""Google's refusals and their two JSON shapes (facts 7.1), as exceptions.

Refusal
├── BackendError    Calendar itself refused; no `status` key
├── FrontEndError   the layer before it (credentials' scope, API not enabled); with `status`
└── OAuthError      the token endpoint and its neighbours
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any


class Refusal(Exception):
    """An answer that is no success: `status`, `reason` and `body()`."""

    status: int
    reason: str

    def body(self) -> dict[str, Any]:
        """The JSON that is sent."""
        raise NotImplementedError


@dataclass(eq=False)
class BackendError(Refusal):
    """Calendar itself refuses."""

    status: int
    reason: str
    message: str
    _: KW_ONLY
    domain: str = "global"
    location: str | None = None
    location_type: str = "parameter"
    retry_after: int | None = None

    def body(self) -> dict[str, Any]:
        """One item in `errors`, and no `status`."""
        item = {"domain": self.domain, "reason": self.reason, "message": self.message}
        if self.location:
            item |= {"locationType": self.location_type, "location": self.location}
        return {"error": {"errors": [item], "code": self.status, "message": self.message}}


@dataclass(eq=False)
class FrontEndError(Refusal):
    """The layer before Calendar refuses."""

    status: int
    reason: str
    message: str
    _: KW_ONLY
    item_message: str
    status_name: str
    domain: str = "global"
    location: str | None = None
    info: dict[str, Any] | None = None
    retry_after: int | None = None

    def body(self) -> dict[str, Any]:
        """With `status`, and `details` where there are any."""
        item = {"message": self.item_message, "domain": self.domain, "reason": self.reason}
        if self.location:
            item |= {"location": self.location, "locationType": "header"}
        error: dict[str, Any] = {
            "code": self.status,
            "message": self.message,
            "errors": [item],
            "status": self.status_name,
        }
        if self.info:
            error["details"] = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", **self.info}]
        return {"error": error}


class OAuthError(Refusal):
    """`{"error": ..., "error_description": ...}` (facts 1.8)."""

    def __init__(
        self,
        error: str,
        description: str | None = None,
        *,
        status: int = 400,
        subtype: str | None = None,
        uri: str | None = None,
    ) -> None:
        super().__init__(error)
        self.status = status
        self.reason = error
        self.about = {
            "error_description": description,
            "error_uri": uri,
            "error_subtype": subtype,
        }

    def body(self) -> dict[str, Any]:
        """The error and what is known about it."""
        return {"error": self.reason} | {name: text for name, text in self.about.items() if text}


def not_found() -> BackendError:
    """404: not there, or not for this user."""
    return BackendError(404, "notFound", "Not Found")


def duplicate() -> BackendError:
    """409: the id is taken, if only by a deleted event."""
    return BackendError(409, "duplicate", "The requested identifier already exists.")


def already_deleted() -> BackendError:
    """410: it was deleted before."""
    return BackendError(410, "deleted", "Resource has been deleted")


def forbidden() -> BackendError:
    """403 without further explanation."""
    return BackendError(403, "forbidden", "Forbidden")


def precondition_failed() -> BackendError:
    """412: `If-Match` names another version."""
    return BackendError(
        412,
        "conditionNotMet",
        "Precondition Failed",
        location="If-Match",
        location_type="header",
    )


def writer_needed() -> BackendError:
    """403: the role does not write."""
    return BackendError(
        403,
        "requiredAccessLevel",
        "You need to have writer access to this calendar.",
        domain="calendar",
    )


def owner_needed() -> BackendError:
    """403: the role does not own."""
    return BackendError(
        403,
        "requiredAccessLevel",
        "You need to have owner access to this calendar.",
        domain="calendar",
    )


def invalid(message: str, location: str | None = None) -> BackendError:
    """400: a value makes no sense."""
    return BackendError(400, "invalid", message, location=location)


def invalid_parameter(name: str, value: str) -> BackendError:
    """400: a parameter of the address makes no sense."""
    return BackendError(
        400, "invalidParameter", f"Invalid value '{value}' for parameter {name}.", location=name
    )


def invalid_selection(names: str) -> BackendError:
    """The `fields` selector names something that the answer cannot have (facts 7.6)."""
    return BackendError(
        400, "invalidParameter", f"Invalid field selection {names}", location="fields"
    )


def required(message: str) -> BackendError:
    """400: something is missing."""
    return BackendError(400, "required", message)


def bad_request(message: str = "Bad Request") -> BackendError:
    """400: the request as a whole makes no sense."""
    return BackendError(400, "badRequest", message)


def parse_error() -> BackendError:
    """400: the body is no JSON object."""
    return BackendError(400, "parseError", "Parse Error")


def empty_time_range(location: str = "timeMax") -> BackendError:
    """400: it ends before it begins."""
    return BackendError(
        400,
        "timeRangeEmpty",
        "The specified time range is empty.",
        domain="calendar",
        location=location,
    )


def full_sync_required() -> BackendError:
    """410: the sync token is of no use any more."""
    return BackendError(
        410,
        "fullSyncRequired",
        "Sync token is no longer valid, a full sync is required.",
        domain="calendar",
        location="syncToken",
    )


_EXPECTED = (
    "Expected OAuth 2 access token, login cookie or other valid authentication credential. See"
    " https://developers.google.com/identity/sign-in/web/devconsole-project."
)


def login_required(form: str = "front-end") -> Refusal:
    """401: no credentials at all."""
    if form == "backend":
        return _unauthorized_by_backend("required", "Login Required.")
    return _unauthorized(
        "required",
        f"Request is missing required authentication credential. {_EXPECTED}",
        "Login Required.",
        "CREDENTIALS_MISSING",
    )


def invalid_credentials(form: str = "front-end") -> Refusal:
    """401: an access token that is unknown, over or taken back."""
    if form == "backend":
        return _unauthorized_by_backend("authError", "Invalid Credentials")
    return _unauthorized(
        "authError",
        f"Request had invalid authentication credentials. {_EXPECTED}",
        "Invalid Credentials",
        "ACCESS_TOKEN_EXPIRED",
    )


def _unauthorized(reason: str, message: str, item_message: str, detail: str) -> FrontEndError:
    return FrontEndError(
        401,
        reason,
        message,
        item_message=item_message,
        status_name="UNAUTHENTICATED",
        location="Authorization",
        info={
            "reason": detail,
            "domain": "googleapis.com",
            "metadata": {"service": "calendar-json.googleapis.com"},
        },
    )


def _unauthorized_by_backend(reason: str, message: str) -> BackendError:
    return BackendError(401, reason, message, location="Authorization", location_type="header")


def quota_exceeded(message: str = "Calendar usage limits exceeded.") -> BackendError:
    """403 for hours: the account's calendars, or its invitations alone (facts 7.2)."""
    return BackendError(403, "quotaExceeded", message, domain="usageLimits")


def insufficient_scopes(method: str) -> FrontEndError:
    """`method` is the discovery id; the front end spells `calendar.v3.Events.List`."""
    _, resource, verb = method.split(".")
    return FrontEndError(
        403,
        "insufficientPermissions",
        "Request had insufficient authentication scopes.",
        item_message="Insufficient Permission",
        status_name="PERMISSION_DENIED",
        info={
            "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
            "domain": "googleapis.com",
            "metadata": {
                "service": "calendar-json.googleapis.com",
                "method": f"calendar.v3.{_capital(resource)}.{_capital(verb)}",
            },
        },
    )


def api_not_enabled(project: str) -> FrontEndError:
    """403: the project has not switched Calendar on."""
    message = (
        f"Google Calendar API has not been used in project {project} before or it is disabled."
    )
    return FrontEndError(
        403,
        "accessNotConfigured",
        message,
        item_message=message,
        status_name="PERMISSION_DENIED",
        domain="usageLimits",
        info={"reason": "SERVICE_DISABLED", "domain": "googleapis.com"},
    )


def not_simulated(method: str) -> BackendError:
    """501: Google has this method, the simulator has not."""
    return BackendError(
        501, "notImplemented", f"{method} is not simulated (see docs/reference/simulator-facts.md)."
    )


def _capital(word: str) -> str:
    return word[0].upper() + word[1:]
