"""Sign-in and consent as a person walks through them (facts 1.2, 1.5)."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import parse_qsl, urlencode

from aiohttp import web

from google_simulator.model import Account
from google_simulator.oauth.authorize import AuthorizationRequest, ShownError
from google_simulator.oauth.scopes import LABELS, SIGN_IN, permissions
from google_simulator.pages.layout import attribute, hidden, page, text

ACTION = "/o/oauth2/v2/auth/step"


def choose_account(request: AuthorizationRequest, accounts: Iterable[Account]) -> web.Response:
    """The first page: a button for each account."""
    buttons = "".join(
        f'<button class="account" name="account" value="{attribute(account.email)}">'
        f"<strong>{text(account.name)}</strong> {text(account.email)}</button>"
        for account in accounts
    )
    return page(
        "Choose an account",
        f"<p>to continue to <strong>{text(request.client.name)}</strong></p>"
        f'<form method="post" action="{ACTION}">{hidden("request", request.query)}'
        f"{buttons or '<p>There is no account.</p>'}</form>",
        narrow=True,
    )


def sign_in(request: AuthorizationRequest, account: Account) -> web.Response:
    """The page before the permissions: only who the person is."""
    return page(
        f"Sign in to {request.client.name}",
        f"{_signed_in_as(account)}<p>Google will allow {text(request.client.name)} to:</p>"
        f"<ul>{_sign_in_items(request)}</ul>"
        f'<form method="post" action="{ACTION}">{_carried(request, account)}'
        f"{hidden('signed_in', 'yes')}{_buttons()}</form>",
        narrow=True,
    )


def grant_permissions(
    request: AuthorizationRequest, account: Account, *, preticked: bool, sign_in_shown: bool
) -> web.Response:
    """One box per permission; a single permission is all or nothing and has none."""
    asked = permissions(request.scopes)
    if len(asked) == 1:
        boxes = f"<ul><li>{text(LABELS[asked[0]])}</li></ul>{hidden('scope', asked[0])}"
    else:
        boxes = "".join(_box(scope, preticked) for scope in asked)
    items = "" if sign_in_shown else _sign_in_items(request)
    return page(
        f"{request.client.name} wants access to your Google Account",
        f"{_signed_in_as(account)}{f'<p>It will:</p><ul>{items}</ul>' if items else ''}"
        f'<form method="post" action="{ACTION}">{_carried(request, account)}'
        f"{hidden('decided', 'yes')}"
        f"<p>Select what {text(request.client.name)} can access</p>{boxes}{_buttons()}</form>"
        f'<p><a href="/o/oauth2/v2/auth?{attribute(_query_for_another(request))}">'
        "Use another account</a></p>",
        narrow=True,
    )


def refused(error: ShownError) -> web.Response:
    """Google's own error page."""
    return page(
        "Access blocked",
        f'<p class="error">{text(error.explanation)}</p>'
        f"<p>Error {error.status}: <code>{text(error.error)}</code></p>"
        '<p class="quiet">Google shows such a page itself: the application is not called back.</p>',
        status=error.status,
        narrow=True,
    )


def _box(scope: str, ticked: bool) -> str:
    return (
        f'<label class="tick"><input type="checkbox" name="scope" value="{attribute(scope)}"'
        f"{' checked' if ticked else ''}> <span>{text(LABELS[scope])}</span></label>"
    )


def _sign_in_items(request: AuthorizationRequest) -> str:
    return "".join(
        f"<li>{text(LABELS[scope])}</li>" for scope in request.scopes if scope in SIGN_IN
    )


def _signed_in_as(account: Account) -> str:
    return f'<p class="quiet">Signed in as {text(account.name)} ({text(account.email)})</p>'


def _carried(request: AuthorizationRequest, account: Account) -> str:
    return hidden("request", request.query) + hidden("account", account.email)


def _query_for_another(request: AuthorizationRequest) -> str:
    """The same request, but with the chooser first; a demanded consent stays demanded."""
    query = dict(parse_qsl(request.query))
    query["prompt"] = " ".join(sorted(request.prompts | {"select_account"}))
    return urlencode(query)


def _buttons() -> str:
    return (
        '<p class="row"><button class="primary" name="decision" value="continue">Continue</button>'
        '<button name="decision" value="deny">Cancel</button></p>'
    )
