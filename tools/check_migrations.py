"""Fails when the models and the migrations are out of step."""

import os
import secrets
import sys
import tempfile

from cryptography.fernet import Fernet


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SOPHIIE_DATA_DIR"] = folder
        os.environ["SOPHIIE_SECRET_KEY"] = secrets.token_urlsafe(48)
        os.environ["SOPHIIE_ENCRYPTION_KEYS"] = Fernet.generate_key().decode()
        os.environ.pop("SOPHIIE_DATABASE_URL", None)

        from sophiie.config.bootstrap import django_ready
        from sophiie.config.environment import read_environment

        with django_ready(read_environment()):
            from django.apps import apps
            from django.core.management import call_command

            call_command("check", "--fail-level", "WARNING")
            configs = apps.get_app_configs()
            ours = [config.label for config in configs if config.name.startswith("sophiie.")]
            call_command("makemigrations", *ours, "--check", "--dry-run")
    return 0


if __name__ == "__main__":
    sys.exit(main())
