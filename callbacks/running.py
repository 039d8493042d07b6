"""The server that runs, used by commands: only one process can have the event store open.

A serving process leaves its address and a key of its own in the data folder, readable by its
owner alone. A command that finds them works through the server; otherwise it opens the store.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import orjson
from flask import Flask, Response, jsonify, request

from callbacks import checks
from callbacks.receive import body, keyed
from data.engines import EventStore, open_events
from data.errors import EventError, Refused, StoreError, Stranger
from data.events import Event, clean
from data.settings import Settings

NOTE: Final = "server.json"
PATH: Final = "/api/v1/store/"
SECONDS: Final = 120


def attach(server: Flask, store: EventStore, key: str) -> None:
    """Let commands of this machine use the store through the server, under its own key."""

    @server.post(f"{PATH}<verb>")
    def work(verb: str) -> Response:
        if not ip_address(request.remote_addr or "::").is_loopback:
            raise Stranger("this door is for commands of this machine")
        keyed(key, "the server's own key")
        asked = orjson.loads(body())
        if verb == "write":
            return jsonify([event["event_id"] for event in store.write(_cleaned(asked))])
        if verb == "known":
            return jsonify(sorted(store.known(asked)))
        if verb == "remove":
            return jsonify(store.remove(str(asked)))
        if verb == "check":
            return jsonify(list(checks.run_all(store)))
        raise Refused("verb", "a store can write, know, remove and check")


def _cleaned(asked: list[Any]) -> list[Event]:
    try:
        return [clean(raw) for raw in asked]
    except EventError as error:
        raise Refused("body", str(error)) from None


@contextmanager
def announced(settings: Settings, key: str) -> Iterator[None]:
    """Leave the note while serving."""
    note = settings.data_dir / NOTE
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


class Running:
    """A running server's event store, as far as commands need one."""

    def __init__(self, url: str, key: str) -> None:
        self._url, self._key = url, key

    def write(self, events: Sequence[Event]) -> list[Event]:
        fresh = set(self._ask("write", list(events)))
        unique = {event["event_id"]: event for event in reversed(events)}
        return [event for key, event in reversed(unique.items()) if key in fresh]

    def known(self, ids: Collection[str]) -> set[str]:
        return set(self._ask("known", list(ids)))

    def remove(self, source: str) -> int:
        return int(self._ask("remove", source))

    def check(self) -> list[tuple[str, str]]:
        """What `checks.run_all` finds over there."""
        return [(str(name), str(problem)) for name, problem in self._ask("check", None)]

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
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        asked = Request(f"{self._url}{PATH}{verb}", orjson.dumps(what), headers)  # noqa: S310
        try:
            with urlopen(asked, timeout=SECONDS) as answer:  # noqa: S310
                return orjson.loads(answer.read())
        except HTTPError as error:
            told = error.read().decode(errors="replace")[:300]
            raise StoreError(f"the running server refused: {told}") from None
        except (URLError, OSError) as error:
            raise StoreError(
                f"the running server at {self._url} does not answer: {error}"
            ) from None


def reach(settings: Settings) -> EventStore | Running:
    """The event store, through the server that has it open, or opened here."""
    note: Path = settings.data_dir / NOTE
    if note.exists():
        told = json.loads(note.read_text())
        running = Running(told["url"], told["key"])
        if running.alive():
            return running
    return open_events(settings.events_url)
