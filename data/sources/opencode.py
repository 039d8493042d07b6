"""opencode's messages: `~/.local/share/opencode/opencode.db`, before 1.2 `storage/message/**.json`.

event_id      `opencode:` + the message's id, the same in both: a message that was moved into the
              database counts once
call          each assistant message that used tokens or failed. The four counts are disjoint
              (opencode takes cached tokens off the input); reasoning stands beside output unless
              `tokens.total` says that it is inside, and is billed as output
cost          `cost` in US dollars, reported. 0 is what opencode writes for models without a price
              and for subscriptions too: unknown then, priced by our book
context       conversation the session, client opencode, repository the folder's name, assistant
              the agent or mode, provider and model as opencode names them
status        `error` of MessageAbortedError is aborted, any other an error of that class
stays null    user and project (--user, --project)
not counted   messages still being written (no `time.completed`): left for the next import;
              users' messages and parts, which hold prompts
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import orjson

from data.errors import EventError
from data.sources.entries import by_head, documents
from data.sources.fields import count, decimal, folder_name, milliseconds, nano, part, text
from data.sources.files import File
from data.sources.format import Entry, Format, Head, Note, Options, Raw, Record, records
from data.sources.sqlite import MAGIC, opened, tables

MESSAGE: Final = {"role", "sessionID", "time"}
TABLE: Final = {"id", "session_id", "data"}
UNFINISHED: Final = Note("an answer was still being written: left for the next import")
ABORTED: Final = "MessageAbortedError"
Row = Mapping[str, Any]


def recognises(head: Head) -> bool:
    if head.start.startswith(MAGIC):
        return "opencode" in head.name.lower()
    first = head.first
    return first.keys() >= MESSAGE and ("modelID" in first or first.get("role") == "user")


def read(file: File, options: Options) -> Iterator[Record]:
    return records(by_head(file, _is_database, _stored, documents), _message, options)


def _is_database(head: str) -> bool:
    return head.startswith(MAGIC.decode())


def _stored(file: File) -> Iterator[Entry]:
    """The messages of a database, as the JSON storage before it kept them; one that cannot be
    read, or breaks off, ends with the reason."""
    try:
        if not tables(file).get("message", set()) >= TABLE:
            raise EventError("no table `message` with id, session_id and data is in it")
        with opened(file) as connection:
            rows = connection.execute("SELECT id, session_id, data FROM message ORDER BY id")
            for number, row in enumerate(rows, start=1):
                yield f"{file.name}:{number}", _stored_message(row)
    except EventError as error:
        yield file.name, error


def _stored_message(row: sqlite3.Row) -> Any:
    try:
        value = orjson.loads(row["data"])
    except (orjson.JSONDecodeError, TypeError):
        return EventError("the message is no JSON")
    known = {"id": row["id"], "sessionID": row["session_id"]}
    return known | value if isinstance(value, dict) else value


def _message(_: str, row: Row) -> Iterator[Raw | Note]:
    if row.get("role") != "assistant":
        return
    error = part(row, "error")
    time = part(row, "time")
    if time.get("completed") is None and not error:
        yield UNFINISHED
        return
    tokens = _tokens(part(row, "tokens"))
    if not error and not any(tokens.values()):
        return
    own, session = text(row.get("id")), text(row.get("sessionID"))
    if own is None:
        raise EventError("the message has no id")
    started = milliseconds("time.created", time.get("created"))
    yield {
        "event_id": f"opencode:{own}",
        "ts": started,
        "kind": "llm",
        "channel": "cli",
        "source": "opencode",
        **_outcome(error),
        "conversation_id": session,
        "client": "opencode",
        "assistant": text(row.get("agent")) or text(row.get("mode")),
        "repository": _repository(part(row, "path")),
        "provider": text(row.get("providerID")),
        "model": text(row.get("modelID")),
        "operation": "chat",
        **tokens,
        "cost_nano": _cost(row),
        "duration_ms": _duration(started, time.get("completed")),
    }


def _tokens(told: Row) -> Raw:
    cache = part(told, "cache")
    found = {
        "input_tokens": count("tokens.input", told.get("input")),
        "cached_input_tokens": count("tokens.cache.read", cache.get("read")),
        "cache_write_tokens": count("tokens.cache.write", cache.get("write")),
        "output_tokens": count("tokens.output", told.get("output")),
    }
    reasoning = count("tokens.reasoning", told.get("reasoning"))
    total = count("tokens.total", told.get("total"))
    inside = total is not None and total == sum(number or 0 for number in found.values())
    if reasoning and not inside:
        found["output_tokens"] = (found["output_tokens"] or 0) + reasoning
    return found | {"reasoning_tokens": reasoning or None}


def _cost(row: Row) -> int | None:
    return nano("cost", row.get("cost")) if decimal("cost", row.get("cost")) else None


def _outcome(error: Row) -> Raw:
    if not error:
        return {"status": "ok"}
    named = text(error.get("name")) or "error"
    return {"status": "aborted" if named == ABORTED else "error", "error_class": named}


def _repository(path: Row) -> str | None:
    return folder_name(path.get("root")) or folder_name(path.get("cwd"))


def _duration(started: datetime, completed: Any) -> int | None:
    if completed is None:
        return None
    return max(
        0, (milliseconds("time.completed", completed) - started) // timedelta(milliseconds=1)
    )


PLACES: Final = ("~/.local/share/opencode", "$XDG_DATA_HOME/opencode")
FORMAT = Format("opencode", "opencode's messages", recognises, read, places=PLACES)
