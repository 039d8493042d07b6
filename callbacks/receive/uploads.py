"""Imports over HTTP, for platform administrators: a file is sent, looked at, stored or dropped.

POST   /api/v1/imports?name=u.csv[&format=&map=&user=&project=&start=&end=]   the body is the file
GET    /api/v1/imports/open   the uploads that are still known, so that a page can take one up again
GET    /api/v1/imports/<id>   how far it is, what would become of it, what became of it
POST   /api/v1/imports/<id>   store it
DELETE /api/v1/imports/<id>   stop, and remove the file

The log of all imports, GET /api/v1/imports, is a settings resource's.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from flask import Flask, Response, jsonify, request

from callbacks.access.session import EXTENSION, current_actor, current_scope
from callbacks.api.parameters import only
from callbacks.stores import Stores
from data.errors import Refused, TooLarge
from data.ingest.import_log import require_platform_admin
from data.ingest.uploads import LARGEST, TOO_LARGE, Upload, Uploads
from data.settings import Settings
from data.sources import AUTO, Options, formats, mapping

PATH: Final = "/api/v1/imports"
FIELDS: Final = ("name", "format", "map", "user", "project", "start", "end")


def attach(server: Flask, stores: Stores) -> None:
    """Route them on a server."""
    uploads = Uploads(stores.settings.data_dir / "uploads", stores.state, stores.store)
    server.extensions[EXTENSION].demo.ended.append(uploads.end_demo)

    @server.post(PATH)
    def send_file() -> tuple[Response, int]:
        return jsonify(_receive(uploads, stores.settings).as_dict()), 202

    @server.get(f"{PATH}/open")
    def open_uploads() -> Response:
        only(())
        return jsonify(uploads=[one.outline() for one in uploads.all(current_scope())])

    @server.get(f"{PATH}/<key>")
    def look_at(key: str) -> Response:
        return jsonify(uploads.get(current_scope(), key).as_dict())

    @server.post(f"{PATH}/<key>")
    def store_file(key: str) -> tuple[Response, int]:
        return jsonify(uploads.commit(current_actor(stores.settings), key).as_dict()), 202

    @server.delete(f"{PATH}/<key>")
    def stop_import(key: str) -> Response:
        return jsonify(uploads.cancel(current_scope(), key).as_dict())


def _receive(uploads: Uploads, settings: Settings) -> Upload:
    """The file that the body of this request is, kept to be looked at."""
    only(FIELDS)
    require_platform_admin(current_scope())
    request.max_content_length = LARGEST
    if (request.content_length or 0) > LARGEST:
        raise TooLarge("body", TOO_LARGE)
    fields = {name: request.args.get(name, "").strip() for name in FIELDS}
    form, options = _format(fields["format"]), _options(fields)
    return uploads.receive(current_actor(settings), request.stream, fields["name"], form, options)


def _format(name: str) -> str:
    if name and name != AUTO and name not in formats():
        raise Refused(
            "format", f"{name[:60]!r} is no known format; known are {', '.join(formats())}"
        )
    return name or AUTO


def _options(fields: dict[str, str]) -> Options:
    columns = mapping.parse([fields["map"]]) if fields["map"] else {}
    start, end = (_instant(name, fields[name]) for name in ("start", "end"))
    return Options(fields["user"] or None, fields["project"] or None, start, end, columns)


def _instant(name: str, text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text) if text else None
    except ValueError:
        raise Refused(name, f"{name} is no ISO 8601 instant: {text[:40]!r}") from None
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment
