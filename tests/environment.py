"""The surroundings of the tests, there before Django reads its settings.

A real PostgreSQL in a folder of its own, secrets that are worth nothing, and no way to the real
Google: an address that nobody answers stands in its place until a test starts the simulator.
"""

import atexit
import os
import secrets
import shutil
import tempfile
from pathlib import Path

import hypothesis
from cryptography.fernet import Fernet

from sophiie.database import EmbeddedPostgres

FOLDER = Path(tempfile.mkdtemp(prefix="sophiie-tests-"))
SERVER = EmbeddedPostgres(FOLDER, durable=False)
# A server that runs already, for tools/mutants.py.
GIVEN = os.environ.get("TESTS_DATABASE_URL")
NOWHERE = "http://127.0.0.1:9"
# What tests/prepared.py makes, once in a run: workers are told the place by its first process.
PREPARED = Path(os.environ.setdefault("TESTS_PREPARED", str(FOLDER / "prepared")))


def _end() -> None:
    if not GIVEN:
        SERVER.stop()
    shutil.rmtree(FOLDER, ignore_errors=True)


for name in [n for n in os.environ if n.startswith(("SOPHIIE_", "GOOGLE_"))]:
    if not name.startswith("GOOGLE_CONTRACT_"):  # see tests/contract/conftest.py
        del os.environ[name]
os.environ.update(
    SOPHIIE_DATABASE_URL=GIVEN or SERVER.start(),
    SOPHIIE_DATA_DIR=str(FOLDER),
    SOPHIIE_SECRET_KEY=secrets.token_urlsafe(48),
    SOPHIIE_ENCRYPTION_KEYS=Fernet.generate_key().decode(),
    SOPHIIE_PUBLIC_URL="http://localhost:8000",
    GOOGLE_CLIENT_ID="sophiie-demo",
    GOOGLE_CLIENT_SECRET="sophiie-demo-secret",
    SOPHIIE_GOOGLE_AUTH_URL=f"{NOWHERE}/o/oauth2/v2/auth",
    SOPHIIE_GOOGLE_TOKEN_URL=f"{NOWHERE}/token",
    SOPHIIE_GOOGLE_REVOKE_URL=f"{NOWHERE}/revoke",
    SOPHIIE_GOOGLE_USERINFO_URL=f"{NOWHERE}/v1/userinfo",
    SOPHIIE_GOOGLE_API_URL=f"{NOWHERE}/calendar/v3",
)
atexit.register(_end)
# How slow the machine is says nothing about the code.
hypothesis.settings.register_profile("sophiie", deadline=None)
hypothesis.settings.load_profile("sophiie")
