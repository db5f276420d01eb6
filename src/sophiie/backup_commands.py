"""The commands `sophiie backup` and `sophiie restore`: parses their words, calls one function."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import psycopg

from sophiie.backup.archive import Archive, Manifest
from sophiie.config.bootstrap import (
    database_of,
    database_url_in_use,
    django_ready,
    without_password,
)
from sophiie.config.environment import Environment
from sophiie.config.errors import ConfigurationError

FILE = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
KEY_FILE = click.option(
    "--key-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A file with a long random text, by which the backup is encrypted.",
)
PASSPHRASE = click.option(
    "--passphrase-stdin", is_flag=True, help="Read the passphrase from standard input."
)
MIN_SECRET = 12
MAX_SECRET = 65_536


class BackupError(ConfigurationError):
    """It cannot be done as asked; the message says why."""


@click.command()
@FILE
@click.option("--encrypt", is_flag=True, help="Ask for a passphrase and encrypt with it.")
@PASSPHRASE
@KEY_FILE
@click.option("--check", is_flag=True, help="Afterwards restore it on trial, and count.")
@click.pass_obj
def backup(
    environment: Environment,
    /,
    file: Path,
    encrypt: bool,
    passphrase_stdin: bool,
    key_file: Path | None,
    check: bool,
) -> None:
    """Writes everything in the database into FILE, while the product runs.

    The secrets of the environment are not in it: keep SOPHIIE_SECRET_KEY and
    SOPHIIE_ENCRYPTION_KEYS (of a demo: secrets.json in the data folder) apart from it. Without the
    encryption keys everybody has to connect their Google Calendar again.
    """
    from sophiie.backup import taking

    secret = _secret(passphrase_stdin=passphrase_stdin, key_file=key_file, ask=encrypt, twice=True)
    if file.exists():
        raise BackupError(f"{file} is there already; name another file.")
    try:
        with database_of(environment) as url, _database_errors_in_a_sentence(url):
            manifest = taking.take(url, file, secret=secret)
    except OSError as error:
        raise BackupError(f"{file} cannot be written: {error.strerror}.") from None
    if check:
        archive = Archive(file)
        archive.unlock(secret)
        _check(archive, environment)
    click.echo(f"{file}: {_described(manifest)}{', restored on trial' if check else ''}.")


@click.command()
@FILE
@PASSPHRASE
@KEY_FILE
@click.option("--check", is_flag=True, help="Only restore it on trial, and count.")
@click.option("--replace", is_flag=True, help="Delete what is in the database now.")
@click.pass_obj
def restore(
    environment: Environment,
    /,
    file: Path,
    passphrase_stdin: bool,
    key_file: Path | None,
    check: bool,
    replace: bool,
) -> None:
    """Brings the database back to what is in FILE; stop web and worker before.

    All of it or nothing. Google may have moved on since: events of ours there are compared before
    anything is written, whatever is newer there stays and is shown to its people. Everybody signs
    in again. API keys and members that were switched off since the backup work again.
    """
    archive = _opened(file, passphrase_stdin=passphrase_stdin, key_file=key_file)
    if check:
        click.echo(f"{file}: {_described(_check(archive, environment))}, restored on trial.")
        return
    archive.manifest()  # before a database is started for nothing
    with django_ready(environment):
        manifest = _restore(archive, replace=replace)
        from sophiie.ops.schema import migrate

        for line in migrate():
            click.echo(line)
    click.echo(
        f"Restored: {_described(manifest)}. Everybody signs in again; what Google shows is compared"
        " before anything is written there. Look through members and API keys: what was switched"
        " off or erased since then is back."
    )


def _restore(archive: Archive, *, replace: bool) -> Manifest:
    from sophiie.backup import restoring

    url = database_url_in_use()
    try:
        with _database_errors_in_a_sentence(url):
            return restoring.restore(url, archive, replace=replace)
    except restoring.NotEmpty:
        raise BackupError(
            "There is a business in the database: restore into an empty one, or delete what is"
            " there with --replace."
        ) from None
    except restoring.InUse:
        raise BackupError(
            "Other programs are connected to the database: stop web and worker first."
        ) from None


@contextmanager
def _database_errors_in_a_sentence(url: str) -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise BackupError(f"The database refused: {without_password(reason, url)}") from None


def _opened(file: Path, *, passphrase_stdin: bool, key_file: Path | None) -> Archive:
    archive = Archive(file)
    ask = archive.is_encrypted and not passphrase_stdin and key_file is None and sys.stdin.isatty()
    archive.unlock(
        _secret(passphrase_stdin=passphrase_stdin, key_file=key_file, ask=ask, twice=False)
    )
    return archive


def _check(archive: Archive, environment: Environment) -> Manifest:
    from sophiie.backup import restoring

    return restoring.check(archive, folder=environment.data_dir)


def _described(manifest: Manifest) -> str:
    rows = sum(manifest.rows.values())
    return f"{rows} rows of {len(manifest.rows)} tables, as of {manifest.taken_at}"


def _secret(
    *, passphrase_stdin: bool, key_file: Path | None, ask: bool, twice: bool
) -> bytes | None:
    """What was given to encrypt with; None if nothing was."""
    if passphrase_stdin + ask + (key_file is not None) > 1:
        raise BackupError("Name one way to encrypt, and only one.")
    if key_file is not None:
        try:
            with key_file.open("rb") as opened:
                secret = opened.read(MAX_SECRET).strip()
        except OSError as error:
            raise BackupError(f"{key_file} cannot be read: {error.strerror}.") from None
    elif passphrase_stdin:
        secret = sys.stdin.readline(MAX_SECRET).rstrip("\r\n").encode()
    elif ask:
        text = click.prompt("Passphrase", hide_input=True, confirmation_prompt=twice, err=True)
        secret = str(text).encode()
    else:
        return None
    if twice and len(secret) < MIN_SECRET:
        raise BackupError(f"It must have at least {MIN_SECRET} characters.")
    return secret
