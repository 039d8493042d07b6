"""The addresses of sign-in by identity providers: away to one, back from it, and where one says
that somebody has signed out there.

What has begun with one ends with that one: each has a callback and a memory of its own, so that
what one sends is never shown to another.
"""

from __future__ import annotations

import time
from functools import partial
from typing import Any, Final

from flask import Flask, Response, redirect, request, session

from callbacks.access.browser_session import begin_session
from callbacks.access.guard import (
    OIDC_LOGOUT,
    PROVIDERS,
    error_response,
    local_path,
    retry_after,
)
from callbacks.access.oidc import Provider
from callbacks.access.provider import Pending
from callbacks.access.provider_sessions import ProviderSessions
from callbacks.access.session import Authenticator, Person
from callbacks.access.trail import origin
from data.errors import Refused, SpendscopeError, Stranger

MOST: Final = 3  # begun in as many tabs
LONGEST_SECONDS: Final = 600
LONGEST_NEXT: Final = 500
LARGEST_LOGOUT: Final = 20_000
TOO_OLD: Final = "this sign-in was not begun here, or took too long: try again"


def attach(server: Flask, authenticator: Authenticator, page: Any) -> None:
    """Route them on a server; `page` shows the sign-in page with an error."""
    for way, door in authenticator.providers.items():
        away, back = PROVIDERS[way]
        for path, view in ((away, _away), (back, _back)):
            server.add_url_rule(path, path, partial(_guarded, view, authenticator, door, page))
        if isinstance(door.provider, Provider):
            notified = partial(logged_out, door, door.provider)
            server.add_url_rule(OIDC_LOGOUT, "oidc_logout", notified, methods=["POST"])


def _guarded(view: Any, authenticator: Authenticator, door: ProviderSessions, page: Any) -> Any:
    """What a view answers, or the sign-in page that says why it did not work."""
    try:
        return view(door)
    except SpendscopeError as refusal:
        authenticator.refused_try("identity provider", str(refusal))
        return page(authenticator, refusal), refusal.status, retry_after(refusal)


def _away(door: ProviderSessions) -> Any:
    """To the provider, with what must come back noted in the browser's own session."""
    state, pending, url = door.begin()
    target = local_path(request.args.get("next"))
    kept = dict(list(_pending(door.way).items())[1 - MOST :]) if MOST > 1 else {}
    kept[state] = [*pending, target if len(target) <= LONGEST_NEXT else "/", int(time.time())]
    session[door.way] = kept
    return redirect(url)


def _back(door: ProviderSessions) -> Any:
    """From the provider: whoever began this sign-in in this browser is in, once."""
    waiting = _pending(door.way)
    found = waiting.pop(request.args.get("state", ""), None)
    session[door.way] = waiting
    if found is None or time.time() - found[3] > LONGEST_SECONDS:
        raise Stranger(TOO_OLD)
    _check_answer(door)
    granted = door.redeem(request.args.get("code", ""), Pending(found[0], found[1]))
    begin_session(Person(door.way, granted.claims, stamp=door.stamp), door.kept(granted))
    return redirect(local_path(found[2]), 303)


def _check_answer(door: ProviderSessions) -> None:
    if error := request.args.get("error"):
        why = request.args.get("error_description") or error
        raise Stranger(f"the identity provider refused: {why[:200]}")
    door.provider.check_answer(request.args)
    if not request.args.get("code"):
        raise Stranger("the identity provider sent no code: try again")


def _pending(way: str) -> dict[str, list[Any]]:
    kept = session.get(way)
    return dict(kept) if isinstance(kept, dict) else {}


def logged_out(door: ProviderSessions, provider: Provider) -> Any:
    """The provider says, from server to server, that somebody has signed out."""
    if (request.content_length or 0) > LARGEST_LOGOUT:
        return error_response(Refused("logout_token", "that is too long for a logout token"))
    try:
        with door.turn():
            logout = provider.logout(request.form.get("logout_token", ""))
        door.end_by(logout, origin())
    except Stranger as refusal:
        return error_response(Refused("logout_token", str(refusal)))
    return Response(status=200)
