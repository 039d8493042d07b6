"""Settings → Profile: one's own API tokens, and Settings → People: everybody's; over HTTP, too. A
secret is said once."""

from __future__ import annotations

from typing import Any, Final

from callbacks.access.session import current_person
from callbacks.settings.resource import Context, Found, Resource, Route, Values
from components.settings.tokens import CARD, OF_PEOPLE
from data.access.scope import Scope
from data.errors import Forbidden
from data.local_time import iso
from data.state.api_tokens import (
    ApiToken,
    add,
    list_all,
    list_tokens,
    require_platform_reader,
    revoke,
    revoke_of_anybody,
)


def _holders(_: Scope) -> None:
    """Those whose rights can be told without them: by their account or by what their identity
    provider said last."""
    person = current_person()
    if not person.has_account and person.provider_user is None:
        raise Forbidden("only who signed in with an account or by a provider makes tokens here")


def _administrators(scope: Scope) -> None:
    """A visitor of the demo does not see what others made."""
    require_platform_reader(scope)
    if current_person().is_demo:
        raise Forbidden("other people's API tokens are not for the demo's personas")


def _add(context: Context, values: Values) -> tuple[ApiToken, str]:
    return add(context.state, context.actor, values, current_person().provider_user)


def token_as_dict(one: ApiToken) -> dict[str, Any]:
    """A token as JSON: instants ISO 8601 UTC; its secret is not among what is known of it."""
    instants = {name: getattr(one, name) for name in ("created", "expires", "revoked", "used")}
    made = {name: None if us is None else iso(us) for name, us in instants.items()}
    scopes = list(one.scopes)
    return {"id": one.id, "name": one.name, "shown": f"{one.shown}…", "scopes": scopes} | made


TOKENS: Final[Resource[ApiToken]] = Resource(
    CARD,
    allow=_holders,
    own=True,
    read=lambda context: Found(list_tokens(context.state, context.scope.subject)),
    create=_add,
    secret=lambda made: str(made[1]),
    remove=lambda context, number: revoke(context.state, context.actor, number),
    route=Route(
        "/api/v1/tokens",
        "tokens",
        token_as_dict,
        made=lambda made: token_as_dict(made[0]) | {"token": made[1]},
    ),
)
EVERYBODY: Final[Resource[ApiToken]] = Resource(
    OF_PEOPLE,
    allow=_administrators,
    read=lambda context: Found(list_all(context.state, context.scope)),
    remove=lambda context, number: revoke_of_anybody(context.state, context.actor, number),
    route=Route(
        "/api/v1/people/tokens", "tokens", lambda one: token_as_dict(one) | {"user": one.user}
    ),
)
