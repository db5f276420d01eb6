"""Other providers with which members may sign in, as the environment names them."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import AliasChoices, Field
from pydantic_settings import BaseSettings

GOOGLE_ISSUER = "https://accounts.google.com"


@dataclass(frozen=True, kw_only=True)
class SignInProvider:
    """An OpenID provider whose verified email addresses let members in."""

    id: str
    name: str
    issuer: str
    client_id: str
    client_secret: str

    @property
    def is_whole(self) -> bool:
        return bool(self.issuer and self.client_id and self.client_secret)


class SignInSettings(BaseSettings):
    """Each provider is off while it has no client."""

    sign_in_google_client_id: str = Field(
        default="", validation_alias=AliasChoices("SOPHIIE_SIGN_IN_GOOGLE_CLIENT_ID")
    )
    sign_in_google_client_secret: str = Field(
        default="",
        validation_alias=AliasChoices("SOPHIIE_SIGN_IN_GOOGLE_CLIENT_SECRET"),
        repr=False,
    )
    sign_in_oidc_issuer: str = Field(
        default="", validation_alias=AliasChoices("SOPHIIE_SIGN_IN_OIDC_ISSUER")
    )
    sign_in_oidc_client_id: str = Field(
        default="", validation_alias=AliasChoices("SOPHIIE_SIGN_IN_OIDC_CLIENT_ID")
    )
    sign_in_oidc_client_secret: str = Field(
        default="", validation_alias=AliasChoices("SOPHIIE_SIGN_IN_OIDC_CLIENT_SECRET"), repr=False
    )
    sign_in_oidc_name: str = Field(
        default="OpenID Connect", validation_alias=AliasChoices("SOPHIIE_SIGN_IN_OIDC_NAME")
    )

    @property
    def sign_in_providers(self) -> list[SignInProvider]:
        """Whom else people may sign in with."""
        google = SignInProvider(
            id="google",
            name="Google",
            issuer=GOOGLE_ISSUER,
            client_id=self.sign_in_google_client_id,
            client_secret=self.sign_in_google_client_secret,
        )
        other = SignInProvider(
            id="oidc",
            name=self.sign_in_oidc_name,
            issuer=self.sign_in_oidc_issuer,
            client_id=self.sign_in_oidc_client_id,
            client_secret=self.sign_in_oidc_client_secret,
        )
        return [found for found in (google, other) if found.is_whole]

    @property
    def half_a_sign_in_provider(self) -> list[str]:
        """The variables that are missing where others of the same provider are set."""
        google = {
            "SOPHIIE_SIGN_IN_GOOGLE_CLIENT_ID": self.sign_in_google_client_id,
            "SOPHIIE_SIGN_IN_GOOGLE_CLIENT_SECRET": self.sign_in_google_client_secret,
        }
        other = {
            "SOPHIIE_SIGN_IN_OIDC_ISSUER": self.sign_in_oidc_issuer,
            "SOPHIIE_SIGN_IN_OIDC_CLIENT_ID": self.sign_in_oidc_client_id,
            "SOPHIIE_SIGN_IN_OIDC_CLIENT_SECRET": self.sign_in_oidc_client_secret,
        }
        return [
            name
            for values in (google, other)
            if any(values.values())
            for name, value in values.items()
            if not value
        ]
