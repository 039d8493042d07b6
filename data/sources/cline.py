"""Cline's tasks, and those of programs made from it (Roo Code, Kilo Code):
`<globalStorage>/<extension>/tasks/<task>/ui_messages.json`.

event_id      `cline:` + task (the time of its first message, wherever the file lies) + the
              request's time, both in milliseconds
call          each `api_req_started` message whose text tells tokens or a cost: tokensIn EXCLUDES
              cacheReads and cacheWrites in Cline. Roo Code and Kilo Code, which name the
              `apiProtocol`, INCLUDE them, but of Anthropic's before Roo Code 3.29.5 (November
              2025). Cost in US dollars, reported; 0 or none: by our book
status        `cancelReason` user_cancelled is aborted, any other an error of that class
model         modelInfo, where the program writes it; else unknown
context       conversation the task, client cline (roo-code, kilo-code by the folder's path)
stays null    user and project (--user, --project), repository, duration
not counted   requests still running or without any use, everything that people wrote; the sum
              (`deleted_api_reqs`) that stays of deleted messages, noted: their requests may be
              stored from an import before. Other files of a task repeat the conversation
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from data.sources.entries import documents
from data.sources.fields import amount, count, nano, parsed, part, text
from data.sources.files import File
from data.sources.format import Format, Head, Note, Options, Raw, Record, records
from data.sources.packing import MAYBE_PACKED
from data.sources.times import milliseconds

NAMED: Final = re.compile(r"(?:^|/)ui_messages\.json" + MAYBE_PACKED)
CLIENTS: Final = {"roo": "roo-code", "kilo": "kilo-code"}
TOKENS: Final = {
    "input_tokens": "tokensIn",
    "cached_input_tokens": "cacheReads",
    "cache_write_tokens": "cacheWrites",
    "output_tokens": "tokensOut",
}
INCLUDED_SINCE: Final = datetime(2025, 11, 1, tzinfo=UTC)  # of Anthropic's protocol
Row = Mapping[str, Any]


def recognises(head: Head) -> bool:
    """By its name, as a task may begin with anything, and by the shape of its messages."""
    named = NAMED.search(head.name.replace("\\", "/")) is not None
    return named and head.first.keys() >= {"ts", "type"}


def read(file: File, options: Options) -> Iterator[Record]:
    where = f"{file.path or file.name}".lower()
    client = next((name for key, name in CLIENTS.items() if key in where), "cline")
    task: str | None = None

    def convert(_: str, row: Row) -> Iterator[Raw | Note]:
        nonlocal task
        task = task or str(count("ts", row.get("ts")))
        if row.get("say") == "api_req_started":
            yield from _request(task, client, row)
        elif row.get("say") == "deleted_api_reqs":
            yield from _deleted(row)

    return records(documents(file), convert, options)


def _deleted(row: Row) -> Iterator[Note]:
    total = parsed("text", row.get("text"))
    total = total if isinstance(total, Mapping) else {}
    tokens = sum(count(name, total.get(name)) or 0 for name in TOKENS.values())
    cost = amount("cost", total.get("cost")) or 0
    if tokens or cost:
        yield Note(
            f"deleted messages had requests of {tokens} tokens and ${cost}, told as one sum:"
            " not counted, as they may be stored from an import before"
        )


def _request(task: str, client: str, row: Row) -> Iterator[Raw]:
    request = parsed("text", row.get("text"))
    request = request if isinstance(request, Mapping) else {}
    tokens = _tokens(request, milliseconds("ts", row.get("ts")))
    cost = nano("cost", request.get("cost")) or None
    reason = text(request.get("cancelReason"))
    if not any(tokens.values()) and cost is None and reason is None:
        return
    model = part(row, "modelInfo")
    yield {
        "event_id": f"cline:{task}:{count('ts', row.get('ts'))}",
        "ts": milliseconds("ts", row.get("ts")),
        "kind": "llm",
        "channel": "cli",
        "source": "cline",
        "status": _status(reason),
        "error_class": reason,
        "conversation_id": task,
        "client": client,
        "provider": text(model.get("providerId")),
        "model": text(model.get("modelId")),
        "operation": "chat",
        **tokens,
        "cost_nano": cost,
    }


def _tokens(request: Row, moment: datetime) -> dict[str, int | None]:
    """The four counts, which do not overlap."""
    tokens = {ours: count(theirs, request.get(theirs)) for ours, theirs in TOKENS.items()}
    fresh, protocol = tokens["input_tokens"] or 0, text(request.get("apiProtocol"))
    held = (tokens["cached_input_tokens"] or 0) + (tokens["cache_write_tokens"] or 0)
    included = protocol is not None and (protocol != "anthropic" or moment >= INCLUDED_SINCE)
    return tokens | {"input_tokens": fresh - held} if included and 0 < held <= fresh else tokens


def _status(reason: str | None) -> str:
    if reason is None:
        return "ok"
    return "aborted" if reason == "user_cancelled" else "error"


EXTENSIONS: Final = (
    "saoudrizwan.claude-dev", "rooveterinaryinc.roo-cline", "kilocode.kilo-code",
)  # fmt: skip
EDITORS: Final = (  # VS Code and its kin, wherever they run
    "~/.config/*", "~/Library/Application Support/*", "$APPDATA/*", "~/.*-server/data",
)  # fmt: skip
PLACES: Final = (
    *(f"{at}/User/globalStorage/{name}/tasks" for name in EXTENSIONS for at in EDITORS),
    "~/.cline/data/tasks",
)
FORMAT = Format("cline", "Cline's tasks", recognises, read, places=PLACES)
