"""Files that arrive to be imported: looked at first, stored when somebody says so.

receive → looking (a dry run over the first `MOST_PREVIEWED` records) → ready → importing → done
A file lives under the data folder until its import ends, is cancelled, or nobody came back for
`KEPT_SECONDS`; where too many wait, one that nobody came back to for `ABANDONED` seconds makes
room. What a stopped import had stored stays: importing the same again is exact.
"""

from __future__ import annotations

import logging
import secrets
import shutil
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final

from data.access.scope import Scope
from data.engines.protocol import EventStore
from data.errors import Forbidden, Refused, SpendscopeError, StoreError, TooLarge, Unknown
from data.events.table import FIELDS
from data.ingest.import_log import record, require_platform_admin, require_platform_reader
from data.ingest.importing import ingest, ingest_paths
from data.sources import Options, find, read
from data.sources.format import Record
from data.sources.report import Report
from data.state.audit import Actor
from data.state.store import State

LARGEST: Final = 1024**3
CHUNK: Final = 1024 * 1024
LONGEST_NAME: Final = 200  # bytes: a file system takes 255, whatever their characters
TOO_LARGE: Final = "an upload has at most 1 GB: use spendscope import for larger files"
OVER: Final = ("done", "stopped", "failed")
RUNNING: Final = ("looking", "importing")
MOST_PREVIEWED: Final = 100_000
MOST_OPEN: Final = 8
KEPT_SECONDS: Final = 3_600.0
LONGEST_SHOWN: Final = 200  # characters of a value
ROWS: Final = 8
ABANDONED: Final = 600.0
PAUSE: Final = 60.0


def safe(name: str) -> str:
    """The name a report may show, without any folder."""
    tidy = "".join(c for c in name.replace("\\", "/").rsplit("/", 1)[-1] if c.isprintable())
    end = tidy.encode()[-LONGEST_NAME:].decode(errors="ignore")
    return end.strip().lstrip(".") or "upload"


def keep(stream: IO[bytes], path: Path) -> None:
    """Write a stream down; raises `TooLarge`, `StoreError` where there is no room."""
    try:
        path.parent.mkdir(parents=True, mode=0o700)
        with path.open("xb") as file:
            while part := stream.read(CHUNK):
                if file.tell() + len(part) > LARGEST:
                    raise TooLarge("body", TOO_LARGE)
                file.write(part)
    except OSError as error:
        raise StoreError(f"the upload cannot be kept: {error.strerror or error}") from error


def remove(path: Path) -> None:
    """Forget a file and the folder made for it."""
    shutil.rmtree(path.parent, ignore_errors=True)


class Stopped(Exception):
    """Raised into an import that is to stop."""


@dataclass(slots=True)
class Upload:
    """A file and what became of it so far."""

    key: str
    path: Path
    who: str
    format: str
    options: Options
    demo: bool = False  # a visitor of the demo sent it
    state: str = "looking"
    error: str = ""
    report: Report = field(default_factory=Report)
    rows: list[dict[str, Any]] = field(default_factory=list)
    filled: set[str] = field(default_factory=set)
    more: bool = False
    storing: bool = False  # somebody said so; it may be over by now
    cancelled: threading.Event = field(default_factory=threading.Event)
    touched: float = field(default_factory=time.monotonic)

    def as_dict(self) -> dict[str, Any]:
        """As JSON says it; `gaps` are the fields that no record looked at fills."""
        gaps = [name for name in FIELDS if name not in (*self.filled, "cost_origin")]
        return {
            "id": self.key, "name": self.path.name, "state": self.state, "error": self.error,
            "report": self.report.as_dict(), "rows": self.rows, "more": self.more,
            "storing": self.storing,
            "gaps": gaps if self.rows else [],
        }  # fmt: skip

    def outline(self) -> dict[str, Any]:
        """What a list of uploads says of it."""
        summary = {"id": self.key, "name": self.path.name, "who": self.who, "state": self.state}
        return summary | {"read": self.report.read, "storing": self.storing}

    def check(self, report: Report) -> None:
        """Take the figures over; raises where somebody cancelled."""
        self.report = report
        if self.cancelled.is_set():
            raise Stopped


