"""How long events are kept, by source: older ones are deleted while serving.

A rule works from a day after it was made. Until then it says how many events it will delete, and
can be taken back. What it deletes is written in the audit trail.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from data.access.rights import platform_admins_only, platform_readers_only
from data.access.scope import SYSTEM, Scope
from data.engines.protocol import EventStore
from data.errors import Refused, StoreError
from data.events.table import EVENTS, LONGEST_TEXT
from data.ingest.leading import leading
from data.state.audit import DEMO, Actor, record
from data.state.records import Records
from data.state.store import State
from data.state.tables import RETENTION

DAY: Final = 86_400_000_000
LONGEST: Final = 36_500
WHO: Final = "Retention"
PAUSE: Final = 3_600.0
PATIENCE: Final = 2.0
FIELDS: Final = ("source", "days")
LOG: Final = logging.getLogger("spendscope")
require_platform_admin: Final = platform_admins_only("retention is")
require_platform_reader: Final = platform_readers_only("retention is")


@dataclass(frozen=True, slots=True)
class Rule:
    """Events of a source are kept for so many days; instants are µs UTC."""

    id: int
    source: str
    days: int
    at: int
    who: str
    older: int = 0  # events that it would delete now

    @property
    def starts(self) -> int:
        return self.at + DAY

    def as_dict(self) -> dict[str, Any]:
        """What the audit trail says of it."""
        return {"source": self.source, "days": self.days}

    def older_events(self, now: int) -> sa.ColumnElement[bool]:
        """What is too old at a moment."""
        return sa.and_(EVENTS.c.source == self.source, EVENTS.c.ts < now - self.days * DAY)


RECORDS: Final = Records(
    RETENTION, lambda row: Rule(*row), "retention", "retention", "there is no such rule"
)


def list_rules(state: State, scope: Scope, store: EventStore, now: int) -> list[Rule]:
    """Every rule with what it would delete now; raises `Forbidden` for whom they are not."""
    require_platform_reader(scope)
    found = _rules(state)
    counts = [store.count_events(one.older_events(now)) for one in found]
    return [Rule(one.id, one.source, one.days, one.at, one.who, older)
            for one, older in zip(found, counts, strict=True)]  # fmt: skip


def add_rule(state: State, actor: Actor, raw: Mapping[str, Any]) -> Rule:
    """One more rule; `Refused` names the field that is wrong."""
    require_platform_admin(actor.scope)
    row = draft(raw) | {"at": actor.now, "who": actor.who}
    with state.writing() as connection:
        same = sa.select(RETENTION.c.id).where(RETENTION.c.source == row["source"])
        if connection.execute(same).first():
            raise Refused("source", f"{row['source']} has a rule: remove it first")
        return RECORDS.create(connection, actor, row)


def remove_rule(state: State, actor: Actor, number: int) -> None:
    """Events of its source are kept again; what is deleted stays so. Raises `Unknown`."""
    require_platform_admin(actor.scope)
    with state.writing() as connection:
        RECORDS.remove(connection, actor, RECORDS.get(connection, number))


def draft(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a rule as described; raises `Refused` naming the one that is wrong."""
    for name in raw:
        if name not in FIELDS:
            raise Refused(str(name)[:40], "retention has a source and days, no other field")
    source, days = str(raw.get("source") or "").strip(), str(raw.get("days") or "").strip()
    if not source or len(source) > LONGEST_TEXT or not source.isprintable():
        raise Refused("source", "name the source whose old events are deleted")
    if not (days.isascii() and days.isdecimal() and 0 < int(days[:9]) <= LONGEST):
        raise Refused("days", f"say for how many days events are kept, 1 to {LONGEST:,}")
    return {"source": source, "days": int(days)}


def apply_rules(state: State, store: EventStore, now: int) -> int:
    """Delete what is too old by the rules that work; how many events that were. A rule of a demo's
    visitor never does: what it would delete was there before the demo, or came after it."""
    deleted = 0
    for one in (rule for rule in _rules(state) if not rule.who.startswith(DEMO)):
        count = store.remove_events(one.older_events(now)) if one.starts <= now else 0
        if count:
            actor = Actor(SYSTEM, WHO, now)
            what = {"source": one.source, "older than days": one.days, "events": count}
            with state.writing() as connection:
                record(connection, actor, "delete", f"old events of {one.source}", what, None)
        deleted += count
    return deleted


@contextmanager
def retain_while_serving(state: State, store: EventStore, now: Callable[[], int]) -> Iterator[None]:
    """Apply the rules at the start and once an hour."""
    stopped = threading.Event()
    thread = threading.Thread(
        target=_retain, args=(state, store, now, stopped), name="retention", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join(PATIENCE)


def _retain(
    state: State, store: EventStore, now: Callable[[], int], stopped: threading.Event
) -> None:
    pause = 0.0
    with leading(state, store, "retention") as leads:
        while not stopped.wait(pause):
            pause = PAUSE
            try:
                if leads() and (deleted := apply_rules(state, store, now())):
                    LOG.info("retention deleted %s events", deleted)
            except StoreError as error:
                LOG.warning("old events could not be deleted now: %s", error)


def _rules(state: State) -> list[Rule]:
    with state.reading() as connection:
        rows = connection.execute(sa.select(RETENTION).order_by(RETENTION.c.source))
        return [Rule(*row) for row in rows]
