"""Settings → People → Viewing as, and who looked as oneself on the profile; over HTTP, too, by a
browser session alone. What the page says meanwhile is its banner."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from dash import ALL, ClientsideFunction, Dash, Input, Output

from callbacks.access import viewing
from callbacks.access.session import current_person
from callbacks.settings.resource import (
    Context,
    FieldState,
    Found,
    Resource,
    Route,
    Values,
    everybody,
)
from components import ids
from components.settings import viewings as cards
from data.access.scope import Scope
from data.errors import Forbidden, Refused
from data.people.hints import observed_ids
from data.state import sessions, viewings
from data.state.accounts import list_accounts
from data.state.viewings import Viewing

MOST_OFFERED: Final = 2_000
MILLISECOND: Final = 1_000
NO_SESSION: Final = "only a browser that is signed in looks as somebody else, no token"
NOBODY: Final = "there is no account and no activity of this user id"


def _administrators(scope: Scope) -> None:
    """A visitor of the demo, who may see everything, looks as nobody else."""
    viewings.require_platform_reader(scope)
    if current_person().is_demo:
        raise Forbidden("looking as others is not for the demo's personas: use an account")


def _name(context: Context, user: str) -> str:
    """What a person is called whose id is known here."""
    if account := context.state.account(user):
        return account.name
    observed = observed_ids(context.scope, context.store).get(user)
    if observed is None and len(context.scope.people.ids(user)) == 1:
        raise Refused("user", NOBODY)
    return (observed and observed.name) or user


def _begin(context: Context, values: Values) -> Viewing:
    user, session = values.get("user"), current_person().session
    if session is None:
        raise Forbidden(NO_SESSION)
    if session.viewing is not None:
        raise Refused("user", viewings.ALREADY)
    if not isinstance(user, str) or not (user := user.strip()):
        raise Refused("user", "say as whom: user is their id")
    if context.scope.is_me(user):
        raise Refused("user", "that is you")
    name = _name(context, user)
    return viewings.begin(context.state, context.actor, session, user, name, sessions.now())


def _stop(context: Context, _: Values) -> None:
    viewing.stop(context.state, context.actor)


def _offered(context: Context, _: Values) -> dict[str, FieldState]:
    """Accounts, and the ids of the most events."""
    observed = observed_ids(context.scope, context.store).values()
    most = sorted(observed, key=lambda one: (-one.events, one.id))
    known = {one.id: one.name for one in list_accounts(context.state, context.scope)}
    known = known | {one.id: one.name or one.id for one in most if one.id not in known}
    return {"user": FieldState(offered=list(known.items())[:MOST_OFFERED])}


def _own(context: Context) -> Found[Viewing]:
    """A persona of the demo is many people, and nobody looks as one."""
    person = current_person()
    return Found(() if person.is_demo else viewings.of_users(context.state, person.ids))


OWN: Final[Resource[Viewing]] = Resource(
    cards.OWN,
    allow=everybody,
    own=True,
    read=_own,
    route=Route("/api/v1/viewings", "viewings", Viewing.as_dict, posts={"end": _stop}),
)
EVERYBODY: Final[Resource[Viewing]] = Resource(
    cards.EVERYBODY,
    allow=_administrators,
    read=lambda context: Found(viewings.of_everybody(context.state, context.scope)),
    create=_begin,
    fields=_offered,
    route=Route("/api/v1/people/viewings", "viewings", Viewing.as_dict),
)


def arrive() -> Iterator[tuple[Any, str, Any]]:
    """`(id, property, value)` of the banner."""
    person, ended = current_person(), viewing.note()
    viewer = person.viewer
    if viewer is None and not ended:
        return
    text = f"You see what {person.name} sees. Nothing can be changed." if viewer else ended
    yield ids.VIEWING, "hidden", False
    yield ids.VIEWING_TEXT, "children", text
    yield ids.VIEWING_STOP, "hidden", viewer is None
    if viewer:
        yield ids.VIEWING, "data-of", str(viewer.number)
        yield ids.VIEWING, "data-left", str((viewer.until - sessions.now()) // MILLISECOND)


def register(app: Dash) -> None:
    """Once it has begun, everything is somebody else's: the page is loaded anew."""
    app.clientside_callback(
        ClientsideFunction("viewing", "begun"),
        Output(ids.VIEWING_BEGUN, "data"),
        Input(ids.resource("changed", ALL), "data"),
        prevent_initial_call=True,
    )
