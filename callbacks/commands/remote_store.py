"""The server that runs, used by commands: only one process can have the event store open.

A serving process leaves its address and a key of its own in the data folder, readable by its
owner alone. A command that finds them works through the server; otherwise it opens the store.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import orjson
from flask import Flask, Response, jsonify, request

from callbacks.access.ingest_key import require_key
from callbacks.commands import checks
from callbacks.receive.request_body import request_body, split_into_bodies
from callbacks.stores import Stores
from data.engines.protocol import EventStore, open_events
from data.engines.totals import Totals
from data.errors import EventError, Refused, StoreError, Stranger
from data.events.cleaning import clean
from data.events.merging import WriteResult
from data.events.table import Event
from data.prices.book import PriceBook, public
from data.prices.own import PriceBookStore
from data.settings import Settings
from data.sources.columns import Rows
from data.sources.format import Options
from data.sources.parquet import Part
from data.sources.report import Report
from data.state.store import State

SERVER_FILE: Final = "server.json"
PATH: Final = "/api/v1/store/"
TIMEOUT_SECONDS: Final = 120
PAUSE_SECONDS: Final = 0.5
COPY_SECONDS: Final = 3_600
Verb = Callable[[Stores, Any], Any]


def attach(server: Flask, stores: Stores, key: str, more: Mapping[str, Verb]) -> None:
    """Let commands of this machine use the stores through the server, under its own key. `more` are
    verbs beside those of an event store."""
    verbs = {name: partial(_of_events, verb) for name, verb in VERBS.items()} | dict(more)

    @server.post(f"{PATH}<verb>")
    def work(verb: str) -> Response:
        if not ip_address(request.remote_addr or "::").is_loopback:
            raise Stranger("this address is for commands on this machine only")
        require_key(key)
        with request_body() as content:
            body = orjson.loads(content)
        if verb not in verbs:
            raise Refused("verb", f"a store can {', '.join(verbs)}")
        return jsonify(verbs[verb](stores, body))


def _of_events(verb: Callable[[EventStore, Any], Any], stores: Stores, body: Any) -> Any:
    return verb(stores.store, body)


def _write(store: EventStore, raws: list[Any]) -> dict[str, Any]:
    try:
        events = [clean(raw) for raw in raws]
    except EventError as error:
        raise Refused("body", str(error)) from None
    fresh = store.write(events)
    return {"new": [one["event_id"] for one in fresh], "merged": fresh.merged}


def _load(store: EventStore, body: dict[str, Any]) -> dict[str, Any] | None:
    """Read the file here, if it is here the file that the command sees."""
    part = Part(**{**body["part"], "path": Path(body["part"]["path"]),
                   "options": Options(**body["options"])})  # fmt: skip
    report = store.load(part) if _file_identity(part.path) == body["seen"] else None
    return None if report is None else asdict(report)


def _file_identity(path: Path) -> list[int]:
    """What tells a file from others, as far as two processes of a machine agree on it."""
    try:
        found = path.stat()
    except OSError:
        return []
    return [found.st_ino, found.st_size, found.st_mtime_ns]


VERBS: Final[dict[str, Callable[[EventStore, Any], Any]]] = {
    "write": _write,
    "load": _load,
    "stored_ids": lambda store, ids: sorted(store.stored_ids(ids)),
    "stored_shared_ids": lambda store, ids: sorted(store.stored_shared_ids(ids)),
    "remove": lambda store, source: store.remove(str(source)),
    "check": lambda store, _: list(checks.run_all(store)),
    "totals": lambda store, _: store.count_by_source(),
}


@contextmanager
def announce(settings: Settings, key: str) -> Iterator[None]:
    """Leave the note while serving."""
    note = settings.data_dir / SERVER_FILE
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104
    note.unlink(missing_ok=True)
    handle = os.open(note, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump({"url": f"http://{host}:{settings.port}", "key": key}, file)
    try:
        yield
    finally:
        note.unlink(missing_ok=True)


def new_key() -> str:
    """A key for one run of a server."""
    return secrets.token_urlsafe(32)


class RemoteStore:
    """A running server's event store, as far as commands need one; prices are this side's."""

    takes_columns = False

    def __init__(self, url: str, key: str, book: Callable[[], PriceBook] = public) -> None:
        self._url, self._key, self.book = url, key, book

    def write(self, events: Sequence[Event]) -> WriteResult:
        answers = [self._post("write", part) for part in split_into_bodies(events)]
        fresh = {one for each in answers for one in each["new"]}
        new = {e["event_id"]: e for e in reversed(events) if e["event_id"] in fresh}
        return WriteResult(reversed(new.values()), sum(each["merged"] for each in answers))

    def load(self, part: Part | Rows) -> Report | None:
        """The server reads the file itself; None where it does not see this file, and for columns:
        they are here."""
        if isinstance(part, Rows):
            return None
        given = {"user": part.options.user, "project": part.options.project}
        place = {"path": str(part.path), "name": part.name, "start": part.start, "rows": part.rows}
        body = {"part": place, "options": given, "seen": _file_identity(part.path)}
        report = self._ask("load", body)
        return None if report is None else Report.of(report)

    def stored_ids(self, ids: Collection[str]) -> set[str]:
        return self._among("stored_ids", ids)

    def stored_shared_ids(self, ids: Collection[str]) -> set[str]:
        return self._among("stored_shared_ids", ids)

    def _among(self, verb: str, ids: Collection[str]) -> set[str]:
        return {one for part in split_into_bodies(ids) for one in self._post(verb, part)}

    def remove(self, source: str) -> int:
        return int(self._ask("remove", source))

    def check(self) -> list[tuple[str, str]]:
        """What `checks.run_all` finds over there."""
        return [(str(name), str(problem)) for name, problem in self._ask("check", None)]

    def count_by_source(self) -> dict[str, Totals]:
        return {str(name): Totals(*counts) for name, counts in self._ask("totals", None).items()}

    def back_up(self, folder: Path) -> None:
        """The server makes a backup in a folder."""
        self._post("back_up", orjson.dumps(str(folder)), COPY_SECONDS)

    def restore(self, folder: Path, replace: bool) -> None:
        """The server begins anew with the data of a backup, after this."""
        body = {"folder": str(folder), "replace": replace}
        self._post("restore", orjson.dumps(body), COPY_SECONDS)

    def forget(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The server forgets a person, or says what that would change."""
        found: dict[str, Any] = self._post("forget", orjson.dumps(body), COPY_SECONDS)
        return found

    def is_same(self, other: RemoteStore) -> bool:
        """Whether it is one run of a server."""
        return self._key == other._key

    def close(self) -> None:
        """Nothing is open here."""

    def alive(self) -> bool:
        """Whether the noted server still answers."""
        try:
            with urlopen(f"{self._url}/healthz", timeout=5) as answer:  # noqa: S310
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False

    def _ask(self, verb: str, what: Any) -> Any:
        return self._post(verb, orjson.dumps(what))

    def _post(self, verb: str, content: bytes, seconds: int = TIMEOUT_SECONDS) -> Any:
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        post = Request(f"{self._url}{PATH}{verb}", content, headers)  # noqa: S310
        until = time.monotonic() + TIMEOUT_SECONDS
        try:
            while (answer := _read_answer(post, time.monotonic() < until, seconds)) is None:
                time.sleep(PAUSE_SECONDS)
            return orjson.loads(answer)
        except (URLError, OSError) as error:
            raise StoreError(
                f"the running server at {self._url} does not answer: {error}"
            ) from None


