"""Signing in and out. `attach` is all that `app.py` needs to know about who may come in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlencode

from flask import Flask, make_response, redirect, request, session
from flask_login import current_user
from flask_wtf.csrf import generate_csrf

from callbacks.access import one_time_links, provider_pages, provider_sessions, site
from callbacks.access.browser_session import begin_session, end_session
from callbacks.access.demo import why_closed
from callbacks.access.guard import (
    NOTE,
    SIGN_IN,
    SIGN_OUT,
    error_response,
    guard,
    local_path,
    retry_after,
)
from callbacks.access.headers import CSRF_COOKIE, harden
from callbacks.access.pages import notice, page
from callbacks.access.session import (
    Authenticator,
    Person,
    account_person,
    current_actor,
    current_person,
    current_scope,
    install_authenticator,
)
from callbacks.access.tokens import Tokens
from data.engines.protocol import EventStore
from data.errors import Forbidden, SpendscopeError, Stranger
from data.people.aliases import PersonDirectory
from data.sample.organisation import PERSONAS
from data.settings import Settings
from data.state.store import State

BUTTONS: Final = {
    "oidc": "Sign in with your organisation", "github": "Sign in with GitHub",
}  # fmt: skip
NO_SESSION: Final = "a proxy in front of this server says who you are: sign out there"
__all__ = ["attach", "current_person", "current_scope"]


def attach(
    server: Flask,
    settings: Settings,
    state: State,
    store: EventStore,
    script_hashes: Callable[[], list[str]],
) -> None:
    """Close a server to strangers and give it its ways in. Call it before Dash gets the server."""
    providers, people = provider_sessions.of_settings(settings, state), PersonDirectory(state)
    authenticator = Authenticator(settings, state, store, Tokens(settings), people, providers)
    server.secret_key = settings.secret_key
    site.attach(server, settings)
    harden(server, script_hashes)
    install_authenticator(server, authenticator)
    server.before_request(authenticator.demo.sweep)
    guard(server)
    server.register_error_handler(SpendscopeError, error_response)
    methods = ["GET", "POST"]
    server.add_url_rule(SIGN_IN, "sign_in", lambda: sign_in(authenticator), methods=methods)
    server.add_url_rule(SIGN_OUT, "sign_out", lambda: sign_out(authenticator), methods=methods)
    one_time_links.attach(server, authenticator)
    provider_pages.attach(server, authenticator, _refused)


def sign_in(authenticator: Authenticator) -> Any:
    """The ways in that are open now; or, with one of them taken, where the reader wanted to go."""
    if request.method != "POST":
        return _sign_in_page(authenticator)
    try:
        begin_session(_authenticate(authenticator))
    except SpendscopeError as refusal:
        return _refused(authenticator, refusal), refusal.status, retry_after(refusal)
    return redirect(local_path(request.form.get("next")), 303)


def sign_out(authenticator: Authenticator) -> Any:
    """A question for those who follow a link, the end of the session for those who answer it."""
    if current_person().session is None:
        status = Forbidden.status if request.method == "POST" else 200
        return notice("Sign out", NO_SESSION, "/", "Go on"), status
    if request.method != "POST":
        return page("sign_out", name=current_person().name, csrf=generate_csrf())
    person = current_person()
    door = authenticator.providers.get(person.session.way) if person.session else None
    further = door.sign_out_url(person.session) if door and person.session else None
    end_session(None if person.is_demo else current_actor(authenticator.settings))
    if door and person.session:
        door.give_back(person.session)
    answer = make_response(page("signed_out", link=further) if further else redirect(SIGN_IN, 303))
    answer.delete_cookie(CSRF_COOKIE, samesite="Lax")
    return answer


def _authenticate(authenticator: Authenticator) -> Person:
    """Who the form's sender has shown to be."""
    form = request.form
    if "persona" in form:
        return authenticator.persona(form["persona"])
    if "token" in form:
        return _of_token(authenticator, form["token"].strip())
    account = None
    if authenticator.takes_passwords:
        account = authenticator.verify(form.get("name", ""), form.get("password", ""))
    if account is None:
        raise Stranger("the name or the password is wrong")
    return account_person(account)


def _of_token(authenticator: Authenticator, token: str) -> Person:
    try:
        verified = authenticator.tokens.verified(token)
    except Stranger as refusal:
        authenticator.refused_try("token", str(refusal))
        raise
    return Person("token", verified.claims, stamp=verified.binding)


def _refused(authenticator: Authenticator, refusal: SpendscopeError) -> str:
    return _sign_in_page(authenticator, _sentence(refusal))


def _sign_in_page(authenticator: Authenticator, error: str = "") -> str:
    closed = why_closed(authenticator.settings, authenticator.state, authenticator.store)
    accounts = authenticator.takes_passwords and authenticator.state.has_accounts()
    nothing_else = (
        "demo" in authenticator.settings.sign_in
        and not accounts
        and not authenticator.tokens.configured
        and not authenticator.providers
    )
    return page(
        "sign_in",
        personas=() if closed else PERSONAS,
        note=_sentence(session.pop(NOTE, "") or (closed if nothing_else else "")),
        accounts=accounts,
        tokens=authenticator.tokens.configured,
        local=authenticator.takes_passwords,
        providers=[(way, BUTTONS[way]) for way in authenticator.providers],
        further=urlencode({"next": local_path(request.values.get("next"))}),
        error=error,
        name=request.form.get("name", ""),
        next=local_path(request.values.get("next")),
        csrf=generate_csrf(),
        known=current_user.name if current_user.is_authenticated else "",
    )


def _sentence(words: object) -> str:
    text = str(words or "")
    return f"{text[:1].upper()}{text[1:]}." if text else ""
