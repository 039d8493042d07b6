"""The pages of one-time links: the first account is made, somebody sets the password of theirs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from flask import Flask, redirect, request
from flask_wtf.csrf import generate_csrf

from callbacks.access.browser_session import begin_session
from callbacks.access.guard import OWN_PASSWORD, SETUP, SIGN_IN, retry_after
from callbacks.access.pages import notice, page
from callbacks.access.session import Authenticator, account_person
from callbacks.access.trail import origin
from data.errors import Refused, Stranger, TooMany
from data.settings import Settings
from data.state.account_changes import LINK_OVER, find_link, use_link
from data.state.accounts import Account

SETUP_OVER: Final = "It was used already, or a later start printed another one: open the newest."


def attach(server: Flask, authenticator: Authenticator) -> None:
    """Route them on a server."""
    for path, view in ((SETUP, set_up), (OWN_PASSWORD, set_password)):
        server.add_url_rule(
            path, view.__name__, lambda view=view: _page(view, authenticator),
            methods=["GET", "POST"],
        )  # fmt: skip


def _page(view: Callable[[Authenticator], Any], authenticator: Authenticator) -> Any:
    """What a view answers, or the page that says to wait."""
    try:
        return view(authenticator)
    except TooMany as refusal:
        wait = notice("Wait a little", f"{str(refusal).capitalize()}.", SIGN_IN)
        return wait, refusal.status, retry_after(refusal)


def setup_link(token: str, settings: Settings) -> str:
    """Where the first account is made: the one-time link that a start without accounts leaves."""
    return f"{site(settings)}{SETUP}?token={token}"


def password_link(token: str, site: str) -> str:
    """Where the holder of an account sets its password."""
    return f"{site.rstrip('/')}{OWN_PASSWORD}?token={token}"


def site(settings: Settings) -> str:
    """Where this server is, as it knows: its public address, or the one it listens on."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return settings.public_url or f"http://{host}:{settings.port}"


def set_up(authenticator: Authenticator) -> Any:
    """The form of the one-time link; or, filled in, the app with its first account signed in."""
    token = request.values.get("token", "")
    state = authenticator.state
    if not authenticator.takes_passwords or not authenticator.find_link(
        lambda: state.is_setup_token(token) or None
    ):
        return _link_expired(SETUP_OVER)
    return _setup_form(token) if request.method != "POST" else _create_account(authenticator, token)


def _create_account(authenticator: Authenticator, token: str) -> Any:
    described = {name: request.form.get(name, "") for name in ("user", "name", "email")}
    password, now = request.form.get("password", ""), authenticator.settings.now()
    try:
        account = authenticator.state.use_setup_token(token, described, password, now, origin())
    except Stranger as refusal:
        return _link_expired(str(refusal))
    except Refused as refusal:
        return _setup_form(token, str(refusal), refusal.parameter), refusal.status
    return _signed_in(account)


def _setup_form(token: str, error: str = "", parameter: str = "") -> str:
    typed = {field: request.form.get(field, "") for field in ("user", "name", "email")}
    return page(
        "setup", token=token, csrf=generate_csrf(), error=error, parameter=parameter, values=typed
    )


def set_password(authenticator: Authenticator) -> Any:
    """The form in which the holder of an account sets its password; or, filled in, the app."""
    token, now = request.values.get("token", ""), authenticator.settings.now()
    if not authenticator.takes_passwords:
        return _link_expired("Nobody signs in with a password here.")
    account = authenticator.find_link(lambda: find_link(authenticator.state, token, now))
    if account is None:
        return _link_expired(LINK_OVER)
    if request.method != "POST":
        return _password_form(token, account)
    try:
        password = request.form.get("password", "")
        return _signed_in(use_link(authenticator.state, token, password, now, origin()))
    except Stranger as refusal:
        return _link_expired(str(refusal))
    except Refused as refusal:
        return _password_form(token, account, str(refusal)), refusal.status


def _password_form(token: str, account: Account, error: str = "") -> str:
    return page(
        "set_password", token=token, csrf=generate_csrf(), name=account.name, user=account.id,
        error=error,
    )  # fmt: skip


def _signed_in(account: Account) -> Any:
    begin_session(account_person(account))
    return redirect("/", 303)


def _link_expired(sentence: str) -> Any:
    return notice("This link no longer works", sentence, SIGN_IN), Stranger.status
