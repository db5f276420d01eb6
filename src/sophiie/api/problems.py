"""Problems (RFC 9457): one shape for every error."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from sophiie.api.appointment_schemas import obstacle_out
from sophiie.api.series_schemas import in_the_way_out, question_out
from sophiie.appointments.errors import (
    Conflict,
    InvalidAppointment,
    NotHeld,
    Source,
    StaleRevision,
    TooBusy,
    TooManyHolds,
    UnknownAppointment,
)
from sophiie.customers.errors import InvalidCustomer, UnknownCustomer
from sophiie.resources.errors import InvalidResource, ResourceInUse, UnknownResource
from sophiie.series.errors import (
    CannotUndo,
    ClocksAsk,
    InvalidSeries,
    NotWaiting,
    UnknownSeries,
    VisitsInTheWay,
)
from sophiie.services.errors import InvalidService, UnknownService
from sophiie.waiting_list.errors import InvalidEntry, UnknownEntry

TYPE = "https://sophiie.invalid/problems/"
CONTENT_TYPE = "application/problem+json"
# The API nests fields that the form and the rules keep flat.
_FIELDS = {
    "customer_name": "customer.name",
    "customer_phone": "customer.phone",
    "customer_email": "customer.email",
}


class ProblemError(Exception):
    """An answer that ends the request."""

    def __init__(
        self, status: int, kind: str, title: str, detail: str, *, retry_after: int = 0, **more: Any
    ) -> None:
        self.status, self.kind, self.title, self.detail = status, kind, title, detail
        self.retry_after, self.more = retry_after, more
        super().__init__(title)

    def body(self) -> dict[str, Any]:
        return {
            "type": TYPE + self.kind,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            **self.more,
        }


def invalid(errors: dict[str, list[str]]) -> ProblemError:
    detail = "; ".join(f"{name}: {' '.join(texts)}" for name, texts in errors.items())
    return ProblemError(422, "invalid", "Some values are not valid", detail, errors=errors)


def not_found() -> ProblemError:
    return ProblemError(404, "not-found", "Not found", "There is nothing with this id.")


def conflict(error: Conflict) -> ProblemError:
    unknown = all(obstacle.source == Source.UNREADABLE for obstacle in error.obstacles)
    title = "Somebody is not free at this time"
    if error.obstacles and all(o.source == Source.RESOURCE for o in error.obstacles):
        title = "A resource is in use at this time"
    if error.obstacles and unknown:
        title = "It is not known whether this time is free"
    conflicts = [
        obstacle_out(obstacle).model_dump(mode="json", exclude_none=True)
        for obstacle in error.obstacles
    ]
    return ProblemError(409, "conflict", title, str(error), conflicts=conflicts)


def visits_in_the_way(error: VisitsInTheWay) -> ProblemError:
    visits = [in_the_way_out(visit).model_dump(mode="json") for visit in error.visits]
    title = "Not all visits are possible at their times"
    conflicts = [conflict for visit in visits for conflict in visit["conflicts"]]
    return ProblemError(
        409, "conflict", title, str(error), conflicts=conflicts, visits=visits, of=error.of
    )


def clocks_ask(error: ClocksAsk) -> ProblemError:
    """Nobody guesses: `questions` say which days it is about, `errors` what to send."""
    asked = {
        "clocks.skipped": "Choose leave_out, earlier or later.",
        "clocks.doubled": "Choose first or second.",
    }
    named = {"clocks.skipped": error.ask_skipped, "clocks.doubled": error.ask_doubled}
    return ProblemError(
        422,
        "clocks-ask",
        "The clocks skip or double a time of the series",
        str(error),
        errors={name: [asked[name]] for name, is_asked in named.items() if is_asked},
        questions=[question_out(one).model_dump(mode="json") for one in error.questions],
    )


def _of_series(error: Exception) -> ProblemError | None:
    match error:
        case InvalidSeries():
            return invalid({name: [text] for name, text in error.errors.items()})
        case UnknownSeries():
            return not_found()
        case ClocksAsk():
            return clocks_ask(error)
        case VisitsInTheWay():
            return visits_in_the_way(error)
        case NotWaiting():
            return ProblemError(409, "not-waiting", "No visit waits on this day", str(error))
        case CannotUndo():
            return ProblemError(409, "cannot-undo", "It cannot be undone", str(error))
    return None


def of_refusal(error: Exception) -> ProblemError:
    """The problem for a refusal of a business act."""
    if (problem := _of_series(error)) is not None:
        return problem
    match error:
        case InvalidCustomer() | InvalidService() | InvalidResource() | InvalidEntry():
            return invalid({name: [text] for name, text in error.errors.items()})
        case UnknownCustomer() | UnknownService() | UnknownResource() | UnknownEntry():
            return not_found()
        case ResourceInUse():
            return ProblemError(409, "in-use", "It is in use", str(error))
        case InvalidAppointment():
            return invalid({_FIELDS.get(name, name): [text] for name, text in error.errors.items()})
        case UnknownAppointment():
            return not_found()
        case StaleRevision():
            return ProblemError(
                412, "stale", "It was changed meanwhile", str(error), revision=error.current
            )
        case Conflict():
            return conflict(error)
        case NotHeld():
            return ProblemError(409, "not-held", "This is not a hold", str(error))
        case TooManyHolds():
            return ProblemError(
                429,
                "too-many-holds",
                "Too many holds",
                str(error),
                retry_after=error.retry_after,
                limit=error.limit,
            )
        case TooBusy():
            return ProblemError(503, "busy", "Too busy", str(error), retry_after=1)
    raise error


def answer(problem: ProblemError) -> HttpResponse:
    response = JsonResponse(problem.body(), status=problem.status, content_type=CONTENT_TYPE)
    if problem.retry_after:
        response["Retry-After"] = str(problem.retry_after)
    if problem.status == 401:
        response["WWW-Authenticate"] = "Bearer"
    return response


def on_wrong_method(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Replaces the view's bare 405 with a problem."""

    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        if response.status_code != 405:
            return response
        allowed = response["Allow"]
        refusal = answer(
            ProblemError(405, "method", "Method not allowed", f"This address answers {allowed}.")
        )
        refusal["Allow"] = allowed
        return refusal

    return answered


