"""The audit trail: who changed what and when, with what was there before and what is after; and who
came in, tried to, left and took data along.

An entry is written by the transaction that makes the change, so neither is there without the
other. Nothing changes an entry, and nothing deletes one but the retention, by its age: the store
itself refuses (`data/state/append_only.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import sqlalchemy as sa

from data.access.scope import SYSTEM, Scope
from data.errors import Forbidden
from data.local_time import iso
from data.state.tables import AUDIT, AUDIT_RETENTION, CHANGES

if TYPE_CHECKING:
    from data.state.store import State

Change = Literal["create", "edit", "delete"]
Visit = Literal[
    "sign-in", "sign-in-failed", "lock-out", "sign-out", "session-end", "export",
    "view-as", "view-as-end",
]  # fmt: skip
Action = Change | Visit
Fields = dict[str, Any]
# What `action` narrows to; the empty name is everything.
GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "changes": ("create", "edit", "delete"),
    "sign-ins": ("sign-in", "sign-in-failed", "lock-out", "sign-out", "session-end"),
    "exports": ("export",),
    "viewings": ("view-as", "view-as-end"),
}
# As text, not as parameters: only so does SQLite know that its index of the changes will do.
LAST_CHANGE: Final = sa.select(sa.func.max(AUDIT.c.id)).where(CHANGES)
DAY: Final = 86_400_000_000
# Who changes something in the demo is nobody: these words stand before their id.
DEMO: Final = "demo:"
SAMPLE_NAME: Final = "Sample organisation"
NOT_YOURS: Final = "the demo changes only what was made in it: sign in with an account"
NOTHING: Final = "you see what somebody else sees, and change nothing: stop that first"
WHILE_VIEWING: Final = ("export", "view-as-end", "sign-out")
AT_ONCE: Final = 1_000


class Origin(NamedTuple):
    """Where a change comes from, over HTTP: an address, and the id of the request."""

    address: str | None = None
    request: str | None = None


NOWHERE: Final = Origin()


@dataclass(frozen=True, slots=True)
class Actor:
    """Who makes a change, when (µs UTC), and from where."""

    scope: Scope
    name: str
    now: int
    origin: Origin = NOWHERE
    is_demo: bool = False
    viewer: str = ""  # the id of who sees this scope as another's, and changes nothing

    @property
    def who(self) -> str:
        """The very id that signed in, which may be one of several of a person."""
        if self.viewer:
            return self.viewer
        subject = self.scope.subject or self.scope.user
        return f"{DEMO}{subject}" if self.is_demo else subject

    @property
    def person(self) -> str:
        """The person that this is, whichever id they came by."""
        return self.who if self.is_demo else self.scope.user


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
    address: str | None = None
    request: str | None = None

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
    """Write down a change beside the change itself; raises `Forbidden` where a visitor of the demo
    changes what was there before it, or somebody who looks as another anything."""
    if actor.viewer and action not in WHILE_VIEWING:
        raise Forbidden(NOTHING)
    if actor.is_demo and action in ("edit", "delete"):
        _require_made_in_demo(connection, thing)
    who = {"at": actor.now, "who": actor.who, "name": actor.name}
    what = {"action": action, "thing": thing, "before": before, "after": after}
    connection.execute(AUDIT.insert().values(who | what | actor.origin._asdict()))


def made_in_demo() -> sa.ColumnElement[bool]:
    """The entries of what visitors of the demo made, and of what came with the sample."""
    came = sa.and_(AUDIT.c.who == SYSTEM.user, AUDIT.c.name == SAMPLE_NAME)
    by_visitors = AUDIT.c.who.startswith(DEMO, autoescape=True)
    return sa.and_(AUDIT.c.action == "create", sa.or_(by_visitors, came))


def _require_made_in_demo(connection: sa.Connection, thing: str) -> None:
    made = sa.select(AUDIT.c.id).where(AUDIT.c.thing == thing, made_in_demo()).limit(1)
    if connection.execute(made).first() is None:
        raise Forbidden(NOT_YOURS)


def note(state: State, actor: Actor, action: Visit, thing: str, what: Fields | None = None) -> None:
    """Write down what changes nothing: a visit, a failed one, an export."""
    with state.writing() as connection:
        record(connection, actor, action, thing, None, what)


def entries(
    state: State, scope: Scope, limit: int, offset: int = 0, group: str = ""
) -> list[Entry]:
    """The newest entries first; raises `Forbidden` for whom the trail is not."""
    require_audit_reader(scope)
    with state.reading() as connection:
        newest = _newest(group).limit(limit).offset(offset)
        return [Entry(*row) for row in connection.execute(newest)]


def every_entry(state: State, scope: Scope, group: str = "") -> Iterator[Entry]:
    """All of them, the newest first, a thousand at a time."""
    require_audit_reader(scope)
    return _in_parts(state, group)


def count(state: State, scope: Scope, group: str = "") -> int:
    """How many entries there are, for whom may read them."""
    require_audit_reader(scope)
    asked = sa.select(sa.func.count()).select_from(AUDIT).where(*_of_group(group))
    with state.reading() as connection:
        return connection.execute(asked).scalar_one()


def trim(state: State, days: int, now: int) -> int:
    """Delete the entries that are older than so many days, and say so in one; how many they were.
    The newest stays: its number is the version of what is read anew when it changes."""
    before = now - days * DAY
    old = AUDIT.c.at < before
    newest = sa.select(sa.func.max(AUDIT.c.id)).scalar_subquery()
    with state.writing() as connection:
        if not connection.execute(sa.select(sa.exists().where(old))).scalar():
            return 0
        connection.execute(AUDIT_RETENTION.insert().values(before=before))
        deleted = connection.execute(AUDIT.delete().where(old, AUDIT.c.id < newest)).rowcount
        connection.execute(AUDIT_RETENTION.delete())
        if deleted:
            actor, thing = Actor(SYSTEM, "Spendscope", now), f"audit trail before {iso(before)}"
            record(connection, actor, "delete", thing, {"entries": deleted}, None)
    return deleted


def require_audit_reader(scope: Scope) -> None:
    """Raises `Forbidden` for whom the audit trail is not."""
    if not scope.reads_audit:
        raise Forbidden("the audit trail is for platform administrators")


def _in_parts(state: State, group: str) -> Iterator[Entry]:
    part: Sequence[Any] = ()
    while True:
        below = [AUDIT.c.id < part[-1].id] if part else []
        with state.reading() as connection:
            part = connection.execute(_newest(group).where(*below).limit(AT_ONCE)).all()
        if not part:
            return
        yield from (Entry(*row) for row in part)


def _newest(group: str) -> sa.Select[Any]:
    return sa.select(AUDIT).where(*_of_group(group)).order_by(AUDIT.c.id.desc())


def _of_group(group: str) -> list[sa.ColumnElement[bool]]:
    return [AUDIT.c.action.in_(GROUPS[group])] if group in GROUPS else []
