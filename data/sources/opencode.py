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
copies        forking a session copies its messages under new ids, with their times: what was made
              before its own session is a copy. One is counted of those that a database holds;
              of the JSON storage, where a message is a file, none
not counted   messages still being written (no `time.completed`): left for the next import;
              users' messages and parts, which hold prompts; what sessions sum up
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import lru_cache
from glob import escape
from pathlib import Path
from typing import Any, Final

import orjson

from data.errors import EventError
from data.sources.entries import by_head, documents
from data.sources.fields import count, decimal, digest, folder_name, nano, part, text
from data.sources.files import File
from data.sources.format import Entry, Format, Head, Note, Options, Raw, Record, records
from data.sources.sqlite import MAGIC, opened, tables
from data.sources.times import milliseconds

MESSAGE: Final = {"role", "sessionID", "time"}
SESSION: Final = {
    "id",
    "projectID",
    "title",
    "version",
    "time",
}  # of the JSON storage, beside its messages
TABLE: Final = {"id", "session_id", "data"}
SESSIONS: Final = {"id", "time_created"}
# Sessions in the order they began: what a fork copied comes after its original.
FORKABLE: Final = (
    "SELECT m.id, m.session_id, m.data, s.time_created AS begun FROM message m"
    " LEFT JOIN session s ON s.id = m.session_id ORDER BY s.time_created, m.id"
)
PLAIN: Final = "SELECT id, session_id, data, NULL AS begun FROM message ORDER BY id"
COPIED: Final = "copied"  # of a message as it is read here
COPY: Final = Note("an answer in a forked session is a copy of the original's: not counted twice")
UNFINISHED: Final = Note("an answer was still being written: left for the next import")
ABORTED: Final = "MessageAbortedError"
Row = Mapping[str, Any]


def recognises(head: Head) -> bool:
    if head.start.startswith(MAGIC):
        return "opencode" in head.name.lower()
    first = head.first
    if first.keys() >= SESSION:
        return True
    return first.keys() >= MESSAGE and ("modelID" in first or first.get("role") == "user")


def read(file: File, options: Options) -> Iterator[Record]:
    return records(by_head(file, _is_database, _stored, _files), _message, options)


def _is_database(head: str) -> bool:
    return head.startswith(MAGIC.decode())


def _stored(file: File) -> Iterator[Entry]:
    """The messages of a database, as the JSON storage before it kept them; one that cannot be
    read, or breaks off, ends with the reason."""
    try:
        known = tables(file)
        if not known.get("message", set()) >= TABLE:
            raise EventError("no table `message` with id, session_id and data is in it")
        with opened(file) as connection:
            rows = _rows(connection, known.get("session", set()) >= SESSIONS)
            answers: set[str] = set()
            for number, row in enumerate(rows, start=1):
                yield f"{file.name}:{number}", _stored_message(row, answers)
    except EventError as error:
        yield file.name, error


def _rows(connection: sqlite3.Connection, forkable: bool) -> Iterator[sqlite3.Row]:
    """The messages; of a damaged database, which cannot be sorted, those before the damage."""
    if forkable:
        with suppress(sqlite3.DatabaseError):
            yield from connection.execute(FORKABLE)
            return
    yield from connection.execute(PLAIN)


def _stored_message(row: sqlite3.Row, answers: set[str]) -> Any:
    try:
        value = orjson.loads(row["data"])
    except (orjson.JSONDecodeError, TypeError):
        return EventError("the message is no JSON")
    if not isinstance(value, dict):
        return value
    content = _content(value)
    copied = content in answers and _precedes(value, row["begun"])
    answers.add(content)
    return {"id": row["id"], "sessionID": row["session_id"]} | value | {COPIED: copied}


def _content(message: Row) -> str:
    """What a copy has in common with its original, and no other message has."""
    time = part(message, "time")
    fields = (message.get(name) for name in ("role", "providerID", "modelID", "tokens"))
    return digest(time.get("created"), time.get("completed"), *fields)


def _files(file: File) -> Iterator[Entry]:
    """The messages of the JSON storage, one a file, beside the file of their session."""
    begun = _begun(file.path.parent) if file.path else None
    for where, value in documents(file):
        copied = isinstance(value, dict) and _precedes(value, begun)
        yield where, value | {COPIED: True} if copied else value


@lru_cache(1)  # a session's messages are read one after the other
def _begun(messages: Path) -> Any:
    """When the session began whose messages are in a folder; None where nothing says it."""
    storage, name = messages.parent.parent, f"{escape(messages.name)}.json"
    for path in (*storage.glob(f"session/*/{name}"), *storage.glob(f"info/{name}")):
        with suppress(OSError, orjson.JSONDecodeError, AttributeError):
            return part(orjson.loads(path.read_bytes()), "time").get("created")
    return None


def _precedes(message: Row, begun: Any) -> bool:
    """Whether a message is older than its session, which then is a fork of another."""
    created = part(message, "time").get("created")
    return all(isinstance(each, int | float) for each in (created, begun)) and created < begun


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
    if row.get(COPIED):
        yield COPY
        return
    yield _call(row, time) | _outcome(error) | tokens


def _call(row: Row, time: Row) -> Raw:
    """The call that an answer is, without its outcome and tokens."""
    own = text(row.get("id"))
    if own is None:
        raise EventError("the message has no id")
    started = milliseconds("time.created", time.get("created"))
    return {
        "event_id": f"opencode:{own}",
        "ts": started,
        "kind": "llm",
        "channel": "cli",
        "source": "opencode",
        "conversation_id": text(row.get("sessionID")),
        "client": "opencode",
        "assistant": text(row.get("agent")) or text(row.get("mode")),
        "repository": _repository(part(row, "path")),
        "provider": text(row.get("providerID")),
        "model": text(row.get("modelID")),
        "operation": "chat",
        "cost_nano": _cost(row),
        "duration_ms": _duration(started, time.get("completed")),
    }


def _tokens(usage: Row) -> Raw:
    cache = part(usage, "cache")
    found = {
        "input_tokens": count("tokens.input", usage.get("input")),
        "cached_input_tokens": count("tokens.cache.read", cache.get("read")),
        "cache_write_tokens": count("tokens.cache.write", cache.get("write")),
        "output_tokens": count("tokens.output", usage.get("output")),
    }
    reasoning = count("tokens.reasoning", usage.get("reasoning"))
    total = count("tokens.total", usage.get("total"))
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
