"""Gets a process ready: secrets, database, Django."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from urllib.parse import unquote, urlsplit

import psycopg

from sophiie.common import ending, error_reports, tracing
from sophiie.common.outage import Outage, database_outage, gather_outages
from sophiie.config.environment import Environment, require_secrets
from sophiie.config.errors import ConfigurationError
from sophiie.database import DatabaseError, EmbeddedPostgres

logger = logging.getLogger(__name__)

LIFELINE = "LIFELINE_FD"
HEAL_SECONDS = 1.0
POOL_STOP_SECONDS = 1.0
DATABASE_STOP_SECONDS = 60.0


@contextmanager
def database_of(environment: Environment) -> Iterator[str]:
    """The URL of the named database, or of the embedded one, which runs while the block does.

    A signal gives the block time to leave; `ending.leavable` lets it raise again in between.
    """
    if environment.database_url:
        _knock(environment.database_url)
        with ending.undisturbed():
            yield environment.database_url
        return
    database = EmbeddedPostgres(environment.data_dir)
    with ending.undisturbed(), ending.last_resort(lambda: database.stop(patience=0)):
        try:
            with ending.leavable():
                url = database.start()
            with _kept_alive(database):
                yield url
        finally:
            database.stop(patience=ending.seconds_left(otherwise=DATABASE_STOP_SECONDS))


@contextmanager
def _kept_alive(database: EmbeddedPostgres) -> Iterator[None]:
    """Restarts the embedded server when it dies, because nobody else would."""
    ended = threading.Event()
    outage = Outage("embedded database")

    def watch() -> None:
        while not ended.wait(HEAL_SECONDS):
            try:
                if database.heal():
                    logger.warning("the embedded PostgreSQL had died and was started again")
                outage.is_over()
            except (DatabaseError, OSError) as error:
                if not ended.is_set():
                    outage.noticed(str(error))

    thread = threading.Thread(target=watch, daemon=True, name="embedded-database")
    thread.start()
    try:
        yield
    finally:
        ended.set()  # not waited for: leaving the database ends its work as well


def _knock(url: str) -> None:
    """Tries once and quickly: the pool would keep trying and log many lines."""
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.Error as error:
        reason = without_password(str(error).strip().splitlines()[0], url)
        raise DatabaseError(f"The database cannot be reached: {reason}") from None


def without_password(text: str, url: str) -> str:
    """A library's complaint about an address that it cannot read, without the secret in it."""
    userinfo = urlsplit(url).netloc.rpartition("@")[0]
    password = userinfo.partition(":")[2]
    for secret in {password, unquote(password)} - {""}:
        text = text.replace(secret, "…")
    return text


@contextmanager
def django_ready(environment: Environment) -> Iterator[None]:
    """Sets Django up on a reachable database. Refuses without secrets."""
    require_secrets(environment)
    with database_of(environment) as url:
        os.environ["SOPHIIE_DATABASE_URL"] = url
        os.environ["DJANGO_SETTINGS_MODULE"] = "sophiie.config.settings"
        import django

        from sophiie.common.logs import configure_logging

        configure_logging(
            environment.log_level,
            known=environment.known_secrets(url),
            style=environment.log_style,
        )
        django.setup()
        _follow_outages()
        _report_errors(environment)
        _trace(environment)
        try:
            with ending.leavable():
                yield
        finally:
            if environment.sentry_dsn:
                error_reports.flush()
            tracing.end()
            from django.db import connections

            # Otherwise the pool's own threads would find the server gone.
            for connection in connections.all(initialized_only=True):
                connection.close()
                connection.pool.close(POOL_STOP_SECONDS)  # type: ignore[attr-defined]


def _report_errors(environment: Environment) -> None:
    if not environment.sentry_dsn:
        return
    try:
        error_reports.begin(environment.sentry_dsn, release=version("sophiie"))
    except error_reports.ReportsUnavailable:
        raise ConfigurationError(
            "SOPHIIE_SENTRY_DSN is set, and the library for it is not installed: pip install"
            ' "sophiie[sentry]".'
        ) from None
    except ValueError as error:  # which the library raises for an address that it cannot read
        raise ConfigurationError(f"SOPHIIE_SENTRY_DSN: {error}.") from None


def _trace(environment: Environment) -> None:
    if not environment.otel_endpoint:
        return
    try:
        tracing.begin(environment.otel_endpoint, release=version("sophiie"))
    except tracing.TracesUnavailable:
        raise ConfigurationError(
            "SOPHIIE_OTEL_ENDPOINT is set, and the library for it is not installed: pip install"
            ' "sophiie[tracing]".'
        ) from None


def database_url_in_use() -> str:
    """The address that `django_ready` has put into the environment."""
    return os.environ["SOPHIIE_DATABASE_URL"]


def _follow_outages() -> None:
    """Routes every discovery that the database is away, or back, to one place."""
    from django.db.backends.signals import connection_created

    for handler in logging.getLogger().handlers:
        handler.addFilter(gather_outages)
    connection_created.connect(_database_is_there)


def _database_is_there(**_: object) -> None:
    database_outage.is_over()


def follow_parent() -> None:
    """Ends this process when the one that started it is gone, also by `kill -9`.

    The parent holds the other end of a pipe and dies with it.
    """
    descriptor = os.environ.pop(LIFELINE, "")
    if not descriptor:
        return

    def watch() -> None:
        os.read(int(descriptor), 1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True, name="lifeline").start()
