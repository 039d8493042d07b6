"""The addresses of sign-in by an identity provider: away to it, back from it, and where it says
that somebody has signed out there."""

from __future__ import annotations

import time
from typing import Any, Final

from flask import Flask, Response, redirect, request, session

from callbacks.access.browser_session import begin_session
from callbacks.access.guard import OIDC, OIDC_CALLBACK, OIDC_LOGOUT, error_response, local_path
from callbacks.access.oidc import Pending
from callbacks.access.oidc_sessions import ProviderSessions
from callbacks.access.session import Authenticator, Person
from callbacks.access.trail import origin
from data.errors import Refused, SpendscopeError, Stranger

PENDING: Final = "oidc"
MOST: Final = 3  # begun in as many tabs
LONGEST_SECONDS: Final = 600
LONGEST_NEXT: Final = 500
LARGEST_LOGOUT: Final = 20_000
TOO_OLD: Final = "this sign-in was not begun here, or took too long: try again"


def attach(server: Flask, authenticator: Authenticator, page: Any) -> None:
    """Route them on a server; `page` shows the sign-in page with an error."""
    oidc = authenticator.oidc
    if oidc is None:
        return
    server.add_url_rule(OIDC, "oidc", lambda: _guarded(_away, authenticator, oidc, page))
    server.add_url_rule(
        OIDC_CALLBACK, "oidc_callback", lambda: _guarded(_back, authenticator, oidc, page)
    )
    server.add_url_rule(OIDC_LOGOUT, "oidc_logout", lambda: logged_out(oidc), methods=["POST"])


def _guarded(view: Any, authenticator: Authenticator, oidc: ProviderSessions, page: Any) -> Any:
    """What a view answers, or the sign-in page that says why it did not work."""
    try:
        return view(oidc)
    except SpendscopeError as refusal:
        authenticator.refused_try("identity provider", str(refusal))
        return page(authenticator, refusal), refusal.status


def _away(oidc: ProviderSessions) -> Any:
    """To the provider, with what must come back noted in the browser's own session."""
    state, pending, url = oidc.begin()
    target = local_path(request.args.get("next"))
    kept = dict(list(_pending().items())[1 - MOST :]) if MOST > 1 else {}
    kept[state] = [*pending, target if len(target) <= LONGEST_NEXT else "/", int(time.time())]
    session[PENDING] = kept
    return redirect(url)


def _back(oidc: ProviderSessions) -> Any:
    """From the provider: whoever began this sign-in in this browser is in, once."""
    waiting = _pending()
    found = waiting.pop(request.args.get("state", ""), None)
    session[PENDING] = waiting
    if found is None or time.time() - found[3] > LONGEST_SECONDS:
        raise Stranger(TOO_OLD)
    _check_answer(oidc)
    granted = oidc.provider.redeem(request.args.get("code", ""), Pending(found[0], found[1]))
    begin_session(Person("oidc", granted.claims, stamp=oidc.stamp), oidc.kept(granted))
    return redirect(local_path(found[2]), 303)


def _check_answer(oidc: ProviderSessions) -> None:
    if error := request.args.get("error"):
        why = request.args.get("error_description") or error
        raise Stranger(f"the identity provider refused: {why[:200]}")
    document = oidc.provider.document()
    says = document.get("authorization_response_iss_parameter_supported") is True
    if (says or "iss" in request.args) and request.args.get("iss") != document["issuer"]:
        raise Stranger("another identity provider answered: try again")
    if not request.args.get("code"):
        raise Stranger("the identity provider sent no code: try again")


def _pending() -> dict[str, list[Any]]:
    kept = session.get(PENDING)
    return dict(kept) if isinstance(kept, dict) else {}


def logged_out(oidc: ProviderSessions) -> Any:
    """The provider says, from server to server, that somebody has signed out."""
    if (request.content_length or 0) > LARGEST_LOGOUT:
        return error_response(Refused("logout_token", "that is too long for a logout token"))
    try:
        oidc.end_by(request.form.get("logout_token", ""), origin())
    except Stranger as refusal:
        return error_response(Refused("logout_token", str(refusal)))
    return Response(status=200)
