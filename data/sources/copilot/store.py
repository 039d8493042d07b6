"""GitHub Copilot CLI's store of sessions: `~/.copilot/session-store.db`, a row a model call.

event_id      `copilot_cli:` + session + the row's time and number
call          each row of assistant_usage_events. input_tokens INCLUDE cache_read_tokens and
              cache_write_tokens; reasoning is part of the output, unless it is more than that
cost          unpriced: Copilot is paid by seats and credits; total_nano_aiu stands in tags
context       conversation the session, client copilot-cli, repository the folder
stays null    user and project (--user, --project)
not counted   sessions and the lines they changed, which events.jsonl tells; prompts and answers
beside        `session-state/<session>/events.jsonl` tells the same calls as sums, up to each
              shutdown. Its reader (cli.py) takes what this store knows off them, so that a folder
              that holds both counts once; imported apart, those sums give way to these calls
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from data.errors import EventError
from data.sources.aggregates import UNPRICED
from data.sources.fields import count, folder_name, tags_json, text, whole
from data.sources.files import File
from data.sources.format import Entry, Format, Head, Note, Options, Raw, Record, records
from data.sources.sqlite import MAGIC, opened
from data.sources.times import instant

NAME: Final = "session-store.db"
LOGS: Final = "session-state"
TABLE: Final = "assistant_usage_events"
NO_CALLS: Final[Mapping[str, Any]] = {}  # the entry of a store without the table
OLDER: Final = Note("a session store without calls: this version tells them in events.jsonl alone")
TAGS: Final = ("total_nano_aiu", "request_multiplier", "reasoning_effort", "initiator", "agent_id")
FIELDS: Final = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens",
                 "reasoning_tokens")  # fmt: skip
Row = Mapping[str, Any]


def recognises(head: Head) -> bool:
    return head.start.startswith(MAGIC) and (NAME in head.name or TABLE.encode() in head.start)


def read(file: File, options: Options) -> Iterator[Record]:
    return records(_rows(file), _call, options)


def _rows(file: File) -> Iterator[Entry]:
    """The rows with their session's folder; where the database breaks off, the reason is last."""
    try:
        with opened(file) as connection:
            if not _has(connection, TABLE):
                yield file.name, NO_CALLS
                return
            folders = _folders(connection)
            for row in connection.execute(f"SELECT * FROM {TABLE} ORDER BY id"):
                yield f"{file.name}:{row['id']}", {**row, "cwd": folders.get(row["session_id"])}
    except EventError as error:
        yield file.name, error


def _has(connection: sqlite3.Connection, table: str) -> bool:
    found = connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,))
    return found.fetchone() is not None


def _folders(connection: sqlite3.Connection) -> dict[Any, Any]:
    if not _has(connection, "sessions"):
        return {}
    return {row["id"]: row["cwd"] for row in connection.execute("SELECT id, cwd FROM sessions")}


def _call(_: str, row: Row) -> Iterator[Raw | Note]:
    if row is NO_CALLS:
        yield OLDER
        return
    session, number = text(row["session_id"]), row["id"]
    moment = instant("created_at", row["created_at"])
    yield {
        "event_id": f"copilot_cli:{session}:{moment.isoformat()}:{number}",
        "ts": moment,
        "kind": "llm",
        "channel": "cli",
        "source": "copilot_cli",
        "status": "ok",
        "conversation_id": session,
        "client": "copilot-cli",
        "repository": folder_name(row["cwd"]),
        "model": text(row["model"]),
        "operation": "chat",
        **_tokens(row),
        **UNPRICED,
        "duration_ms": whole("duration_ms", row.get("duration_ms")),
        "ttft_ms": whole("time_to_first_token_ms", row.get("time_to_first_token_ms")),
        "tags": tags_json(**{name: row.get(name) for name in TAGS}),
    }


def _tokens(row: Row) -> Raw:
    prompt, output, cached, written, reasoning = (count(name, row.get(name)) for name in FIELDS)
    inside = (cached or 0) + (written or 0)
    if reasoning and reasoning > (output or 0):
        output = (output or 0) + reasoning
    return {
        "input_tokens": prompt if prompt is None or inside > prompt else prompt - inside,
        "cached_input_tokens": cached,
        "cache_write_tokens": written,
        "output_tokens": output,
        "reasoning_tokens": reasoning or None,
    }


@dataclass(frozen=True, slots=True)
class Stored:
    """A call of the store: when it ended, its model and its counts."""

    ended: datetime
    model: str
    counts: Mapping[str, int]


def calls_beside(log: File, session: str) -> tuple[Stored, ...]:
    """The calls of a session in the store beside `session-state/<session>/events.jsonl`."""
    if log.path is None or not _has_store(log.path):
        return ()
    folders = log.path.resolve().parents
    return calls_in(folders[2], session) if len(folders) > 2 else ()


def _has_store(log: Path) -> bool:
    """Whether a store may lie beside a log; a link may lead elsewhere."""
    beside = f"{log.parent}/../../{NAME}"
    return os.access(beside, os.F_OK) or log.is_symlink()


def calls_in(home: Path, session: str) -> tuple[Stored, ...]:
    """The calls of a session in the store of a folder like `~/.copilot`; none without one."""
    return _stored(*_state(home / NAME)).get(session, ())


def _state(path: Path) -> tuple[Path, tuple[int, ...]]:
    """A store and how it was last written."""
    written = []
    for each in (path, path.with_name(f"{path.name}-wal")):
        with suppress(OSError):
            written.append(each.stat().st_mtime_ns)
    return path, tuple(written)


@lru_cache(4)
def _stored(path: Path, written: tuple[int, ...]) -> Mapping[str, tuple[Stored, ...]]:
    """The calls of each session; `written` is there to be read anew once that has changed."""
    found: dict[str, list[Stored]] = {}
    for _, row in _rows(File(path.name, path)) if written else ():
        with suppress(EventError, KeyError, TypeError):
            ended = instant("created_at", row["created_at"])
            counts = {name: count(name, row.get(name)) or 0 for name in FIELDS}
            found.setdefault(row["session_id"], []).append(Stored(ended, row["model"], counts))
    return {session: tuple(calls) for session, calls in found.items()}


PLACES: Final = ("~/.copilot/session-store.db", "$COPILOT_HOME/session-store.db")
FORMAT = Format("copilot_store", "Copilot CLI's session store", recognises, read, places=PLACES)
