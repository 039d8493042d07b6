"""Events that arrive over HTTP: `POST /api/v1/events`, under the ingest key.

200 is said only when what it reports is durable: the store's write is one transaction, and the
answer follows its end.
"""

from __future__ import annotations

from typing import Final

from flask import Flask, Response, jsonify, request

from callbacks.access.ingest_key import require_ingest_key
from callbacks.api.parameters import only
from callbacks.receive.request_body import MOST_ITEMS, refuse_too_many_objects, request_body
from callbacks.stores import Stores
from data.ingest.importing import store_request
from data.ingest.requests import RequestParser
from data.sources.canonical import FORMAT

RETRY_SECONDS: Final = 2


def attach(server: Flask, stores: Stores, reader: RequestParser) -> None:
    """Route the receiving endpoint on a server."""
    server.after_request(_add_retry_after)

    @server.post("/api/v1/events")
    def post_events() -> Response:
        key = require_ingest_key(stores.settings, stores.state)
        only(("format",))
        name = request.args.get("format", FORMAT.name)
        with request_body() as content:
            refuse_too_many_objects(content)
            read = reader.events(name, content, MOST_ITEMS, key)
            report = store_request(read, stores.store, key.bound)
        report.format = name
        report.attribute_rejections(key.source or name, {})
        stores.tally.add(stores.settings.now(), key.name, name, report)
        return jsonify(report.as_dict())


def _add_retry_after(answer: Response) -> Response:
    """Who is sent away for now hears when to try again."""
    if answer.status_code == 503:
        answer.headers.setdefault("Retry-After", str(RETRY_SECONDS))
    return answer
