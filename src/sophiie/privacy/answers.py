"""Answers to API callers, which are stored so that a call can be repeated: removes a person from
them.

The answers themselves stay, with less in them: a caller that repeats its request must not book a
second time. The table belongs to the API, above this package, so it appears here by its name.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from sophiie.privacy.traces import Traces

ANSWERS = "api.IdempotentAnswer"
_OF_APPOINTMENT: dict[str, Any] = {"notes": "", "location": "", "customer": None}
_OF_RECORD: dict[str, Any] = {
    "email": "",
    "other_emails": [],
    "phones": [],
    "other_phones": [],
    "address": "",
    "notes": "",
}


def blank_customer_in_answers(
    business_id: UUID, traces: Traces, words: str, about: Collection[UUID] = ()
) -> None:
    """Removes a customer from the answers about these appointments and records, and from every
    text."""
    ids = {str(one) for one in about}

    def poorer(body: dict[str, Any]) -> Any:
        if body.get("id") in ids:
            body = {**body, **(_OF_APPOINTMENT if "title" in body else _OF_RECORD)}
            body |= {"title": words} if "title" in body else {"name": words}
        return traces.blank(body)

    meant = Q(body__id__in=sorted(ids))
    if traces:
        meant |= Q(text__iregex=traces.search)
    _rewrite(_answers_in(business_id).filter(meant), poorer)


def rename_in_answers(business_id: UUID, member_id: UUID, name: str, email: str) -> None:
    """Puts another name and address wherever an answer lists this member."""

    def renamed(value: Any) -> Any:
        if isinstance(value, list):
            return [renamed(item) for item in value]
        if not isinstance(value, dict):
            return value
        inside = {key: renamed(item) for key, item in value.items()}
        if inside.get("id") == str(member_id):  # an assignee
            inside |= {"name": name, "email": email}
        if inside.get("member_id") == str(member_id) and "event_id" in inside:  # their calendar
            inside |= {"calendar_id": "", "html_link": None}
        if "conflicts" in inside:  # the sentence names who is not free
            inside["detail"] = inside["title"]
        return inside

    _rewrite(_answers_in(business_id).filter(text__contains=str(member_id)), renamed)


def _answers_in(business_id: UUID) -> QuerySet[Any]:
    answers: QuerySet[Any] = (
        apps.get_model(ANSWERS)
        ._default_manager.filter(member__business=business_id, body__isnull=False)
        .alias(text=Cast("body", TextField()))
    )
    return answers


def _rewrite(answers: QuerySet[Any], change: Callable[[Any], Any]) -> None:
    for answer in answers.iterator(chunk_size=200):
        answer.body = change(answer.body)
        answer.save(update_fields=["body"])
