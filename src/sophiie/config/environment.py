"""What an operator can set from outside, read once and typed.

Everything else takes these values as arguments or from `django.conf.settings`; nothing else in the
project reads `os.environ`.
"""

from __future__ import annotations

import os
import re
import sys
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import unquote, urlsplit

from cryptography.fernet import Fernet
from pydantic import AliasChoices, Field, ValidationError, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from sophiie.common.log_lines import LogStyle
from sophiie.config.data_dir import default_data_dir
from sophiie.config.demo_secrets import kept_secrets
from sophiie.config.errors import ConfigurationError
from sophiie.config.sign_in import SignInSettings

GOOGLE_AUTH_URL = "https://accounts.google.com/o/oauth2/v2/auth"
GOOGLE_TOKEN_URL = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address, not a token
GOOGLE_REVOKE_URL = "https://oauth2.googleapis.com/revoke"
GOOGLE_USERINFO_URL = "https://openidconnect.googleapis.com/v1/userinfo"
GOOGLE_API_URL = "https://www.googleapis.com/calendar/v3"

DEFAULT_PUBLIC_URL = "http://localhost:8000"
MIN_LENGTH, MIN_DISTINCT = 50, 5


def _named(name: str) -> AliasChoices:
    return AliasChoices(name)


class Environment(SignInSettings):
    """The environment variables with their defaults; the README explains each."""

    # No error and no `repr` shows a secret.
    model_config = SettingsConfigDict(
        extra="ignore", case_sensitive=True, hide_input_in_errors=True
    )

    database_url: str = Field(
        default="", validation_alias=_named("SOPHIIE_DATABASE_URL"), repr=False
    )
    # Where `database_url` leads through a pooler: the way around it.
    database_direct_url: str = Field(
        default="", validation_alias=_named("SOPHIIE_DATABASE_DIRECT_URL"), repr=False
    )
    data_dir: Path = Field(
        default_factory=default_data_dir, validation_alias=_named("SOPHIIE_DATA_DIR")
    )
    public_url: str = Field(default="", validation_alias=_named("SOPHIIE_PUBLIC_URL"))
    secret_key: str = Field(default="", validation_alias=_named("SOPHIIE_SECRET_KEY"), repr=False)
    secret_key_fallbacks: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), validation_alias=_named("SOPHIIE_SECRET_KEY_FALLBACKS"), repr=False
    )
    encryption_keys: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), validation_alias=_named("SOPHIIE_ENCRYPTION_KEYS"), repr=False
    )
    google_client_id: str = Field(default="", validation_alias=_named("GOOGLE_CLIENT_ID"))
    google_client_secret: str = Field(
        default="", validation_alias=_named("GOOGLE_CLIENT_SECRET"), repr=False
    )
    google_auth_url: str = Field(
        default=GOOGLE_AUTH_URL, validation_alias=_named("SOPHIIE_GOOGLE_AUTH_URL")
    )
    google_token_url: str = Field(
        default=GOOGLE_TOKEN_URL, validation_alias=_named("SOPHIIE_GOOGLE_TOKEN_URL")
    )
    google_revoke_url: str = Field(
        default=GOOGLE_REVOKE_URL, validation_alias=_named("SOPHIIE_GOOGLE_REVOKE_URL")
    )
    google_userinfo_url: str = Field(
        default=GOOGLE_USERINFO_URL, validation_alias=_named("SOPHIIE_GOOGLE_USERINFO_URL")
    )
    google_api_url: str = Field(
        default=GOOGLE_API_URL, validation_alias=_named("SOPHIIE_GOOGLE_API_URL")
    )
    # None: as often as things change; see sync/inbound/rhythm.py.
    busy_poll_seconds: int | None = Field(
        default=None, gt=0, validation_alias=_named("SOPHIIE_BUSY_POLL_SECONDS")
    )
    busy_max_age_seconds: int = Field(
        default=900, gt=0, validation_alias=_named("SOPHIIE_BUSY_MAX_AGE_SECONDS")
    )
    # What Google allows the project; the defaults are those of its free tier.
    google_units_per_day: int = Field(
        default=1_000_000, ge=1000, validation_alias=_named("SOPHIIE_GOOGLE_UNITS_PER_DAY")
    )
    google_units_per_minute: int = Field(
        default=10_000, ge=100, validation_alias=_named("SOPHIIE_GOOGLE_UNITS_PER_MINUTE")
    )
    google_units_per_user_minute: int = Field(
        default=600, ge=60, validation_alias=_named("SOPHIIE_GOOGLE_UNITS_PER_USER_MINUTE")
    )
    # What a unit above the free tier costs, such as "0.00002 USD"; "": nobody has said.
    google_unit_price: str = Field(default="", validation_alias=_named("SOPHIIE_GOOGLE_UNIT_PRICE"))
    allow_http_push: bool = Field(default=False, validation_alias=_named("SOPHIIE_ALLOW_HTTP_PUSH"))
    api_requests_per_minute: int = Field(
        default=6000, gt=0, validation_alias=_named("SOPHIIE_API_REQUESTS_PER_MINUTE")
    )
    audit_days: int = Field(default=730, ge=30, validation_alias=_named("SOPHIIE_AUDIT_DAYS"))
    # How many days things are kept; 0 keeps the history for ever.
    history_days: int = Field(
        default=0, ge=0, le=36_500, validation_alias=_named("SOPHIIE_HISTORY_DAYS")
    )
    ledger_days: int = Field(
        default=30, ge=1, le=36_500, validation_alias=_named("SOPHIIE_LEDGER_DAYS")
    )
    idempotency_days: int = Field(
        default=1, ge=1, le=36_500, validation_alias=_named("SOPHIIE_IDEMPOTENCY_DAYS")
    )
    max_holds: int = Field(default=20, gt=0, validation_alias=_named("SOPHIIE_MAX_HOLDS"))
    email_url: str = Field(default="", validation_alias=_named("SOPHIIE_EMAIL_URL"), repr=False)
    email_from: str = Field(
        default="Sophiie <no-reply@localhost>", validation_alias=_named("SOPHIIE_EMAIL_FROM")
    )
    log_level: str = Field(default="INFO", validation_alias=_named("SOPHIIE_LOG_LEVEL"))
    log_format: Literal["", "text", "json"] = Field(
        default="", validation_alias=_named("SOPHIIE_LOG_FORMAT")
    )
    # What all programs go by: see no-color.org; "dumb" is a terminal without colours.
    no_color: str = Field(default="", validation_alias=_named("NO_COLOR"))
    term: str = Field(default="", validation_alias="TERM")
    sign_up: Literal["", "open", "closed"] = Field(
        default="", validation_alias=_named("SOPHIIE_SIGN_UP")
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("127.0.0.1", "::1"), validation_alias=_named("SOPHIIE_TRUSTED_PROXIES")
    )
    metrics_token: str = Field(default="", validation_alias=_named("SOPHIIE_METRICS_TOKEN"))
    # Where errors are reported, to Sentry or what speaks like it; "" reports none.
    sentry_dsn: str = Field(default="", validation_alias=_named("SOPHIIE_SENTRY_DSN"), repr=False)
    otel_endpoint: str = Field(default="", validation_alias=_named("SOPHIIE_OTEL_ENDPOINT"))
    demo: bool = Field(default=False, validation_alias=_named("SOPHIIE_DEMO"))

    @field_validator("encryption_keys", "secret_key_fallbacks", "trusted_proxies", mode="before")
    @classmethod
    def _comma_list(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(key.strip() for key in value.split(",") if key.strip())
        return value

    @field_validator("encryption_keys")
    @classmethod
    def _are_fernet_keys(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for key in value:
            try:
                Fernet(key)
            except ValueError as error:
                raise ValueError(
                    "must be a comma list of Fernet keys (44 characters each); make one with: "
                    'python -c "from cryptography.fernet import Fernet; '
                    'print(Fernet.generate_key().decode())"'
                ) from error
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _are_addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        try:
            networks = [ip_network(address, strict=False) for address in value]
        except ValueError as error:
            raise ValueError(
                "must be a comma list of IP addresses and networks, such as 10.0.0.5,10.1.0.0/16"
            ) from error
        if any(network.prefixlen == 0 for network in networks):
            raise ValueError("must not name everybody: anybody could say where they come from")
        return tuple(map(str, networks))

    @field_validator("google_unit_price")
    @classmethod
    def _is_a_price(cls, value: str) -> str:
        if value and not re.fullmatch(r"\d{1,6}(\.\d{1,12})? [A-Z]{3}", value):
            raise ValueError("must be a number and a currency, such as 0.00002 USD")
        return value

    @field_validator("metrics_token")
    @classmethod
    def _long_enough(cls, value: str) -> str:
        if value and len(value) < 16:
            raise ValueError("must have at least 16 characters")
        return value

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator(
        *("public_url", "google_api_url", "sign_in_oidc_issuer", "sentry_dsn", "otel_endpoint")
    )
    @classmethod
    def _web_address(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value.rstrip("/")

    @field_validator("database_url", "database_direct_url")
    @classmethod
    def _postgresql(cls, value: str) -> str:
        if value and not value.startswith(("postgresql://", "postgres://")):
            raise ValueError("must begin with postgresql://")
        try:
            urlsplit(value).port  # noqa: B018 - raises what is wrong with it
        except ValueError:  # whose message may contain a part of the password
            raise ValueError(
                "is not an address; in the password write every character that is neither a letter "
                "nor a digit as its code, a / as %2F"
            ) from None
        return value

    @field_validator("email_url")
    @classmethod
    def _mail_server(cls, value: str) -> str:
        if value and not value.startswith(("smtp://", "smtps://")):
            raise ValueError("must begin with smtp:// (STARTTLS) or smtps:// (TLS)")
        return value

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, value: str) -> str:
        if value.upper() not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
            raise ValueError("must be DEBUG, INFO, WARNING or ERROR")
        return value.upper()

    @property
    def push_address(self) -> str:
        """Where Google sends notifications; "" if it cannot, because it accepts only https
        addresses."""
        if not (self.public_url.startswith("https://") or self.allow_http_push):
            return ""
        return f"{self.public_url or DEFAULT_PUBLIC_URL}/integrations/google/notifications"

    @property
    def sign_up_open(self) -> bool:
        """Whether anybody may create a business; if it is not said, only in the demo."""
        return self.sign_up == "open" or (self.demo and not self.sign_up)

    @property
    def easy_to_guess(self) -> list[str]:
        """The variables whose key for sessions and links is too weak for the open internet, by the
        rule of Django's own deployment check (security.W009)."""
        keys = [("SOPHIIE_SECRET_KEY", self.secret_key)] if self.secret_key else []
        keys += [("SOPHIIE_SECRET_KEY_FALLBACKS", key) for key in self.secret_key_fallbacks]
        return [] if self.demo else [name for name, key in keys if _is_easy_to_guess(key)]

    def known_secrets(self, database_url: str) -> list[str]:
        """What no log may show, whoever writes it there."""
        passwords = [
            unquote(urlsplit(url).password or "")
            for url in (database_url, self.database_direct_url, self.email_url)
        ]
        return [
            *(self.secret_key, *self.secret_key_fallbacks, *self.encryption_keys),
            *(self.google_client_secret, *passwords),
            *(self.sign_in_google_client_secret, self.sign_in_oidc_client_secret),
        ]

    @property
    def log_style(self) -> LogStyle:
        """Text for people at a terminal, JSON for everything else, if nothing was asked for."""
        is_terminal = sys.stderr.isatty()
        if self.log_format == "json" or not (self.log_format or is_terminal):
            return "json"
        has_colours = is_terminal and not self.no_color and self.term != "dumb"
        return "coloured" if has_colours else "plain"

    @property
    def google_configured(self) -> bool:
        return bool(self.google_client_id and self.google_client_secret)


def _is_easy_to_guess(key: str) -> bool:
    too_short = len(key) < MIN_LENGTH or len(set(key)) < MIN_DISTINCT
    return too_short or key.startswith("django-insecure-")


def read_environment() -> Environment:
    """The environment of this process, completed by the secrets that a demo made for itself.

    Raises `ConfigurationError` with one sentence that names the variable.
    """
    try:
        environment = Environment()
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        message = first["msg"].removeprefix("Value error, ")
        raise ConfigurationError(f"{name}: {message}.") from None
    kept = kept_secrets(environment.data_dir)
    if kept is None:
        return environment
    # The environment wins; the file lets every command share a demo's data folder.
    return environment.model_copy(
        update={
            "secret_key": environment.secret_key or kept["secret_key"],
            "encryption_keys": environment.encryption_keys or tuple(kept["encryption_keys"]),
        }
    )


def require_secrets(environment: Environment) -> None:
    """Refuses to start outside the demo without the operator's two secrets."""
    if not environment.secret_key:
        raise ConfigurationError(
            "SOPHIIE_SECRET_KEY is not set: give it a long random text that stays the same "
            "between starts (the demo, `sophiie demo`, makes its own)."
        )
    for name in environment.easy_to_guess:
        raise ConfigurationError(
            f"{name} is too easy to guess: give it at least {MIN_LENGTH} random characters; make "
            'some with: python -c "import secrets; print(secrets.token_urlsafe(48))".'
        )
    if not environment.encryption_keys:
        raise ConfigurationError(
            "SOPHIIE_ENCRYPTION_KEYS is not set: give it one or more Fernet keys, comma "
            "separated (the demo, `sophiie demo`, makes its own)."
        )


def process_environment(**changes: str) -> dict[str, str]:
    """The environment for a process that this one starts, with the changes given."""
    return {**os.environ, **changes}
