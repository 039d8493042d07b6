"""Events that arrive over HTTP: `POST /api/v1/events`, under the ingest key.

200 is said only when what it reports is durable: the store's write is one transaction, and the
answer follows its end.
"""

from __future__ import annotations

import hmac
from typing import Final

from flask import Flask, Response, jsonify, request

from callbacks.api.parameters import only
from callbacks.receive.bodies import MOST_ITEMS, body, refuse_crowded
from data.engines.protocol import EventStore
from data.errors import Stranger
from data.ingest.import_log import Tally
from data.ingest.importing import receive
from data.ingest.keys import UNNAMED, Key, any_good, verify
from data.ingest.reading import Reads
from data.settings import Settings
from data.sources.canonical import FORMAT
from data.state.store import State

WRONG: Final = "the key is missing or wrong: send Authorization: Bearer KEY"
RETRY_SECONDS: Final = 2


def attach(
    server: Flask,
    settings: Settings,
    state: State,
    store: EventStore,
    tally: Tally,
    reader: Reads,
) -> None:
    """Route the receiving endpoint on a server."""
    server.after_request(_come_again)

    @server.post("/api/v1/events")
    def received() -> Response:
        key = admitted(settings, state)
        only(("format",))
        name = request.args.get("format", FORMAT.name)
        with body() as content:
            refuse_crowded(content)
            read = reader.events(name, content, MOST_ITEMS, key)
            report = receive(read, store, key.project)
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
