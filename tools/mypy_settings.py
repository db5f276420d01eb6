"""Django's settings as the type checker reads them: the real ones, without a person's secrets."""

import os
import secrets

from cryptography.fernet import Fernet

os.environ.setdefault("SOPHIIE_SECRET_KEY", secrets.token_urlsafe(48))
os.environ.setdefault("SOPHIIE_ENCRYPTION_KEYS", Fernet.generate_key().decode())

from sophiie.config.settings import *  # noqa: F403
