"""`sophiie doctor`: what is configured, what can be reached, and how to mend the rest."""

from __future__ import annotations

import os
import pwd
import urllib.error
import urllib.parse
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sophiie.common.private_files import open_to_others
from sophiie.ops.demo_people import PASSWORD, PEOPLE

if TYPE_CHECKING:
    from sophiie.config.environment import Environment

TIMEOUT_SECONDS = 5


class Doctor:
    """Collects lines; `healthy` is False when one of them needs action."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._lines: list[str] = []
        self.healthy = True
        self.can_go_on = True

    def report(self) -> str:
        return "\n".join(self._lines)

    def look_at_environment(self) -> None:
        """Everything that can be said without the database."""
        self._secrets()
        self._public_url()
        self._google()
        self._sign_in_providers()
        self._folder()

    def _sign_in_providers(self) -> None:
        """Whom else people sign in with, and whether that one answers."""
        for name in self._environment.half_a_sign_in_provider:
            self._say(False, f"{name} is missing", "set it, or unset the others of its kind")
        for provider in self._environment.sign_in_providers:
            address = f"{provider.issuer}/.well-known/openid-configuration"
            what = f"Signing in with {provider.name}: {address}"
            self._say(_answers(address), what, "check its address")

    def look_at_database(self) -> None:
        """The database, its schema and the workers."""
        from django.db import connection

        from sophiie.audit.upkeep import is_protected
        from sophiie.ops.health import missing_migrations
        from sophiie.sync.reports.workers import workers_alive

        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version")
            version = cursor.fetchone()[0]
            cursor.execute("SELECT name FROM pg_available_extensions")
            available = {name for (name,) in cursor.fetchall()}
        self._say(True, f"Database ({self._kind}): PostgreSQL {version}")
        for extension in ("btree_gist", "pg_trgm"):
            self._say(
                extension in available,
                f"Database: extension {extension}",
                "install PostgreSQL's contrib",
            )
        missing = missing_migrations()
        self._say(not missing, f"Schema: {missing} migrations missing", "run `sophiie migrate`")
        if not missing:
            self._say(
                is_protected(),
                "Audit log: the database refuses changes of it",
                "somebody switched its triggers off; find out who (docs/reference/audit.md)",
            )
            self._say(
                workers_alive() > 0, f"Workers running: {workers_alive()}", "start `sophiie worker`"
            )
            self._stored_secrets()
            self._demo_accounts()

    def _demo_accounts(self) -> None:
        """A data folder of the demo may be served by mistake, and its password is known to all."""
        from sophiie.accounts.models import Member

        if self._environment.demo:
            return
        emails = [email for _, email, _ in PEOPLE]
        people = Member.objects.filter(email__in=emails, is_active=True).order_by("email")
        if open_to_all := [person.email for person in people if person.check_password(PASSWORD)]:
            self._say(
                False,
                f"Accounts with the demo's password: {', '.join(open_to_all)}",
                "use another data folder or database, or give them passwords of their own",
            )

    def _stored_secrets(self) -> None:
        from sophiie.ops.keys import take_stock

        stock = take_stock()
        words = f"Stored secrets: {stock.total}, {stock.older} of them need an older key"
        if stock.older:
            words += ": run `sophiie rotate-keys` before you take that key away"
        self._say(True, words)
        if stock.lost:
            self._say(
                False,
                f"Stored secrets that no key opens: {stock.lost}",
                "put their key back at the end of SOPHIIE_ENCRYPTION_KEYS, or let the people "
                "concerned connect their calendars again",
            )

    def no_database(self, reason: str) -> None:
        """The database cannot be reached or started."""
        self._say(False, f"Database ({self._kind}): {reason}", "check its address and the server")

    @property
    def _kind(self) -> str:
        return "named" if self._environment.database_url else "embedded"

    def _secrets(self) -> None:
        environment = self._environment
        for name, value in (
            ("SOPHIIE_SECRET_KEY", environment.secret_key),
            ("SOPHIIE_ENCRYPTION_KEYS", environment.encryption_keys),
        ):
            self._say(bool(value), f"{name}: {'set' if value else 'not set'}", f"set {name}")
            self.can_go_on = self.can_go_on and bool(value)
        if older := len(environment.secret_key_fallbacks):
            self._say(True, f"SOPHIIE_SECRET_KEY_FALLBACKS: {older} still accepted")
        for name in dict.fromkeys(environment.easy_to_guess):
            self._say(False, f"{name}: too easy to guess", "make a long random one")
            self.can_go_on = False

    def _public_url(self) -> None:
        url = self._environment.public_url
        if not url:
            self._say(True, "SOPHIIE_PUBLIC_URL: not set, http://localhost:8000 is assumed")
        else:
            self._say(True, f"SOPHIIE_PUBLIC_URL: {url}")
            self._say(True, f"Redirect address for Google: {url}/integrations/google/callback")
        if push := self._environment.push_address:
            self._say(True, f"Notifications from Google: to {push}")
        else:
            self._say(True, "Notifications from Google: none without https, calendars are polled")

    def _google(self) -> None:
        environment = self._environment
        self._say(
            environment.google_configured,
            "Google credentials: " + ("set" if environment.google_configured else "not set"),
            "set GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET, or use `sophiie demo`",
        )
        for name, url in (
            ("token", environment.google_token_url),
            ("calendar", environment.google_api_url),
        ):
            host = urllib.parse.urlsplit(url).netloc
            self._say(
                _answers(url), f"Google's {name} server {host}", "check the network and the address"
            )

    def _folder(self) -> None:
        folder = self._environment.data_dir
        if found := open_to_others(folder):
            self._say(
                False,
                f"SOPHIIE_DATA_DIR: others can get at {found[0]}"
                + (f" and {len(found) - 1} more" if found[1:] else ""),
                f"run `chmod -R go= {folder}` as the user who owns it; "
                "the next start does so for all that is Sophiie's there",
            )
        if self._environment.database_url:
            return
        there = next(path for path in (folder, *folder.parents) if path.exists())
        usable = there.is_dir() and os.access(there, os.W_OK)
        self._say(usable, f"SOPHIIE_DATA_DIR: {folder}", "choose a folder that can be written")
        self.can_go_on = self.can_go_on and usable
        self._user_of_database(folder / "postgres" / "cluster")

    def _user_of_database(self, cluster: Path) -> None:
        with suppress(OSError, KeyError):
            if pwd.getpwuid(cluster.stat().st_uid).pw_name == "nobody":
                self._warn(
                    "Database (embedded): runs as the user nobody, as other services may",
                    "let `useradd --system sophiie-postgres` make a user for it and start again,"
                    " or start Sophiie as a user of its own",
                )

    def _warn(self, what: str, advice: str) -> None:
        """Something that works but could be safer."""
        self._lines.append(f"warning {what}: {advice}")

    def _say(self, good: bool, what: str, advice: str = "") -> None:
        self.healthy = self.healthy and good
        self._lines.append(f"ok      {what}" if good else f"WRONG   {what}: {advice}")


def _answers(url: str) -> bool:
    """Whether anything answers there, even with an error."""
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS):  # noqa: S310
            return True
    except urllib.error.HTTPError:
        return True
    except (OSError, ValueError):
        return False
