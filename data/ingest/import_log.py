"""The log of imports: what came in by which way, when, by whom, and what became of it.

A command and an upload leave an entry each. What live doors receive is added up, an entry a
sender, format and day (UTC), and written every `PAUSE` seconds, so that no request waits for it and
other servers see it; figures of the last seconds are lost should the process die, events never are.
Beside the log it is added up what each source brought in all imports together: when it last came,
duplicates, rejections. Nothing here decides what is stored: an event's id does.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal

import sqlalchemy as sa

from data.access.rights import platform_admins_only, platform_readers_only
from data.access.scope import Scope
from data.errors import StoreError
from data.sources.format import NOT_READ
from data.sources.report import MOST_REASONS, OTHERS, Report
from data.state.store import State
from data.state.tables import IMPORTS, SOURCE_TOTALS

MOST_SOURCES: Final = 1_000
LONGEST_FORMAT: Final = 200
ImportMethod = Literal["command", "upload", "live"]
DAY: Final = 86_400_000_000
PAUSE: Final = 5.0
LONGEST: Final = 200
NEWEST: Final = 1_000
require_platform_admin: Final = platform_admins_only("imports are")
require_platform_reader: Final = platform_readers_only("imports are")
OUTCOMES: Final = ("accepted", "duplicates", "rejected")
COUNTED: Final = ("read", "accepted", "duplicates", "rejected", "unpriced")


@dataclass(frozen=True, slots=True)
class Import:
    """One entry; `at` and `last` are µs UTC, `what` names the files or the day of a live door."""

    id: int
    at: int
    last: int
    way: str
    who: str
    what: str
    format: str
    read: int
    accepted: int
    duplicates: int
    rejected: int
    unpriced: int
    cost_nano: int
    tokens: int
    rejections: list[list[str]]
    notes: dict[str, int]


def record(state: State, now: int, way: ImportMethod, who: str, what: str, report: Report) -> None:
    """Write down an import that is over or was stopped at `now` (µs UTC)."""
    with state.writing() as connection:
        connection.execute(IMPORTS.insert().values(_row(now, way, who, what, report)))
        add_source_totals(connection, now, report)


def list_imports(state: State, scope: Scope, limit: int = 100, offset: int = 0) -> list[Import]:
    """The newest first; raises `Forbidden` for whom they are not."""
    require_platform_reader(scope)
    newest = sa.select(IMPORTS).order_by(IMPORTS.c.last.desc(), IMPORTS.c.id.desc())
    with state.reading() as connection:
        return [Import(*row) for row in connection.execute(newest.limit(limit).offset(offset))]


def unread_columns(state: State, scope: Scope) -> list[str]:
    """What the newest imports say of columns and keys that nobody reads, each once."""
    notes = (note for one in list_imports(state, scope, NEWEST) for note in one.notes)
    return list(dict.fromkeys(note for note in notes if NOT_READ in note))


class LiveImports:
    """What the live doors of this process received and the log does not tell yet."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.outcomes = dict.fromkeys(OUTCOMES, 0)  # of all records since this was made
        self._pending: dict[tuple[str, str, int], tuple[int, Report]] = {}
        self._lock = threading.Lock()
        self._due = time.monotonic() + PAUSE

    def add(self, now: int, who: str, format_: str, report: Report) -> None:
        """Count a request in; who comes when it is time writes for all."""
        self._hold(now, who, format_, now // DAY, report)
        with self._lock:
            for outcome in OUTCOMES:
                self.outcomes[outcome] += getattr(report, outcome)
            if time.monotonic() < self._due:
                return
        self.flush()

    def has_sent_usage(self, who: str) -> bool:
        """Whether a sender has ever brought the use of a model that was new."""
        with self._lock:
            pending = any(key[0] == who and sums.tokens for key, (_, sums) in self._pending.items())
        this = (IMPORTS.c.way == "live", IMPORTS.c.who == who, IMPORTS.c.tokens > 0)
        with self._state.reading() as connection:
            return (
                pending
                or connection.execute(sa.select(IMPORTS.c.id).where(*this)).first() is not None
            )

    def _hold(self, now: int, who: str, format_: str, day: int, report: Report) -> None:
        with self._lock:
            last, sums = self._pending.get((who, format_, day), (now, Report()))
            sums.add(report)
            self._pending[who, format_, day] = max(now, last), sums

    def flush(self) -> None:
        """Write what is pending."""
        with self._lock:
            pending, self._pending = self._pending, {}
            self._due = time.monotonic() + PAUSE
        for (who, format_, day), (now, report) in pending.items():
            report.format = format_
            try:
                _add_to_day(self._state, now, who, day, report)
            except StoreError:  # what was received is stored all the same: tell it later
                self._hold(now, who, format_, day, report)


@contextmanager
def tally_while_serving(tally: LiveImports) -> Iterator[None]:
    """Have what is pending written when it is time, whether or not anything else comes."""
    stopped = threading.Event()

    def write() -> None:
        while not stopped.wait(PAUSE):
            tally.flush()

    thread = threading.Thread(target=write, name="live imports", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def _add_to_day(state: State, now: int, who: str, day: int, report: Report) -> None:
    """Add to the entry of a sender's day, the first of which makes it."""
    this = (IMPORTS.c.way == "live", IMPORTS.c.who == who, IMPORTS.c.format == report.format,
            IMPORTS.c.at >= day * DAY, IMPORTS.c.at < (day + 1) * DAY)  # fmt: skip
    row = _row(now, "live", who, "", report)
    with state.writing() as connection:
        add_source_totals(connection, now, report)
        found = connection.execute(sa.select(IMPORTS).where(*this)).first()
        if found is None:
            connection.execute(IMPORTS.insert().values(row))
            return
        old, sums = Import(*found), Report()
        for one in (old.rejections, row["rejections"]):
            sums.add(Report.of({"rejections": one}))
        for notes in (old.notes, row["notes"]):
            sums.add(Report(notes=dict(notes)))
        more = {n: getattr(old, n) + row[n] for n in (*COUNTED, "cost_nano", "tokens")}
        more |= {"last": now, "rejections": sums.rejections, "notes": sums.notes}
        connection.execute(IMPORTS.update().where(IMPORTS.c.id == old.id).values(more))


def _row(now: int, way: ImportMethod, who: str, what: str, report: Report) -> dict[str, Any]:
    counted = {name: getattr(report, name) for name in (*COUNTED, "cost_nano", "tokens")}
    return counted | {
        "at": now, "last": now, "way": way, "who": who, "what": what[:LONGEST],
        "format": report.format, "rejections": report.rejections, "notes": report.notes,
    }  # fmt: skip


def add_source_totals(connection: sa.Connection, now: int, report: Report) -> None:
    """Add up what each source brought; what is of nobody is of the format."""
    for source, (events, duplicates, rejected) in report.sources.items():
        name = _totals_row(connection, source or report.format[:LONGEST_FORMAT])
        this = SOURCE_TOTALS.c.source == name
        old = connection.execute(sa.select(SOURCE_TOTALS).where(this)).one()
        why = [list(one) for one in report.reasons.get(source, ())]
        sums = {
            "duplicates": old.duplicates + duplicates, "rejected": old.rejected + rejected,
            "last": now if events else old.last, "reasons": (why + old.reasons)[:MOST_REASONS],
        }  # fmt: skip
        connection.execute(SOURCE_TOTALS.update().where(this).values(sums))


def _totals_row(connection: sa.Connection, name: str) -> str:
    """The row that counts for a source, made where it is the first time; all the sources beyond
    `MOST_SOURCES` have one together."""
    names = sa.select(SOURCE_TOTALS.c.source)
    if connection.execute(names.where(SOURCE_TOTALS.c.source == name)).first():
        return name
    if len(connection.execute(names).all()) >= MOST_SOURCES and name != OTHERS:
        return _totals_row(connection, OTHERS)
    blank = SOURCE_TOTALS.insert().values(last=None, duplicates=0, rejected=0, reasons=[])
    connection.execute(blank.values(source=name))
    return name


def source_totals(state: State, scope: Scope) -> dict[str, dict[str, int | None]]:
    """Per source `last`, when it came in (µs UTC), `duplicates` and `rejected` of all imports."""
    require_platform_reader(scope)
    names = ("last", "duplicates", "rejected")
    with state.reading() as connection:
        rows = connection.execute(sa.select(SOURCE_TOTALS)).mappings()
        return {row["source"]: {n: row[n] for n in names} for row in rows}


def latest_rejections(state: State, scope: Scope, source: str) -> list[list[str]]:
    """The latest rejections of a source: where each stood, and the reason."""
    require_platform_reader(scope)
    query = sa.select(SOURCE_TOTALS.c.reasons).where(SOURCE_TOTALS.c.source == source)
    with state.reading() as connection:
        return list(connection.execute(query).scalar() or ())
