"""Events that arrive over HTTP: `POST /api/v1/events`, under the ingest key.

200 is said only when what it reports is durable: the store's write is one transaction, and the
answer follows its end.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from io import BytesIO
from itertools import islice
from typing import Any, Final

import orjson
from flask import Flask, Response, jsonify, request

from callbacks.bodies import MOST_ITEMS, body, refuse_crowded
from callbacks.parameters import only
from data.engines import EventStore
from data.errors import EventError, Refused, Stranger, TooLarge
from data.imports import Tally
from data.ingest import ingest
from data.ingest_keys import UNNAMED, Key, any_good, verify
from data.settings import Settings
from data.sources import File, Options, Record, formats
from data.sources.canonical import FORMAT, convert
from data.sources.entries import entries
from data.sources.format import records
from data.state import State

POSTED: Final = ("litellm", "litellm-callback")  # beside our own events
WRONG: Final = "the key is missing or wrong: send Authorization: Bearer KEY"
RETRY_SECONDS: Final = 2


def attach(
    server: Flask, settings: Settings, state: State, store: EventStore, tally: Tally
) -> None:
    """Route the receiving endpoint on a server."""
    server.after_request(_come_again)

    @server.post("/api/v1/events")
    def receive() -> Response:
        key = admitted(settings, state)
        only(("format",))
        name = request.args.get("format", FORMAT.name)
        with body() as content:
            refuse_crowded(content)
            found = key.stamp(_few(_records(name, content)))
            report = ingest(found, store, only=key.project)
        report.format = name
        report.settle(key.source or name, {})
        tally.add(settings.now(), key.name, name, report)
        return jsonify(report.as_dict())


def admitted(settings: Settings, state: State) -> Key:
    """The ingest key this request shows; raises `Stranger` where it shows no good one."""
    if settings.ingest_key is not None and _same(_shown(), settings.ingest_key):
        return UNNAMED
    if key := verify(state, _shown(), settings.now()):
        return key
    if settings.ingest_key is None and not any_good(state):
        raise Stranger(
            "nothing is received here: SPENDSCOPE_INGEST_KEY is not set and there is no ingest key"
        )
    raise Stranger(WRONG)


def keyed(key: str) -> None:
    """Let nobody on without this key; raises `Stranger`."""
    if not _same(_shown(), key):
        raise Stranger(WRONG)


def _come_again(answer: Response) -> Response:
    """Who is sent away for now hears when to try again."""
    if answer.status_code == 503:
        answer.headers.setdefault("Retry-After", str(RETRY_SECONDS))
    return answer


def _shown() -> str:
    """The key of a request: a bearer, or `x-api-key` for senders that cannot write a space."""
    _, _, bearer = request.headers.get("Authorization", "").partition(" ")
    return bearer.strip() or request.headers.get("x-api-key", "").strip()


def _same(shown: str, key: str) -> bool:
    return hmac.compare_digest(shown.encode(), key.encode())


def _records(name: str, content: bytes) -> Iterable[Record]:
    """The records of a body in one of the forms that others post."""
    if name == FORMAT.name:
        told = ((f"body:{n}", entry) for n, entry in enumerate(_entries(content), start=1))
        return records(told, convert, Options())
    if name not in POSTED:
        known = ", ".join((FORMAT.name, *POSTED))
        raise Refused("format", f"{name[:40]!r} is not received here; use one of {known}")
    if not content.strip():
        raise Refused("body", "the body is empty")
    return formats()[name].read(File("body", body=content), Options())


def _few(found: Iterable[Record]) -> list[Record]:
    """All of the records, before any is stored; raises `TooLarge` at the first too many."""
    taken = list(islice(found, MOST_ITEMS + 1))
    if len(taken) > MOST_ITEMS:
        raise TooLarge("body", f"a body has at most {MOST_ITEMS:,} events: send it in parts")
    return taken


def _entries(text: bytes) -> Iterable[Any]:
    """The events of a body: one object, a list of them, or one a line."""
    if not text.strip():
        raise Refused("body", "the body is empty: send an event, a list of events, or one a line")
    try:
        whole = orjson.loads(text)
    except orjson.JSONDecodeError:
        if text.lstrip().startswith(b"["):  # one bad event of a list costs itself, not the list
            return (entry for _, entry in entries(File("body", body=text)))
        return (_line(line) for line in BytesIO(text) if line.strip())
    return whole if isinstance(whole, list) else [whole]


def _line(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return EventError("this line is no JSON")
