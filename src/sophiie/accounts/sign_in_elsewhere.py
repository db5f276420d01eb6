"""Signing in with Google or another OpenID provider that the operator has configured.

An address that the provider has verified lets in the member who has it, and nobody else: an
unverified one could be anybody's, and no account is made or linked. The second step is asked for as
after a password.
"""

from __future__ import annotations

from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.providers.base.constants import AuthProcess
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.shortcuts import render

from sophiie.accounts.models import Member
from sophiie.common.logs import log

logger = log(__name__)


class ProviderAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth is untyped
    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Finds the member, or refuses with a page that does not say whether one has the address.

        Raises `ImmediateHttpResponse`.
        """
        if sociallogin.state.get("process") not in (None, AuthProcess.LOGIN):
            raise PermissionDenied
        member = _member_of(sociallogin)
        if member is None:
            logger.info("nobody to sign in", provider=sociallogin.account.provider)
            page = render(request, "account/unknown_elsewhere.html", status=403)
            raise ImmediateHttpResponse(page)
        sociallogin.user = member

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Exception | None = None,
        extra_context: Any = None,
    ) -> None:
        """One page for whatever went wrong; nobody can mend it by knowing more."""
        logger.warning(
            "signing in elsewhere failed", error=str(error), exception=type(exception).__name__
        )
        page = render(request, "account/failed_elsewhere.html", status=403)
        raise ImmediateHttpResponse(page)


def _member_of(sociallogin: SocialLogin) -> Member | None:
    verified = [
        address.email for address in sociallogin.email_addresses if address.verified is True
    ]
    for email in verified:
        member = Member.objects.filter(email__iexact=email, is_active=True).first()
        if member is not None:
            return member
    return None
