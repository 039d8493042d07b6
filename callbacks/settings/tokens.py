"""Settings → Profile: one's own API tokens; over HTTP, too. A secret is said once."""

from __future__ import annotations

from typing import Any, Final

from callbacks.access.session import current_person
from callbacks.settings.resource import Found, Resource, Route
from components.settings.tokens import CARD
from data.access.scope import Scope
from data.errors import Forbidden
from data.local_time import iso
from data.state.api_tokens import ApiToken, add, list_tokens, revoke


def _holders(_: Scope) -> None:
    if not current_person().has_account:
        raise Forbidden("only who signed in with an account makes tokens here")


def token_as_dict(one: ApiToken) -> dict[str, Any]:
    """A token as JSON: instants ISO 8601 UTC; its secret is not among what is known of it."""
    instants = {name: getattr(one, name) for name in ("created", "expires", "revoked", "used")}
    made = {name: None if us is None else iso(us) for name, us in instants.items()}
    scopes = list(one.scopes)
    return {"id": one.id, "name": one.name, "shown": f"{one.shown}…", "scopes": scopes} | made


TOKENS: Final[Resource[ApiToken]] = Resource(
    CARD,
    allow=_holders,
    read=lambda context: Found(list_tokens(context.state, context.scope.subject)),
    create=lambda context, values: add(context.state, context.actor, values),
    secret=lambda made: str(made[1]),
    remove=lambda context, number: revoke(context.state, context.actor, number),
    route=Route(
        "/api/v1/tokens",
        "tokens",
        token_as_dict,
        made=lambda made: token_as_dict(made[0]) | {"token": made[1]},
    ),
)
