"""Events taken out of ClickHouse, and a person's name out of events (`data/engines/removal.py`).

What goes is written as gone, which holds at once, and is then taken off the disk: first what stood
there before, as without what took it away it would come back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, Final

import sqlalchemy as sa

from data.engines.clickhouse.rows import (
    COLUMNS,
    HELD,
    Row,
    do,
    event_of,
    insert,
    names,
    place_rows,
    scalar,
    select,
    texts,
    tombstone,
)
from data.engines.clickhouse.schema import (
    BY_NAME,
    EVENTS_TABLE,
    PLACES,
    SESSION_SUMS,
    Table,
    on_cluster,
)
from data.engines.removal import ELSEWHERE, WITH_ID
from data.events.table import FIELDS, id_hash

BATCH: Final = 5_000
AMONG: Final = "IN (SELECT event_id FROM events WHERE {})"
BESIDE: Final = (("repriced", "event_id"), ("copy_ids", "stored_as"), ("session_sums", "event_id"))
OF_SOURCE: Final = (
    "gave_way AND conversation_id IN"
    " (SELECT assumeNotNull(conversation_id) FROM events WHERE conversation_id IS NOT NULL AND {})"
)
# That a sum gave way to calls is of use while one of its session's is there.
LEFT_ALONE: Final = (
    "gave_way AND conversation_id NOT IN"
    " (SELECT assumeNotNull(conversation_id) FROM events WHERE conversation_id IS NOT NULL)"
)
# An id that stands by itself: not in the middle of a word.
BY_ITSELF: Final = r"(^|[^0-9A-Za-z]){}(\Z|[^0-9A-Za-z])"
Renamed = Callable[[str], str]


def take_away(connection: sa.Connection, number: int, where: str) -> None:
    """No events any more that a condition holds for, nor what is kept about them."""
    _beside_too(connection, number, where)
    _end(connection, EVENTS_TABLE, where, number)
    _end(connection, SESSION_SUMS, LEFT_ALONE, number)


def take_source(connection: sa.Connection, number: int, where: str) -> None:
    """The same of all that a source brought; that sums gave way to its calls is forgotten."""
    _beside_too(connection, number, where)
    _end(connection, SESSION_SUMS, OF_SOURCE.format(where), number)
    _end(connection, EVENTS_TABLE, where, number)


def _beside_too(connection: sa.Connection, number: int, where: str) -> None:
    for name, link in BESIDE:
        _end(connection, BY_NAME[name], f"{link} {AMONG.format(where)}", number)


def _end(connection: sa.Connection, table: Table, where: str, number: int) -> None:
    key = names(table.key)
    do(connection, f"INSERT INTO {table.name} ({key}, version, gone)"
                      f" SELECT {key}, {number}, 1 FROM {table.name} WHERE {where}")  # fmt: skip


def purge(connection: sa.Connection, number: int, cluster: str | None) -> None:
    """Take off the disk what this turn replaced or took away."""
    ended = f"version = {number} AND gone"
    for name in ("repriced", "copy_ids", "session_sums", "events"):
        table = BY_NAME[name]
        here, key = table.here(cluster), names(table.key)
        if not _counted(connection, table.name, f"version = {number}", final=False):
            continue
        written = f"({key}) IN (SELECT {key} FROM {here} WHERE version = {number})"
        _delete(connection, table, f"version < {number} AND {written}", cluster)
        if name == "events":
            places = f"(ts, id_hash) IN (SELECT ts, id_hash FROM {here} WHERE {ended})"
            _delete(connection, PLACES, places, cluster)
        _delete(connection, table, ended, cluster)


def _delete(connection: sa.Connection, table: Table, where: str, cluster: str | None) -> None:
    everywhere = on_cluster(cluster)
    do(connection, f"ALTER TABLE {table.here(cluster)}{everywhere} DELETE WHERE {where}"
                      " SETTINGS mutations_sync = 2, final = 0")  # fmt: skip


def _counted(connection: sa.Connection, table: str, where: str, *, final: bool = True) -> int:
    asked = f"SELECT count() FROM {table} WHERE {where} SETTINGS final = {int(final)}"
    return int(scalar(connection, asked))


def rename(
    connection: sa.Connection, number: int, where: str, ids: Collection[str], pseudonym: str
) -> None:
    """Whoever these ids mean is the pseudonym in the events that a condition holds for, and nowhere
    named beside it."""
    renamed = _renamed(ids, pseudonym)
    wanted = f"({where}) OR user = '{pseudonym}'"
    places = select(connection, f"SELECT ts, id_hash FROM events WHERE {wanted}")
    for some in _batches(places):
        among = ", ".join(f"({ts}, {digest})" for ts, digest in some)
        asked = f"SELECT {HELD} FROM events WHERE (ts, id_hash) IN ({among}) AND ({wanted})"
        rows = select(connection, asked)
        for name, columns in ELSEWHERE:
            _rename_beside(connection, number, BY_NAME[name], columns, rows, renamed)
        _rename_events(connection, number, rows, renamed, pseudonym)


def _batches(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for first in range(0, len(rows), BATCH):
        yield rows[first : first + BATCH]


def _renamed(ids: Collection[str], pseudonym: str) -> Renamed:
    patterns = [
        re.compile(BY_ITSELF.format(re.escape(one))) for one in sorted(ids, key=len, reverse=True)
    ]

    def renamed(text: str) -> str:
        for pattern in patterns:
            text = pattern.sub(rf"\1{pseudonym}\2", text)
        return text

    return renamed


def _rename_beside(
    connection: sa.Connection, number: int, table: Table, columns: Sequence[str],
    events: Sequence[Row], renamed: Renamed,
) -> None:  # fmt: skip
    link = columns[-1] if table.name == "copy_ids" else "event_id"
    held = [name for name, _ in table.columns]
    asked = (
        f"SELECT {names(held)} FROM {table.name} WHERE {link} IN ({texts(e[0] for e in events)})"
    )
    before = [dict(zip(held, row, strict=True)) for row in select(connection, asked)]
    after = [row | {name: renamed(row[name]) for name in columns} for row in before]
    if "id_hash" in held:
        after = [row | {"id_hash": id_hash(row["event_id"])} for row in after]
    moved = [(*old.values(), 1) for old, new in zip(before, after, strict=True)
             if any(old[name] != new[name] for name in table.key)]  # fmt: skip
    live = [(*row.values(), 0) for row in after]
    insert(connection, table, (*held, "gone"), [*live, *moved], number)


def _rename_events(
    connection: sa.Connection, number: int, rows: Sequence[Row], renamed: Renamed, pseudonym: str
) -> None:
    live, ended = [], []
    for row in rows:
        event = event_of(row)
        texts_ = {name: renamed(event[name]) for name in WITH_ID if event[name] is not None}
        event |= texts_ | {"user": pseudonym, "user_name": None}
        digest = id_hash(event["event_id"])
        live.append((*event.values(), digest, *row[len(FIELDS) + 1 :]))
        if event["event_id"] != row[0]:
            ended.append(tombstone(event_of(row), row[len(FIELDS)]))
    insert(connection, PLACES, ("what", "digest", "ts", "id_hash"), [*place_rows(live)])
    together = [*((*row, 0) for row in live), *((*row, 1) for row in ended)]
    insert(connection, EVENTS_TABLE, (*COLUMNS, "gone"), together, number)
