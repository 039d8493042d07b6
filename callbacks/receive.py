"""Events that arrive over HTTP: `POST /api/v1/events`, under the ingest key.

200 is said only when what it reports is durable: the store's write is one transaction, and the
answer follows its end.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from typing import Any, Final

import orjson
from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import RequestEntityTooLarge

from data.engines import EventStore
from data.errors import EventError, Refused, Stranger
from data.ingest import ingest
from data.settings import Settings
from data.sources.canonical import FORMAT, convert
from data.sources.format import Options, records

LARGEST_BODY: Final = 32 * 1024 * 1024


def attach(server: Flask, settings: Settings, store: EventStore) -> None:
    """Route the receiving endpoint on a server."""

    @server.post("/api/v1/events")
    def receive() -> Response:
        keyed(settings.ingest_key, "SPENDSCOPE_INGEST_KEY")
        entries = [(f"body:{n}", entry) for n, entry in enumerate(_entries(body()), start=1)]
        report = ingest(records(entries, convert, Options()), store)
        report.format = FORMAT.name
        return jsonify(report.as_dict())


def keyed(key: str | None, setting: str) -> None:
    """Let nobody on without the key of this door; raises `Stranger`."""
    if key is None:
        raise Stranger(f"nothing is received here: {setting} is not set")
    _, _, shown = request.headers.get("Authorization", "").partition(" ")
    if not hmac.compare_digest(shown.strip().encode(), key.encode()):
        raise Stranger("the key is missing or wrong: send Authorization: Bearer KEY")


def body() -> bytes:
    """The request's body; raises `Refused` where it is larger than we take at once."""
    request.max_content_length = LARGEST_BODY
    try:
        return request.get_data(cache=False)
    except RequestEntityTooLarge:
        most = LARGEST_BODY // 1024 // 1024
        raise Refused("body", f"a body has at most {most} MB: send it in parts") from None


def _entries(text: bytes) -> Iterable[Any]:
    """The events of a body: one object, a list of them, or one a line."""
    if not text.strip():
        raise Refused("body", "the body is empty: send an event, a list of events, or one a line")
    try:
        whole = orjson.loads(text)
    except orjson.JSONDecodeError:
        return [_line(line) for line in text.splitlines() if line.strip()]
    return whole if isinstance(whole, list) else [whole]


def _line(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return EventError("this line is no JSON")
