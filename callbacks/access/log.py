"""The log: a line an entry on standard error, as text or as a JSON object, with the request's id.

What somebody sent cannot make a line of its own: control characters are written out. Rows, keys,
passwords and the parameters of SQL are in no line.
"""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any, Final

from flask import has_request_context

from callbacks.access.request_log import request_id

CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# Waitress says at every peak that requests wait for a thread.
LOUD: Final = ("waitress.queue",)


def configure(form: str, level: str) -> None:
    """Have the process log in this form (`text`, `json`), from this level on."""
    handler = logging.StreamHandler()
    handler.setFormatter(FORMATTERS[form]())
    logging.basicConfig(level=level.upper(), handlers=[handler])
    for name in LOUD:
        logging.getLogger(name).setLevel(logging.ERROR)


class Text(logging.Formatter):
    """`2026-11-20T12:00:00.000Z INFO spendscope [3f9a…] what happened`, a traceback below it."""

    def format(self, record: logging.LogRecord) -> str:
        about = f" [{found}]" if (found := _request()) else ""
        line = f"{_at(record)} {record.levelname} {record.name}{about} {_message(record)}"
        return "\n".join(filter(None, (line, self._trace(record))))

    def _trace(self, record: logging.LogRecord) -> str:
        return self.formatException(record.exc_info) if record.exc_info else ""


class Json(Text):
    """The same as an object: `at`, `level`, `logger`, `request`, `message`, `trace`, and what an
    entry has beside its message."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "at": _at(record), "level": record.levelname.lower(), "logger": record.name,
            "request": _request(), "message": _message(record), "trace": self._trace(record),
        }  # fmt: skip
        return json.dumps({name: one for name, one in entry.items() if one} | _fields(record))


FORMATTERS: Final[dict[str, type[logging.Formatter]]] = {"text": Text, "json": Json}


def _at(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _request() -> str:
    return request_id() if has_request_context() else ""


def _message(record: logging.LogRecord) -> str:
    return CONTROL.sub(lambda found: repr(found[0])[1:-1], record.getMessage())


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    found: dict[str, Any] = getattr(record, "fields", {})
    return found