class Uploads:
    """The files of this process. What an earlier one left is removed at the start."""

    def __init__(self, folder: Path, state: State, store: EventStore) -> None:
        self._folder, self._state, self._store = folder, state, store
        self._uploads: dict[str, Upload] = {}
        self._lock = threading.Lock()
        self._watched = False
        shutil.rmtree(folder, ignore_errors=True)

    def receive(
        self, actor: Actor, stream: IO[bytes], name: str, format_: str, options: Options
    ) -> Upload:
        """Keep what a stream brings and begin to look at it."""
        require_platform_admin(actor.scope)
        key = secrets.token_urlsafe(12)
        place, whole = self._folder / key / safe(name), replace(options, complete=True)
        one = Upload(key, place, actor.name, format_, whole, actor.is_demo)
        self._admit(one)
        try:
            keep(stream, one.path)
        except BaseException:
            self._drop(one)
            raise
        self._run(one, self._look)
        return one

    def _admit(self, one: Upload) -> None:
        self._expire(KEPT_SECONDS)
        if len(self._open()) >= MOST_OPEN:
            self._expire(ABANDONED)
        with self._lock:
            if len(self._open()) >= MOST_OPEN:
                raise Refused("name", "too many uploads are open: import or cancel one first")
            self._uploads[one.key] = one
        self._watch()

    def _open(self) -> list[Upload]:
        return [one for one in list(self._uploads.values()) if one.state not in OVER]

    def all(self, scope: Scope) -> list[Upload]:
        """All that are still known, the newest first, also those that are over."""
        require_platform_reader(scope)
        self._expire(KEPT_SECONDS)
        return list(self._uploads.values())[::-1]

    def get(self, scope: Scope, key: str) -> Upload:
        """An upload by its key; raises `Unknown` where there is none."""
        require_platform_reader(scope)
        if (one := self._uploads.get(key)) is None:
            raise Unknown("upload", "there is no such upload; one that waits is kept for an hour")
        one.touched = time.monotonic()
        return one

    def commit(self, actor: Actor, key: str) -> Upload:
        """Begin to store what was looked at."""
        if actor.is_demo:
            raise Forbidden("the demo imports nothing: sign in with an account")
        require_platform_admin(actor.scope)
        one = self.get(actor.scope, key)
        with self._lock:
            if one.state != "ready":
                raise Refused("upload", f"this upload is {one.state}, not ready to be imported")
            one.state, one.report, one.storing = "importing", Report(), True
        self._run(one, lambda each: self._import(each, actor))
        return one

    def cancel(self, scope: Scope, key: str) -> Upload:
        """Stop what runs, remove the file; what is stored stays."""
        require_platform_admin(scope)
        one = self.get(scope, key)
        one.cancelled.set()
        with self._lock:
            if one.state == "ready":
                one.state = "stopped"
                remove(one.path)
        return one

    def end_demo(self) -> None:
        """Drop what visitors of the demo sent: nobody who comes after them imports it."""
        for one in [each for each in list(self._uploads.values()) if each.demo]:
            one.cancelled.set()
            self._drop(one)

    def _run(self, one: Upload, work: Any) -> None:
        def run() -> None:
            try:
                work(one)
            except Stopped:
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
        found = islice(read(inputs, one.options), MOST_PREVIEWED + 1)
        one.check(Report())
        report = ingest(self._sampled(one, found), self._store, dry_run=True, progress=one.check)
        report.files, report.format = 1, next((i.format.name for i in inputs if i.format), "")
        one.check(report)
        one.state = "ready"

    def _sampled(self, one: Upload, records: Iterable[Record]) -> Iterator[Record]:
        """The records, watched: the first rows, which fields are ever filled."""
        for number, (where, raw) in enumerate(records):
            if number == MOST_PREVIEWED:
                one.more = True
                return
            if isinstance(raw, dict):
                one.filled.update(name for name, value in raw.items() if value not in (None, ""))
                if len(one.rows) < ROWS:
                    one.rows.append(
                        {name: _plain_value(v) for name, v in raw.items() if v is not None}
                    )
            yield where, raw

    def _import(self, one: Upload, actor: Actor) -> None:
        try:
            one.check(Report())
            one.report = ingest_paths(
                [one.path], self._store, one.options, name=one.format, progress=one.check
            )
            one.state = "done"
        finally:
            one.report.format = one.report.format or one.format
            record(self._state, actor.now, "upload", actor.name, one.path.name, one.report)

    def _watch(self) -> None:
        """Look for files that nobody came back to, as long as there are any."""
        with self._lock:
            if self._watched or not self._uploads:
                return
            self._watched = True
        timer = threading.Timer(PAUSE, self._passed)
        timer.daemon = True
        timer.start()

    def _passed(self) -> None:
        self._expire(KEPT_SECONDS)
        self._watched = False
        self._watch()

    def _expire(self, seconds: float) -> None:
        late = time.monotonic() - seconds
        for one in list(self._uploads.values()):
            if one.touched < late and one.state not in RUNNING:
                self._drop(one)

    def _drop(self, one: Upload) -> None:
        self._uploads.pop(one.key, None)
        remove(one.path)


def _plain_value(value: Any) -> Any:
    """As JSON has it; of a long text its beginning: a cell may have megabytes."""
    if isinstance(value, int | float):
        return value
    shown = str(value)
    return shown if len(shown) <= LONGEST_SHOWN else f"{shown[:LONGEST_SHOWN]}…"
