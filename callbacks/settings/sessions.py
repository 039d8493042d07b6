"""Who is signed in: one's own sessions on the profile, everybody's on Settings → People; over HTTP,
too. Whoever comes by a bearer token has none, and sees those of their id."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from callbacks.access.session import current_authenticator, current_person
from callbacks.settings.resource import Context, Found, Resource, Route, Values, everybody
from components.settings import sessions as cards
from components.settings.resource import Row
from data.access.scope import Scope
from data.errors import Forbidden, Refused
from data.state import sessions
from data.state.sessions import Session

PATH: Final = "/api/v1/sessions"
OF_PEOPLE: Final = "/api/v1/people/sessions"


@dataclass(frozen=True, slots=True)
class Listed:
    """A session, and whether it is the one of this request."""

    session: Session
    here: bool

    @property
    def id(self) -> int:
        return self.session.id

    def as_dict(self) -> dict[str, Any]:
        """JSON."""
        return self.session.as_dict() | {"name": self.session.name, "current": self.here}


def _good(found: Iterable[Session]) -> list[Session]:
    """Those that still let somebody in: a new password ends them without a trace here."""
    good = current_authenticator().is_good
    return [one for one in found if good(one)]


def _own(context: Context) -> list[Session]:
    """Those of who asks. A persona of the demo is many people: each sees theirs alone."""
    person = current_person()
    if person.is_demo:
        return [person.session] if person.session else []
    found = sessions.of_users(context.state, person.ids)
    return _good(one for one in found if one.way != "demo")


def _everybody(context: Context) -> list[Session]:
    return _good(sessions.of_everybody(context.state, context.actor))


def _listed(found: Iterable[Session]) -> Found[Listed]:
    here = current_person().session
    number = here.id if here else None
    return Found([Listed(one, one.id == number) for one in found])


def _end(context: Context, among: Iterable[Session], number: int) -> None:
    sessions.end(context.state, context.actor, [sessions.numbered(among, number)])


def _end_others(context: Context, _: Values | Row) -> None:
    others = [one.session for one in _listed(_own(context)).records if not one.here]
    sessions.end(context.state, context.actor, others)


def _end_of_user(context: Context, values: Values | Row) -> None:
    user = values.get("user")
    if not isinstance(user, str) or not user:
        raise Refused("user", "say whose sessions end: user is their id")
    sessions.end(context.state, context.actor,
                 [one for one in _of_others(context) if one.user == user])  # fmt: skip


def _of_others(context: Context) -> list[Session]:
    """Those that who asks may end."""
    sessions.require_platform_admin(context.scope)
    return _everybody(context)


def _administrators(scope: Scope) -> None:
    """A visitor of the demo does not see from where others come."""
    sessions.require_platform_reader(scope)
    if current_person().is_demo:
        raise Forbidden("other people's sessions are not for the demo's personas")


OWN: Final[Resource[Listed]] = Resource(
    cards.OWN,
    allow=everybody,
    own=True,
    read=lambda context: _listed(_own(context)),
    row=lambda one, _: cards.row(one),
    remove=lambda context, number: _end(context, _own(context), number),
    actions={"session-end-others": _end_others},
    route=Route(PATH, "sessions", Listed.as_dict, posts={"end-others": _end_others}),
)
EVERYBODY: Final[Resource[Listed]] = Resource(
    cards.EVERYBODY,
    allow=_administrators,
    read=lambda context: _listed(_everybody(context)),
    row=lambda one, _: cards.row(one),
    remove=lambda context, number: _end(context, _of_others(context), number),
    actions={"people-session-end-all": _end_of_user},
    route=Route(OF_PEOPLE, "sessions", Listed.as_dict, posts={"end": _end_of_user}),
)
