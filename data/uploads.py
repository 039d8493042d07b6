"""Files that arrive to be imported: looked at first, stored when somebody says so.

receive → looking (a dry run over the first `MOST_LOOKED` records) → ready → importing → done
A file lives under the data folder until its import ends, is cancelled, or nobody came back for
`KEPT` seconds. What a stopped import had stored stays: importing the same again is exact.
"""

from __future__ import annotations

import logging
import secrets
import shutil
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final

from data.audit import Hand
from data.engines import EventStore
from data.errors import Refused, SpendscopeError, Unknown
from data.events import FIELDS
from data.imports import record, refuse
from data.ingest import ingest, ingest_paths
from data.report import Report
from data.scope import Scope
from data.sources import Options, find, read
from data.sources.format import Record
from data.state import State
from data.upload_files import keep, remove, safe

MOST_LOOKED: Final = 100_000
MOST_OPEN: Final = 8
KEPT: Final = 3_600.0
ROWS: Final = 8
OVER: Final = ("done", "stopped", "failed")
RUNNING: Final = ("looking", "importing")


class _Stopped(Exception):
    """Raised into an import that is to stop."""


@dataclass(slots=True)
class Upload:
    """A file and what became of it so far."""

    key: str
    path: Path
    format: str
    options: Options
    state: str = "looking"
    error: str = ""
    report: Report = field(default_factory=Report)
    rows: list[dict[str, Any]] = field(default_factory=list)
    filled: set[str] = field(default_factory=set)
    more: bool = False
    cancelled: threading.Event = field(default_factory=threading.Event)
    touched: float = field(default_factory=time.monotonic)

    def said(self) -> dict[str, Any]:
        """As JSON says it; `gaps` are the fields that no record looked at fills."""
        gaps = [name for name in FIELDS if name not in (*self.filled, "cost_origin")]
        return {
            "id": self.key, "name": self.path.name, "state": self.state, "error": self.error,
            "report": self.report.as_dict(), "rows": self.rows, "more": self.more,
            "gaps": gaps if self.rows else [],
        }  # fmt: skip

    def check(self, report: Report) -> None:
        """Take the figures over; raises where somebody cancelled."""
        self.report = report
        if self.cancelled.is_set():
            raise _Stopped


class Uploads:
    """The files of this process. What an earlier one left is removed at the start."""

    def __init__(self, folder: Path, state: State, store: EventStore) -> None:
        self._folder, self._state, self._store = folder, state, store
        self._held: dict[str, Upload] = {}
        self._lock = threading.Lock()
        shutil.rmtree(folder, ignore_errors=True)

    def receive(
        self, scope: Scope, stream: IO[bytes], name: str, format_: str, options: Options
    ) -> Upload:
        """Keep what a stream brings and begin to look at it."""
        refuse(scope)
        self._expire()
        key = secrets.token_urlsafe(12)
        one = Upload(key, self._folder / key / safe(name), format_, options)
        with self._lock:
            if len([each for each in self._held.values() if each.state not in OVER]) >= MOST_OPEN:
                raise Refused("name", "too many uploads are open: import or cancel one first")
            self._held[key] = one
        try:
            keep(stream, one.path)
        except BaseException:
            self._drop(one)
            raise
        self._run(one, self._look)
        return one

    def get(self, scope: Scope, key: str) -> Upload:
        """An upload by its key; raises `Unknown` where there is none."""
        refuse(scope)
        if (one := self._held.get(key)) is None:
            raise Unknown("upload", "there is no such upload, or it was too long ago")
        one.touched = time.monotonic()
        return one

    def commit(self, hand: Hand, key: str) -> Upload:
        """Begin to store what was looked at."""
        one = self.get(hand.scope, key)
        with self._lock:
            if one.state != "ready":
                raise Refused("upload", f"this upload is {one.state}, not ready to be imported")
            one.state, one.report = "importing", Report()
        self._run(one, lambda each: self._import(each, hand))
        return one

    def cancel(self, scope: Scope, key: str) -> Upload:
        """Stop what runs, remove the file; what is stored stays."""
        one = self.get(scope, key)
        one.cancelled.set()
        with self._lock:
            if one.state == "ready":
                one.state = "stopped"
                remove(one.path)
        return one

    def _run(self, one: Upload, work: Any) -> None:
        def run() -> None:
            try:
                work(one)
            except _Stopped:
                one.state = "stopped"
            except SpendscopeError as error:
                one.state, one.error = "failed", str(error)
            except Exception:
                logging.getLogger("spendscope").exception("an upload broke")
                one.state, one.error = "failed", "something broke here: the log says what"
            finally:
                if one.state in OVER:
                    remove(one.path)

        threading.Thread(target=run, name=f"upload {one.key}", daemon=True).start()

    def _look(self, one: Upload) -> None:
        inputs = find([one.path], one.format, one.options)
        found = islice(read(inputs, one.options), MOST_LOOKED + 1)
        one.check(Report())
        report = ingest(self._seen(one, found), self._store, dry_run=True, progress=one.check)
        report.files, report.format = 1, next((i.format.name for i in inputs if i.format), "")
        one.check(report)
        one.state = "ready"

    def _seen(self, one: Upload, records: Iterable[Record]) -> Iterator[Record]:
        """The records, watched: the first rows, which fields are ever filled."""
        for number, (where, raw) in enumerate(records):
            if number == MOST_LOOKED:
                one.more = True
                return
            if isinstance(raw, dict):
                one.filled.update(name for name, value in raw.items() if value not in (None, ""))
                if len(one.rows) < ROWS:
                    one.rows.append({name: _plain(v) for name, v in raw.items() if v is not None})
            yield where, raw

    def _import(self, one: Upload, hand: Hand) -> None:
        try:
            one.check(Report())
            one.report = ingest_paths(
                [one.path], self._store, one.options, name=one.format, progress=one.check
            )
            one.state = "done"
        finally:
            one.report.format = one.report.format or one.format
            record(self._state, hand.now, "upload", hand.name, one.path.name, one.report)

    def _expire(self) -> None:
        late = time.monotonic() - KEPT
        for one in list(self._held.values()):
            if one.touched < late and one.state not in RUNNING:
                self._drop(one)

    def _drop(self, one: Upload) -> None:
        self._held.pop(one.key, None)
        remove(one.path)


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float) else str(value)
