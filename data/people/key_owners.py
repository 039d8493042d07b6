"""Whose calls a key was used for, by the key's name: what LiteLLM tells beside the user."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from data.access.scope import Scope
from data.engines.protocol import EventStore
from data.events.table import EVENTS

KEY_ALIAS_TAG: Final = '"key_alias"'
MOST: Final = 20_000
Owners = dict[str, set[str]]


def owners(scope: Scope, store: EventStore) -> Owners:
    """Per name of a key the users of its calls, as they are stored."""
    return store.memo.get(("key owners", scope), lambda: _select(scope, store))


def _select(scope: Scope, store: EventStore) -> Owners:
    name = sa.cast(EVENTS.c.tags, sa.JSON)["key_alias"].as_string()
    pairs = sa.select(name, EVENTS.c.user).distinct().limit(MOST)
    statement = pairs.where(
        scope.predicate(), EVENTS.c.user.is_not(None), EVENTS.c.tags.contains(KEY_ALIAS_TAG)
    )
    found: Owners = {}
    with store.sql.connect() as connection:
        for key, user in connection.execute(statement):
            if key:
                found.setdefault(key, set()).add(user)
    return found
