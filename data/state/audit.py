"""The audit trail: who changed what and when, with what was there before and what is after.

An entry is written by the transaction that makes the change, so neither is there without the
other. Nothing here changes or deletes an entry.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa

from data.access.scope import Scope
from data.errors import Forbidden
from data.state.tables import AUDIT

if TYPE_CHECKING:
    from data.state.store import State

Action = Literal["create", "edit", "delete"]
Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who makes a change, and when (µs UTC)."""

    scope: Scope
    name: str
    now: int

    @property
    def who(self) -> str:
        """The very id that signed in, which may be one of several of a person."""
        return self.scope.subject or self.scope.user


@dataclass(frozen=True, slots=True)
class Entry:
    """One change; `before` is null where something was made, `after` where it was deleted."""

    id: int
    at: int
    who: str
    name: str
    action: str
    thing: str
    before: Fields | None
    after: Fields | None

    def changes(self) -> list[tuple[str, Any, Any]]:
        """`(field, before, after)` of what differs, in the order of the fields."""
        before, after = self.before or {}, self.after or {}
        fields = dict.fromkeys((*before, *after))
        pairs = [(name, before.get(name), after.get(name)) for name in fields]
        return [(name, old, new) for name, old, new in pairs if old != new]


def record(
    connection: sa.Connection,
    actor: Actor,
    action: Action,
    thing: str,
    before: Fields | None,
    after: Fields | None,
) -> None:
    """Write down a change beside the change itself."""
    who = {"at": actor.now, "who": actor.who, "name": actor.name}
    what = {"action": action, "thing": thing, "before": before, "after": after}
    connection.execute(AUDIT.insert().values(who | what))


def entries(state: State, scope: Scope, limit: int, offset: int = 0) -> list[Entry]:
    """The newest entries first; raises `Forbidden` for whom the trail is not."""
    require_audit_reader(scope)
    newest = sa.select(AUDIT).order_by(AUDIT.c.id.desc()).limit(limit).offset(offset)
    with state.reading() as connection:
        return [Entry(*row) for row in connection.execute(newest)]


def count(state: State, scope: Scope) -> int:
    """How many entries there are, for whom may read them."""
    require_audit_reader(scope)
    with state.reading() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(AUDIT)).scalar_one()


def require_audit_reader(scope: Scope) -> None:
    """Raises `Forbidden` for whom the audit trail is not."""
    if not scope.reads_audit:
        raise Forbidden("the audit trail is for platform administrators")
