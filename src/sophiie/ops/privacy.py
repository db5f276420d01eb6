"""The commands `erase` and `export`."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Q

from sophiie import audit
from sophiie.accounts.models import Member
from sophiie.accounts.people import NotAllowed
from sophiie.appointments.models import Appointment, Assignment
from sophiie.calendar_link.connect import link_of
from sophiie.common.clock import now
from sophiie.ops.errors import CommandError
from sophiie.ops.people import business_called
from sophiie.privacy import businesses, customers, export, members
from sophiie.privacy.identity import Identity, UnknownCustomer, identify
from sophiie.privacy.places import Folder, NotEmpty

ADD_YES = "Nothing was erased. Add --yes to erase it for good."
GOES_ON = (
    "Signed out everywhere. The worker does the rest; upcoming events that are to be removed from "
    "Google are waited for, a day at most."
)


def erase_customer(who: str, *, inside: str, keep_upcoming: bool, yes: bool) -> str:
    identity = _customer(who, inside)
    found = customers.preview_customer(identity)
    if found.nothing:
        return "Nothing is known of this customer."
    lines = _about_customer(found, keep_upcoming=keep_upcoming)
    if not yes:
        return "\n".join([*lines, ADD_YES])
    with audit.by_command("erase"):
        done = customers.erase_customer(by=None, identity=identity, keep_upcoming=keep_upcoming)
    ending = "Erased." if done.finished else "Begun; the worker does the rest."
    return "\n".join([*lines, f"{ending} Google is told by the worker."])


def erase_member(email: str, *, remove_events: bool, yes: bool) -> str:
    member = _member(email)
    ahead = Q(appointment__end__gt=now(), appointment__deleted_at=None)
    counts = Assignment.objects.filter(member=member).aggregate(
        all=Count("pk"), ahead=Count("pk", filter=ahead)
    )
    lines = [
        f"{member.name} ({member.email}), {member.role} of {member.business.name}",
        f"- {counts['all']} appointments, {counts['ahead']} of them ahead: they stay, "
        "with “Former member” in place of the name",
        "- sign-in, API keys, working hours, busy times: erased",
        f"- link to Google: {_about_links(int(link_of(member) is not None), remove_events)}",
    ]
    if not yes:
        return "\n".join([*lines, ADD_YES])
    try:
        with audit.by_command("erase"):
            done = members.erase_member_now(member, remove_events=remove_events)
    except NotAllowed as refusal:
        raise CommandError(str(refusal)) from None
    return "\n".join([*lines, "Erased." if done else GOES_ON])


def erase_business(name: str, *, remove_events: bool, yes: bool) -> str:
    business = business_called(name)
    people = Member.objects.filter(business=business, erased_at=None)
    links = sum(link_of(member) is not None for member in people)
    lines = [
        f"{business.name} ({business.id})",
        f"- {people.count()} members, "
        f"{Appointment.objects.filter(business=business).count()} appointments with their "
        "customers and histories: erased",
        f"- links to Google: {_about_links(links, remove_events)}",
    ]
    if not yes:
        return "\n".join([*lines, ADD_YES])
    with audit.by_command("erase"):
        done = businesses.delete_business_now(business, remove_events=remove_events)
    return "\n".join([*lines, "Erased." if done else GOES_ON])


def export_customer(who: str, folder: Path, *, inside: str) -> str:
    identity = _customer(who, inside)
    if customers.preview_customer(identity).nothing:
        raise CommandError("Nothing is known of this customer.")
    export.export_customer(identity, _folder(folder))
    _record_export(identity.business_id, audit.Subject("customer"))
    return f"Written to {folder}."


def export_member(email: str, folder: Path) -> str:
    member = _member(email)
    export.export_member(member, _folder(folder))
    _record_export(member.business_id, audit.Subject("member", member.id, member.name))
    return f"Written to {folder}."


def export_business(name: str, folder: Path) -> str:
    business = business_called(name)
    export.export_business(business, _folder(folder))
    _record_export(business.id, audit.Subject("business", business.id, business.name))
    return f"Written to {folder}."


def _record_export(business_id: UUID, subject: audit.Subject) -> None:
    with audit.by_command("export"), transaction.atomic():
        audit.record(act=audit.Act.DATA_EXPORTED, business_id=business_id, subject=subject)


def _about_customer(found: customers.CustomerPreview, *, keep_upcoming: bool) -> list[str]:
    who = ", ".join([*found.names, *found.emails, *found.phones])
    ahead = "kept without a name" if keep_upcoming else "cancelled"
    lines = [
        who,
        f"- {found.records} records in the list of customers: deleted",
        f"- {found.appointments} appointments: name, phone, email, place and notes are erased, "
        "the title becomes “Erased customer”; their histories keep when, not what",
        f"- {found.upcoming} of them are ahead: {ahead}",
    ]
    lines += [f"    {a.local_start:%Y-%m-%d %H:%M} {a.title} ({a.id})" for a in found.listed]
    if found.appointments > len(found.listed):
        lines.append(f"    and {found.appointments - len(found.listed)} more")
    if found.mentions:
        lines.append(
            f"- {found.mentions} others’ appointments and records mention them: blanked out there"
        )
    lines.append(f"- {found.events} events in Google: changed or removed")
    if found.waiting:
        lines.append(f"- {found.waiting} of them only when their calendar is connected again")
    if found.out_of_reach:
        lines.append(
            f"- {found.out_of_reach} events in calendars that are not linked any more: "
            "they could not be changed there"
        )
    if found.alike:
        lines.append(
            f"- {found.alike} other appointments have the same name, or another address or number "
            "of theirs: not touched; look whether this is the same person"
        )
    return lines


def _about_links(number: int, remove_events: bool) -> str:
    if not number:
        return "none"
    left = "upcoming events are removed first" if remove_events else "the events stay in Google"
    return f"{number}, ended and access given back; {left}"


def _customer(who: str, inside: str) -> Identity:
    try:
        return identify(business_called(inside, option="--in").pk, who)
    except UnknownCustomer as error:
        raise CommandError(str(error)) from None


def _member(email: str) -> Member:
    found = Member.objects.filter(email__iexact=email.strip(), erased_at=None)
    member = found.select_related("business").first()
    if member is None:
        raise CommandError(f"Nobody with the address {email} is a member of a business.")
    return member


def _folder(path: Path) -> Folder:
    try:
        return Folder(path)
    except NotEmpty as error:
        raise CommandError(str(error)) from None
    except OSError as error:
        raise CommandError(f"Cannot write to {path}: {error.strerror}.") from None
