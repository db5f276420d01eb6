"""Django's settings, derived from the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from csp.constants import NONE, SELF

from sophiie.config.environment import DEFAULT_PUBLIC_URL, read_environment, require_secrets
from sophiie.ops.demo_people import PASSWORD, PEOPLE

ENVIRONMENT = read_environment()
require_secrets(ENVIRONMENT)

DEBUG = False
SECRET_KEY = ENVIRONMENT.secret_key
SECRET_KEY_FALLBACKS = list(ENVIRONMENT.secret_key_fallbacks)
ENCRYPTION_KEYS = ENVIRONMENT.encryption_keys
DATA_DIR = ENVIRONMENT.data_dir
DEMO = ENVIRONMENT.demo

PUBLIC_URL = ENVIRONMENT.public_url or DEFAULT_PUBLIC_URL
_public = urlsplit(PUBLIC_URL)
LOOPBACK_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
PUBLIC_URL_IS_LOOPBACK = _public.hostname in ("localhost", "127.0.0.1", "::1")
HTTPS = _public.scheme == "https"
# Anybody can send any Host header. On one's own machine all its names are one's own.
ALLOWED_HOSTS = [f"[{_public.hostname}]" if ":" in (_public.hostname or "") else _public.hostname]
if DEMO or PUBLIC_URL_IS_LOOPBACK:
    ALLOWED_HOSTS += LOOPBACK_HOSTS
CSRF_TRUSTED_ORIGINS = [f"{_public.scheme}://{_public.netloc}"]
# The web server takes the client's address and scheme from these proxies. What anybody else claims
# counts for nothing, so no other code looks at such headers.
TRUSTED_PROXIES = ENVIRONMENT.trusted_proxies
METRICS_TOKEN = ENVIRONMENT.metrics_token
if HTTPS:
    SECURE_HSTS_SECONDS = 31_536_000

GOOGLE_CLIENT_ID = ENVIRONMENT.google_client_id
GOOGLE_CLIENT_SECRET = ENVIRONMENT.google_client_secret
GOOGLE_AUTH_URL = ENVIRONMENT.google_auth_url
GOOGLE_TOKEN_URL = ENVIRONMENT.google_token_url
GOOGLE_REVOKE_URL = ENVIRONMENT.google_revoke_url
GOOGLE_USERINFO_URL = ENVIRONMENT.google_userinfo_url
GOOGLE_API_URL = ENVIRONMENT.google_api_url
BUSY_POLL_SECONDS = ENVIRONMENT.busy_poll_seconds
BUSY_MAX_AGE_SECONDS = ENVIRONMENT.busy_max_age_seconds
GOOGLE_UNITS_PER_DAY = ENVIRONMENT.google_units_per_day
GOOGLE_UNITS_PER_MINUTE = ENVIRONMENT.google_units_per_minute
GOOGLE_UNITS_PER_USER_MINUTE = ENVIRONMENT.google_units_per_user_minute
GOOGLE_UNIT_PRICE = ENVIRONMENT.google_unit_price
PUSH_ADDRESS = ENVIRONMENT.push_address
# Changes of the same appointment within this time after a write to Google become one more call.
MIRROR_COALESCE_SECONDS = 0.4
API_REQUESTS_PER_MINUTE = ENVIRONMENT.api_requests_per_minute
HISTORY_DAYS = ENVIRONMENT.history_days
LEDGER_DAYS = ENVIRONMENT.ledger_days
IDEMPOTENCY_DAYS = ENVIRONMENT.idempotency_days
MAX_HOLDS = ENVIRONMENT.max_holds
LOG_LEVEL = ENVIRONMENT.log_level
AUDIT_DAYS = ENVIRONMENT.audit_days

INSTALLED_APPS = [
    "sophiie.web",  # first, so that its templates come before the libraries' own
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    # Each process that loads it takes 5 MB more.
    *(["allauth.socialaccount.providers.openid_connect"] if ENVIRONMENT.sign_in_providers else []),
    "ninja",
    "procrastinate.contrib.django",
    "sophiie.audit",
    "sophiie.accounts",
    "sophiie.busy_time",
    "sophiie.customers",
    "sophiie.services",
    "sophiie.resources",
    "sophiie.appointments",
    "sophiie.availability",
    "sophiie.waiting_list",
    "sophiie.calendar_link",
    "sophiie.sync",
    "sophiie.series",
    "sophiie.privacy",
    "sophiie.api",
]

MIDDLEWARE = [
    "sophiie.ops.health.HealthUnderAnyNameMiddleware",  # first: the others look at the Host header
    "django.middleware.security.SecurityMiddleware",
    "sophiie.web.serving.assets.Assets",
    "sophiie.web.serving.middleware.NothingIsKeptMiddleware",
    "csp.middleware.CSPMiddleware",
    "sophiie.web.serving.middleware.RequestLogMiddleware",
    "sophiie.audit.middleware.OriginMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "sophiie.web.shared.preferences.PreferencesMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "sophiie.web.serving.middleware.WrongMethodMiddleware",  # last, so that the others see its page
]

ROOT_URLCONF = "sophiie.config.urls"
ASGI_APPLICATION = "sophiie.config.asgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "sophiie.web.shared.context.banners",
            ],
        },
    },
]


def _database(url: str, *, pooled: bool = False) -> dict[str, Any]:
    """A PostgreSQL URL in Django's form, with a connection pool for each process. `pooled`: between
    it and PostgreSQL every transaction may have another connection."""
    parts = urlsplit(url)
    options: dict[str, Any] = {
        # One for every thread that may ask: those of pages and API, and those of `in_thread`. A
        # pool that has failed for a while starts over: its pauses grow with each try, and it would
        # find a database that is back only minutes later.
        "pool": {"min_size": 1, "max_size": 24, "timeout": 15, "reconnect_timeout": 5},
        "application_name": "sophiie",
        # A silent server or network is given up; no thread waits for ever.
        "connect_timeout": 5,
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "tcp_user_timeout": 30_000,
    }
    if not pooled:  # a pooler refuses it
        # Nor does anybody wait for the locks of a process that stands still in a transaction.
        options["options"] = "-c idle_in_transaction_session_timeout=20s"
        # A statement of our own is parsed once for each connection, not for each booking. Django's
        # own are not prepared: it writes their values into them.
        options["prepare_threshold"] = 5
    for pair in filter(None, parts.query.split("&")):
        name, _, value = pair.partition("=")
        options[name] = unquote(value)
    host = options.pop("host", "") or unquote(parts.hostname or "")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(options.pop("port", None) or parts.port or ""),
        "OPTIONS": options,
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": pooled,
    }


# The commands start or join the embedded server and put its address into the environment.
_url = ENVIRONMENT.database_url or "postgresql://localhost/sophiie"
_direct = ENVIRONMENT.database_direct_url
DATABASES = {"default": _database(_url, pooled=bool(_direct))}
# For what outlasts a transaction: listening, and the lock of whoever migrates.
DIRECT_DATABASE = _database(_direct) if _direct else {}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.Member"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/login"
LOGIN_REDIRECT_URL = "/calendar"
ACCOUNT_ADAPTER = "sophiie.accounts.sign_in.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "/login"
ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = False
ACCOUNT_SESSION_REMEMBER = True
MFA_ADAPTER = "sophiie.accounts.two_factor.TwoFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Sophiie"
MFA_TOTP_TOLERANCE = 1  # phones whose clock is half a minute off
MFA_ALLOW_UNVERIFIED_EMAIL = True  # addresses are proved in `accounts`, not by the library
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_FORMS = {
    "reset_password": "sophiie.web.account.password_forms.AskForResetForm",
    "reset_password_from_key": "sophiie.web.account.password_forms.ResetPasswordForm",
    "change_password": "sophiie.web.account.password_forms.ChangePasswordForm",
    "set_password": "sophiie.web.account.password_forms.SetPasswordForm",
}
# Nothing is kept of what a provider says: each sign-in finds its member anew by the address that
# the provider has verified; see `accounts/sign_in_elsewhere.py`.
SIGN_IN_PROVIDERS = ENVIRONMENT.sign_in_providers
SOCIALACCOUNT_ADAPTER = "sophiie.accounts.sign_in_elsewhere.ProviderAdapter"
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "OAUTH_PKCE_ENABLED": True,
        "SCOPE": ["openid", "email"],
        "APPS": [
            {
                "provider_id": provider.id,
                "name": provider.name,
                "client_id": provider.client_id,
                "secret": provider.client_secret,
                "settings": {"server_url": provider.issuer},
            }
            for provider in SIGN_IN_PROVIDERS
        ],
    }
}
# Many people share an address (a clinic's router, the tests' loopback) and sign in at once, so an
# address alone may do a lot; `accounts.sign_in` slows guessing down.
ACCOUNT_RATE_LIMITS = {
    "login": "300/m/ip",
    "login_failed": "60/m/ip,300/h/ip",
    "reset_password": "20/m/ip,60/h/ip,5/h/key",
    "reset_password_from_key": "20/m/ip",
    "change_password": "5/m/user",
    "reauthenticate": "10/m/user",
    # Each sends a mail to somebody who may not have asked for it.
    "signup": "10/m/ip,60/h/ip,5/h/key",
    "change_email": "5/h/user",
    # Each computes a slow password hash.
    "join": "20/m/ip",
    # Each reads and packs everything there is.
    "export": "10/h/user",
    # Each checks thousands of lines.
    "import": "60/h/user",
}
# A provider gives one customer this much.
ALLAUTH_RATE_LIMIT_IPV6_PREFIX = 64
# The sign-in library counts in the default cache, and nothing else is kept there.
CACHES = {"default": {"BACKEND": "sophiie.accounts.attempts.AttemptsCache"}}
SIGN_UP_OPEN = ENVIRONMENT.sign_up_open

if ENVIRONMENT.email_url:
    _mail = urlsplit(ENVIRONMENT.email_url)
    EMAIL_HOST, EMAIL_PORT = _mail.hostname or "localhost", _mail.port or 587
    EMAIL_HOST_USER = unquote(_mail.username or "")
    EMAIL_HOST_PASSWORD = unquote(_mail.password or "")
    EMAIL_USE_SSL = _mail.scheme == "smtps"
    EMAIL_USE_TLS = not EMAIL_USE_SSL and bool(_mail.username)
    EMAIL_TIMEOUT = 8  # less than a process has to end
else:
    # Not the console: a link that resets a password is a secret, and many people read logs.
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = DATA_DIR / "mail"
DEFAULT_FROM_EMAIL = ENVIRONMENT.email_from

MESSAGE_STORAGE = "sophiie.web.shared.messages.Messages"
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"  # the callback from Google is a cross-site navigation
SESSION_COOKIE_NAME = "sophiie_session"
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_NAME = "sophiie_csrf"
CSRF_FAILURE_VIEW = "sophiie.web.shared.errors.csrf_failure"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "worker-src": [SELF],
        # Also decides where a form may redirect to: linking and signing in post, then go elsewhere.
        "form-action": [
            SELF,
            *(
                "{0.scheme}://{0.netloc}".format(urlsplit(address))
                for address in (GOOGLE_AUTH_URL, *(p.issuer for p in SIGN_IN_PROVIDERS))
            ),
        ],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    },
}

DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
STATIC_URL = "/static/"
STORAGES = {
    "staticfiles": {"BACKEND": "sophiie.web.serving.assets.ReleasedFiles"},
}
# Served straight from the packages, so nobody can forget a collecting step.
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 300
WHITENOISE_ALLOW_ALL_ORIGINS = False

LANGUAGE_CODE = "en"
# Each in its own words. The texts are in sophiie/locale; see tools/translations.py.
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [Path(__file__).resolve().parents[1] / "locale"]
LANGUAGE_COOKIE_NAME = "sophiie_language"
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = HTTPS
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

LOGGING_CONFIG = None  # `common.logs.configure_logging` does it
PROCRASTINATE_IMPORT_PATHS = ["sophiie.sync.tasks"]
PROCRASTINATE_ON_APP_READY = None
SILENCED_SYSTEM_CHECKS = ["auth.W004"]  # email addresses are unique by a constraint on lower()

# Shown on the sign-in page of the demo, and nowhere else.
DEMO_SIGN_INS = [{"email": email, "password": PASSWORD} for _, email, _ in PEOPLE]