def install(api: NinjaAPI) -> None:
    """Turns every error of the API into a problem."""

    @api.exception_handler(ProblemError)
    def on_problem(request: HttpRequest, error: ProblemError) -> HttpResponse:
        return answer(error)

    for kind in (
        *(InvalidAppointment, UnknownAppointment, StaleRevision),
        *(Conflict, NotHeld, TooManyHolds, TooBusy, InvalidCustomer, UnknownCustomer),
        *(InvalidService, UnknownService),
        *(InvalidSeries, UnknownSeries, ClocksAsk, VisitsInTheWay, CannotUndo, NotWaiting),
        *(InvalidResource, UnknownResource, ResourceInUse, InvalidEntry, UnknownEntry),
    ):

        @api.exception_handler(kind)
        def on_refusal(request: HttpRequest, error: Exception) -> HttpResponse:
            return answer(of_refusal(error))

    @api.exception_handler(ValidationError)
    def on_invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
        return answer(invalid(_by_field(error.errors)))

    @api.exception_handler(AuthenticationError)
    def on_unknown_key(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
        return answer(
            ProblemError(
                401,
                "unauthorized",
                "An API key is needed",
                "Send “Authorization: Bearer <key>” with a valid key.",
            )
        )

    @api.exception_handler(HttpError)
    def on_http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
        detail = "The body is not valid JSON." if error.status_code == 400 else str(error)
        return answer(ProblemError(error.status_code, "http", "Bad request", detail))


def describe(schema: dict[str, Any]) -> None:
    """Gives the problems of an OpenAPI description their real content type."""
    for operations in schema["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    response["content"] = {CONTENT_TYPE: response["content"]["application/json"]}


def _by_field(errors: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Pydantic's errors under the names a caller used: ("body", "data", "title") is `title`."""
    found: dict[str, list[str]] = {}
    for error in errors:
        path = [str(part) for part in error["loc"]]
        if path[:1] in (["body"], ["query"], ["header"], ["path"]):
            path = path[1:]
        if path[:1] in (["data"], ["filters"]):
            path = path[1:]
        message = str(error["msg"]).removeprefix("Value error, ")
        found.setdefault(".".join(path) or "body", []).append(message)
    return found