def _read_answer(post: Request, patient: bool, seconds: int) -> bytes | None:
    """What the server says; None where it is busy and there is time to ask again."""
    try:
        with urlopen(post, timeout=seconds) as answer:  # noqa: S310
            return bytes(answer.read())
    except HTTPError as error:
        body = error.read()
        if patient and error.code == 503:
            return None
        raise StoreError(f"the running server refused: {sentence(body)}") from None


def sentence(body: bytes) -> str:
    """What an answer says of an error; of one that is not ours, its beginning."""
    try:
        return str(orjson.loads(body)["error"]["message"])
    except (ValueError, TypeError, KeyError):
        return body.decode(errors="replace")[:300]


def running_server(
    settings: Settings, book: Callable[[], PriceBook] = public
) -> RemoteStore | None:
    """The server that has the stores open, if one does."""
    note = settings.data_dir / SERVER_FILE
    if not note.exists():
        return None
    server = json.loads(note.read_text())
    remote = RemoteStore(server["url"], server["key"], book)
    return remote if remote.alive() else None


def open_store(settings: Settings) -> EventStore | RemoteStore:
    """The event store, through the server that has it open, or opened here; it prices by the
    entries that are kept as the command starts."""
    with closing(State(settings.state_url)) as state:
        present = PriceBookStore(state)()
        if remote := running_server(settings, lambda: present):
            return remote
        present = PriceBookStore.at_start(state, settings.now())()
    return open_events(settings.events_url, lambda: present)
