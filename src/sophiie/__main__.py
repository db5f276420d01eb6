"""The command `sophiie`: parses its arguments, puts the product together, calls one function."""

from __future__ import annotations

from sophiie.common import ending

ending.listen()  # before the rest is loaded, which takes longer than some people wait

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any, ParamSpec

import click

from sophiie.backup.archive import ArchiveError
from sophiie.backup_commands import backup, restore
from sophiie.common.logs import configure_logging
from sophiie.common.private_files import PRIVATE_UMASK, make_private
from sophiie.config.bootstrap import database_of, django_ready, follow_parent
from sophiie.config.demo_secrets import keep_own_secrets
from sophiie.config.environment import Environment, process_environment, read_environment
from sophiie.config.errors import ConfigurationError
from sophiie.database import DatabaseError
from sophiie.privacy_commands import erase, export

HOST = click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
PORT = click.option(
    "--port", default=8000, show_default=True, envvar="PORT", type=click.IntRange(1, 65535)
)
CONCURRENCY = click.option(
    "--concurrency",
    default=10,
    show_default=True,
    type=click.IntRange(1, 200),
    help="Links worked on at the same time.",
)
PASSWORD = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input."
)
P = ParamSpec("P")


def until_told(command: Callable[P, None]) -> Callable[P, None]:
    """A command that runs until it is told to stop, and then ends well, at any moment."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        with suppress(ending.Stopped):
            command(*args, **kwargs)

    return run


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="sophiie", message="sophiie %(version)s")
@click.pass_context
def cli(context: click.Context) -> None:
    """Sophiie keeps a business's appointments and mirrors them into Google Calendar.

    Try `sophiie demo`: it needs nothing else. The README lists every setting.
    """
    os.umask(PRIVATE_UMASK)
    context.obj = environment = read_environment()
    configure_logging(environment.log_level, style=environment.log_style)
    if context.invoked_subcommand != "doctor":  # which reports it
        make_private(environment.data_dir)


@cli.command()
@HOST
@PORT
@click.option("--simulator-port", default=8001, show_default=True, envvar="SIMULATOR_PORT")
@click.pass_obj
@until_told
def demo(environment: Environment, host: str, port: int, simulator_port: int) -> None:
    """Everything on this machine: web, worker, database, Google simulator, demo data."""
    from sophiie.ops import demo as demo_

    demo_.prepare_folder(environment.data_dir)
    keep_own_secrets(environment.data_dir)
    demo_.check_simulator()
    demo_.check_ports(host, port, simulator_port)
    with database_of(environment) as url:
        variables = process_environment(
            SOPHIIE_DATABASE_URL=url,
            SOPHIIE_DATA_DIR=str(environment.data_dir),
            SOPHIIE_PUBLIC_URL=environment.public_url or f"http://localhost:{port}",
            SOPHIIE_DEMO="1",
            SOPHIIE_BUSY_POLL_SECONDS=str(demo_.POLL_SECONDS),
            **demo_.simulator_variables(f"http://localhost:{simulator_port}"),
        )
        demo_.run(
            variables,
            data_dir=environment.data_dir,
            host=host,
            port=port,
            simulator_port=simulator_port,
        )


@cli.command()
@HOST
@PORT
@CONCURRENCY
@click.pass_obj
@until_told
def serve(environment: Environment, host: str, port: int, concurrency: int) -> None:
    """Web and worker in one command, for one machine; migrates first."""
    from sophiie.config.environment import require_secrets
    from sophiie.ops import serve as serve_

    require_secrets(environment)
    serve_.check_port(host, port)
    with database_of(environment) as url:
        variables = process_environment(
            SOPHIIE_DATABASE_URL=url,
            SOPHIIE_PUBLIC_URL=environment.public_url or f"http://localhost:{port}",
        )
        serve_.run(variables, host=host, port=port, concurrency=concurrency)


@cli.command()
@HOST
@PORT
@click.pass_obj
@until_told
def web(environment: Environment, host: str, port: int) -> None:
    """The web process alone."""
    from sophiie.ops.serve import check_port

    check_port(host, port)
    with django_ready(environment):
        from sophiie.ops.web_process import run

        run(host=host, port=port)


@cli.command()
@CONCURRENCY
@click.pass_obj
@until_told
def worker(environment: Environment, concurrency: int) -> None:
    """A worker process; several may run, on several machines."""
    with django_ready(environment):
        import asyncio

        from sophiie.privacy.chores import CHORES
        from sophiie.series.extending import extend_series
        from sophiie.sync.worker import run_worker

        # Not `asyncio.run`: it waits for every thread, also for those that hang.
        work = run_worker(concurrency=concurrency, chores=(*CHORES, extend_series))
        asyncio.new_event_loop().run_until_complete(work)


@cli.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    add_help_option=False,
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def simulator(arguments: tuple[str, ...]) -> None:
    """The Google simulator alone (`sophiie simulator --help` for its options)."""
    # A program of its own: it shares nothing with the product but the machine.
    command = [sys.executable, "-P", "-m", "google_simulator", *arguments]
    os.execv(sys.executable, command)  # noqa: S606


@cli.command()
@click.option("--check", is_flag=True, help="Only name what is missing; exit 1 if anything is.")
@click.pass_obj
def migrate(environment: Environment, check: bool) -> None:
    """Brings the database schema to this version, while an earlier one may go on serving."""
    with django_ready(environment):
        from sophiie.ops import schema

        missing = schema.pending() if check else []
        for line in missing if check else schema.migrate():
            click.echo(line)
    sys.exit(1 if missing else 0)


@cli.command()
@click.pass_obj
def doctor(environment: Environment) -> None:
    """Explains configuration and reachability line by line; exit 1 if something is wrong."""
    from sophiie.ops.doctor import Doctor

    examination = Doctor(environment)
    examination.look_at_environment()
    if examination.can_go_on:
        try:
            with django_ready(environment):
                examination.look_at_database()
        except DatabaseError as error:
            examination.no_database(str(error))
    click.echo(examination.report())
    sys.exit(0 if examination.healthy else 1)


@cli.command()
@click.pass_obj
def status(environment: Environment) -> None:
    """Links, queue and lag."""
    with django_ready(environment):
        from sophiie.ops.status import report

        click.echo(report())


@cli.command("rotate-keys")
@click.pass_obj
def rotate_keys(environment: Environment) -> None:
    """Encrypts every stored secret with the first of SOPHIIE_ENCRYPTION_KEYS, while serving."""
    with django_ready(environment):
        from sophiie.ops import keys

        click.echo(keys.rotate())


@cli.command("create-business")
@click.argument("name")
@click.option("--timezone", required=True, help="IANA name, e.g. Australia/Sydney.")
@click.option("--owner-email", required=True)
@click.option("--owner-name", required=True)
@PASSWORD
@click.pass_obj
def create_business(environment: Environment, /, password_stdin: bool, **asked: str) -> None:
    """Makes a business and its owner; prints JSON with the ids."""
    _make(environment, "create_business", password_stdin, asked)


@cli.command("add-member")
@click.argument("email")
@click.option("--name", required=True)
@click.option("--role", required=True, help="owner, admin or member")
@click.option("--business", default="", help="Name or id, where there are several.")
@PASSWORD
@click.pass_obj
def add_member(environment: Environment, /, password_stdin: bool, **asked: str) -> None:
    """Adds a person to a business; prints JSON with the ids."""
    _make(environment, "add_member", password_stdin, asked)


@cli.command("create-api-key")
@click.option("--member", required=True, help="Email address of the member it acts as.")
@click.pass_obj
def create_api_key(environment: Environment, member: str) -> None:
    """Prints a new key once, alone on a line."""
    with django_ready(environment):
        from sophiie.ops import people

        click.echo(people.create_api_key(member))


@cli.command("reset-two-factor")
@click.option("--member", required=True, help="Email address of the member.")
@click.pass_obj
def reset_two_factor(environment: Environment, member: str) -> None:
    """Switches the second step of signing in off, for somebody without phone and recovery codes."""
    with django_ready(environment):
        from sophiie.ops import people

        click.echo(people.reset_two_factor(member))


cli.add_command(backup)
cli.add_command(erase)
cli.add_command(export)
cli.add_command(restore)


@cli.command("demo-data", hidden=True)
@click.pass_obj
def demo_data(environment: Environment) -> None:
    """Migrates and makes the demo's business, people and appointments, unless they are there."""
    with django_ready(environment):
        from sophiie.ops import demo_data as demo_data_
        from sophiie.ops.schema import migrate as migrate_

        for line in migrate_():
            click.echo(line)
        demo_data_.create()


def _make(environment: Environment, what: str, password_stdin: bool, asked: dict[str, str]) -> None:
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
    with django_ready(environment):
        from sophiie.ops import people

        act: Callable[..., Any] = getattr(people, what)
        click.echo(act(password=password, **asked))


def main() -> None:
    """Runs the command. What a person can cause ends in one sentence and exit code 1."""
    try:
        with ending.leavable():
            follow_parent()
            cli(standalone_mode=True)
    except ending.Stopped:
        ending.leave_by_signal()
    except SystemExit as end:
        ending.leave(end.code if isinstance(end.code, int) else 0)
    except Exception as error:
        sentence = _sentence_for(error)
        if not sentence:
            raise
        click.echo(f"sophiie: {sentence}", err=True)
        ending.leave(1)


def _sentence_for(error: Exception) -> str:
    from sophiie.ops.errors import CommandError, sentence_for

    if isinstance(error, ConfigurationError | DatabaseError | CommandError | ArchiveError):
        return str(error)
    if ending.was_told():
        return f"ended while it was stopping ({type(error).__name__})."
    return sentence_for(error)


if __name__ == "__main__":
    main()
