"""Looking at the dashboard as somebody else: the browser session of a platform admin has the scope
of the person they chose, found anew at every request, and changes nothing.

It ends after half an hour, with the session, by the button in the banner, and at the first request
after the admin's right or the person's account has gone. What asks for it then and is no page is
refused once: the page that it is for still says that it shows another's view.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from flask import Response, g, request, session
from flask_login import current_user

from callbacks.access.trail import origin
from data.access.scope import Scope
from data.errors import Forbidden
from data.state import confirmations, sessions, viewings
from data.state.audit import NOTHING, Actor
from data.state.sessions import Session
from data.state.store import State
from data.state.viewings import Viewing

if TYPE_CHECKING:
    from callbacks.access.session import Person

NOTE: Final = "viewing-note"
WHOSE: Final = "X-Viewing"
OWN: Final = "own"
GLANCE: Final = "spendscope.glance"  # in a WSGI environment: nobody is answered
CALLBACKS: Final = "/_dash-update-component"
SIGN_OUT: Final = "/sign-out"
STOP: Final = "/api/v1/viewings/end"
READ: Final = frozenset({"GET", "HEAD"})
STOPPED: Final = "it was stopped"
NO_ADMIN: Final = "you are no platform administrator any more"
FORGOTTEN: Final = "there is no such person any more"


class Viewer(NamedTuple):
    """Who looks as somebody else, in which viewing, and until when (µs UTC)."""

    number: int
    id: str
    name: str
    until: int


def as_viewed(own: Person, state: State, now: int, stamps: frozenset[str]) -> Person:
    """Whom a request is of: the person whom its session looks as, or who signed in; `now` is the
    clock of the trail, `stamps` are the identity providers of now."""
    if own.session is None or own.session.viewing is None:
        return own
    view = viewings.of_session(state, own.session)
    account = state.account(view.user) if view else None
    confirmed = confirmations.latest(state, view.user, stamps) if view and not account else None
    claims, why = viewings.claims_of(view, account, confirmed) if view else ({}, FORGOTTEN)
    if not own.scope.manages_platform:
        why = NO_ADMIN
    elif view and view.until <= sessions.now():
        why = viewings.TOO_LATE
    if view is None or why:
        return _ended(own, state, now, why, view)
    viewer = Viewer(view.id, own.scope.subject, own.name, view.until)
    way: Literal["account", "token"] = "account" if account else "token"
    return replace(own, way=way, claims=claims, stamp="", viewer=viewer)


def _ended(own: Person, state: State, now: int, why: str, view: Viewing | None) -> Person:
    """They are themselves again, from the next request on."""
    g.view_ended = f"You no longer see what {view.name if view else 'that person'} sees: {why}."
    if own.session and GLANCE not in request.environ:
        actor = Actor(own.scope, own.name, now, origin())
        viewings.finish(state, actor, own.session, sessions.now(), why)
        session[NOTE] = g.view_ended
    return own


def end_with_session(state: State, found: Session | None, now: int, why: str) -> None:
    """A session that lets nobody in any more looks as nobody."""
    if found and found.viewing is not None and GLANCE not in request.environ:
        actor = Actor(Scope.of({"sub": found.user}), found.name, now, origin())
        viewings.finish(state, actor, found, sessions.now(), why)


def refusal_while_viewing(rule: str) -> Forbidden | None:
    """Why this request is not answered, where it would change something as somebody else, or is of
    a page that shows somebody else's view still."""
    reads = request.method in READ
    if rule in (SIGN_OUT, STOP):
        return None
    if (ended := g.get("view_ended")) and not (reads and not rule.startswith("/api/")):
        return Forbidden(ended)
    if current_user.viewer and not reads and rule != CALLBACKS:
        return Forbidden(NOTHING)
    return None


def of_another_view() -> Response | None:
    """The answer to a callback of a page that shows another view than its session has now, as
    beside the page that stopped it: none, and it is loaded anew (assets/page.js)."""
    shown = request.headers.get(WHOSE)
    if request.path != CALLBACKS or shown is None or shown == _whose():
        return None
    answer = Response(status=204)
    answer.headers[WHOSE] = _whose()
    return answer


def _whose() -> str:
    """The number of the viewing, or that it is their own."""
    viewer: Viewer | None = current_user.viewer
    return str(viewer.number) if viewer else OWN


def require_own_view() -> None:
    """Raises `Forbidden` where somebody who looks as another would change something."""
    if current_user and current_user.is_authenticated and current_user.viewer:
        raise Forbidden(NOTHING)


def stop(state: State, actor: Actor) -> None:
    """See one's own again; raises `Forbidden` where that is so already."""
    found = current_user.session if current_user.is_authenticated else None
    if found is None or found.viewing is None:
        raise Forbidden("you look at the dashboard as yourself")
    viewings.finish(state, actor, found, sessions.now(), STOPPED)


def note() -> str:
    """Why looking as somebody else has ended, said once."""
    return str(session.pop(NOTE, ""))
