"""The commands `sophiie erase` and `sophiie export`: parses their words, calls one function."""

from __future__ import annotations

from pathlib import Path

import click

from sophiie.config.bootstrap import django_ready
from sophiie.config.environment import Environment
from sophiie.config.errors import ConfigurationError

CUSTOMER = click.option(
    "--customer",
    metavar="ID",
    help="Id of a customer or of an appointment, email address, or phone number.",
)
MEMBER = click.option("--member", metavar="EMAIL", help="Email address of a member.")
BUSINESS = click.option("--business", metavar="NAME", help="Name or id of a business.")
INSIDE = click.option(
    "--in",
    "inside",
    default="",
    metavar="BUSINESS",
    help="Whose customer, where there are several.",
)


@click.command()
@CUSTOMER
@MEMBER
@BUSINESS
@INSIDE
@click.option("--keep-upcoming", is_flag=True, help="Of a customer: do not cancel what is ahead.")
@click.option("--remove-events", is_flag=True, help="Of others: remove upcoming events in Google.")
@click.option("--yes", is_flag=True, help="Do it; without it you only see what would be done.")
@click.pass_obj
def erase(
    environment: Environment,
    /,
    customer: str | None,
    member: str | None,
    business: str | None,
    inside: str,
    keep_upcoming: bool,
    remove_events: bool,
    yes: bool,
) -> None:
    """Erases a customer, a member or a business for good; shows first what that would be."""
    _one_of(customer=customer, member=member, business=business)
    with django_ready(environment):
        from sophiie.ops import privacy

        if customer is not None:
            text = privacy.erase_customer(
                customer, inside=inside, keep_upcoming=keep_upcoming, yes=yes
            )
        elif member is not None:
            text = privacy.erase_member(member, remove_events=remove_events, yes=yes)
        else:
            text = privacy.erase_business(business or "", remove_events=remove_events, yes=yes)
        click.echo(text)


@click.command()
@CUSTOMER
@MEMBER
@BUSINESS
@INSIDE
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.pass_obj
def export(
    environment: Environment,
    /,
    customer: str | None,
    member: str | None,
    business: str | None,
    inside: str,
    folder: Path,
) -> None:
    """Writes everything known of a customer, a member or a business into an empty folder."""
    _one_of(customer=customer, member=member, business=business)
    with django_ready(environment):
        from sophiie.ops import privacy

        if customer is not None:
            text = privacy.export_customer(customer, folder, inside=inside)
        elif member is not None:
            text = privacy.export_member(member, folder)
        else:
            text = privacy.export_business(business or "", folder)
        click.echo(text)


def _one_of(**named: str | None) -> None:
    if sum(value is not None for value in named.values()) != 1:
        options = ", ".join(f"--{name}" for name in named)
        raise ConfigurationError(f"Name one of {options}, and only one.")
