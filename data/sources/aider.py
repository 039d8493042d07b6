"""Aider's analytics log (`aider --analytics-log FILE`): JSON lines of what happened.

event_id      a line has none: a digest of its content and which of the identical lines in the file
              it is. So a file imported twice brings nothing new, and calls that are identical to
              the second, as scripts make them, stay as many as they are; but of identical lines in
              two files only the larger number counts, so import a log whole, not in pieces
call          `message_send`: input prompt_tokens (cache reads unknown, so all of them), output
              completion_tokens; provider the `provider/` before the model, which keeps its whole
              name (REDACTED stays; None is no model)
cost          cost, every digit, rounded to nano-dollars; never total_cost, which runs on. 0 for a
              call with tokens is what aider says of a model without a known price: unpriced, and
              not priced by our book, unless the name says `:free`
error         `message_send_exception`: a failed call, no model, no tokens; of its text only the
              error's class, for the text can hold the conversation
tool          `command_*`: tool of type command, without an outcome, so ok
context       user user_id, client aider, the edit format and the version in tags
stays null    project (--project), repository, conversation: aider names no session. So there are
              no session events, and `launched` and `exit` count nothing
not counted   all other events; a note says how many
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson

from data.errors import EventError
from data.sources.entries import values
from data.sources.fields import count, decimal, nano, text
from data.sources.files import File
from data.sources.format import Format, Head, Note, Options, Raw, Record, records

LINE: Final = {"event", "properties", "user_id", "time"}
COMMAND: Final = "command_"
LATEST: Final = 4_102_444_800  # 2100, in unix seconds
CLASS: Final = re.compile(
    r"\[([A-Za-z]+(?::? \w+)?)\]|(?:litellm\.)?(\w{1,60}(?:Error|Exception))\b"
)
OTHER: Final = Note("events that are neither a call nor a command (launched, exit, …) do not count")
Row = Mapping[str, Any]


def recognises(head: Head) -> bool:
    return head.first.keys() >= LINE and isinstance(head.first["properties"], dict)


def read(file: File, options: Options) -> Iterator[Record]:
    return records(values(file), _reader(), options)


def _reader() -> Callable[[str, Row], Iterator[Raw | Note]]:
    """Converts lines, counting identical ones; only lines that become events are kept in mind."""
    counts: Counter[bytes] = Counter()

    def convert(_: str, row: Row) -> Iterator[Raw | Note]:
        made = _made(row)
        if made is None:
            yield OTHER
            return
        digest = hashlib.blake2b(_spelled(row), digest_size=12)
        counts[digest.digest()] += 1
        ordinal = counts[digest.digest()]
        yield {**_context(row), **made, "event_id": f"aider:{digest.hexdigest()}:{ordinal}"}

    return convert


def _spelled(row: Row) -> bytes:
    return orjson.dumps(row, default=str, option=orjson.OPT_SORT_KEYS)


def _made(row: Row) -> Raw | None:
    """What a line says of itself, None if it counts nothing."""
    event, properties = text(row.get("event")) or "", row.get("properties")
    properties = properties if isinstance(properties, Mapping) else {}
    if event == "message_send":
        return _call(properties)
    if event == "message_send_exception":
        return {
            "kind": "llm",
            "status": "error",
            "error_class": _class(properties.get("exception")),
        }
    if event.startswith(COMMAND) and event != COMMAND:
        return {"kind": "tool", "tool": event.removeprefix(COMMAND), "tool_type": "command"}
    return None


def _context(row: Row) -> Raw:
    properties = row.get("properties")
    properties = properties if isinstance(properties, Mapping) else {}
    given = {"version": properties.get("aider_version"), "mode": properties.get("edit_format")}
    tags = {name: value for name, value in given.items() if isinstance(value, str)}
    return {
        "ts": _time(row.get("time")),
        "channel": "cli",
        "source": "aider",
        "client": "aider",
        "status": "ok",
        "user": text(row.get("user_id")),
        "tags": orjson.dumps(tags).decode() if tags else None,
    }


def _call(properties: Row) -> Raw:
    model = text(properties.get("main_model"))
    model = None if model == "None" else model
    tokens = {
        "input_tokens": count("prompt_tokens", properties.get("prompt_tokens")),
        "output_tokens": count("completion_tokens", properties.get("completion_tokens")),
    }
    cost = nano("cost", properties.get("cost"))
    used = any(tokens.values())
    if not cost and used and not (model or "").endswith(":free"):
        cost = None
    return {
        "kind": "llm",
        "operation": "chat",
        "provider": model.partition("/")[0] if model and "/" in model else None,
        "model": model,
        **tokens,
        "cost_nano": cost,
        "cost_origin": "unpriced" if cost is None else "reported",
    }


def _class(message: Any) -> str | None:
    found = CLASS.match(message) if isinstance(message, str) else None
    return (found[1] or found[2]) if found else None


def _time(value: Any) -> datetime:
    seconds = decimal("time", value)
    if seconds is None or not 0 <= seconds < LATEST:
        raise EventError("time is no time in unix seconds")
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(seconds * 1_000_000))


IGNORED: Final = {"properties.total_cost": "what a session cost so far"}
FORMAT = Format("aider", "An aider analytics log", recognises, read, ignored=IGNORED)
