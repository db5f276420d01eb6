"""A small Django site that signs people in by OpenID's discovery document, with django-allauth.

A program of its own, because allauth's models belong to a Django of their own. It walks the whole
way (`python -m … BASE_URL CLIENT_ID CLIENT_SECRET ACCOUNT`) and prints what it learnt as JSON.
"""

import json
import sys

import django
from django.conf import settings

from google_simulator.walker import walk_consent

TEMPLATES = "django.template.backends.django.DjangoTemplates"


def configure(base_url: str, client_id: str, secret: str) -> None:
    """Settings of a site with nothing but this sign-in."""
    settings.configure(
        SECRET_KEY="a" * 50,
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF="allauth.urls",
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
        LOGIN_REDIRECT_URL="/",
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
            "allauth",
            "allauth.account",
            "allauth.socialaccount",
            "allauth.socialaccount.providers.openid_connect",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
            "allauth.account.middleware.AccountMiddleware",
        ],
        TEMPLATES=[
            {"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}
        ],
        SOCIALACCOUNT_LOGIN_ON_GET=True,
        SOCIALACCOUNT_PROVIDERS={
            "openid_connect": {
                "OAUTH_PKCE_ENABLED": True,
                "APPS": [
                    {
                        "provider_id": "google-box",
                        "name": "Google in a box",
                        "client_id": client_id,
                        "secret": secret,
                        "settings": {"server_url": base_url},
                    }
                ],
            }
        },
    )
    django.setup()


def sign_in(account: str) -> dict[str, str]:
    """Through the consent pages and back; what the site then knows of the person."""
    from allauth.socialaccount.models import SocialAccount
    from django.core.management import call_command
    from django.test import Client

    call_command("migrate", verbosity=0)
    browser = Client(HTTP_HOST="127.0.0.1")
    begun = browser.get("/oidc/google-box/login/")
    callback = walk_consent(begun["Location"], account=account, grant="all")
    ended = browser.get(callback)
    found = SocialAccount.objects.get()
    return {"status": str(ended.status_code), "uid": found.uid, "email": found.user.email}


if __name__ == "__main__":
    configure(*sys.argv[1:4])
    print(json.dumps(sign_in(sys.argv[4])))
