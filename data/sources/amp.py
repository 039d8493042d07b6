"""Amp's threads: `~/.local/share/amp/threads/T-*.json`.

event_id      `amp:` + thread + the ledger event's id; without a ledger thread + message
call          each event of usageLedger; what was read from and written to the cache stands on the
              message it paid for (toMessageId). A thread without a ledger: each answer with usage.
              input EXCLUDES cached tokens. Cost by our book: credits, in tags, are not dollars
context       conversation the thread, client amp, operation operationType
stays null    user, project, repository (--user, --project), duration
not counted   what people and models wrote
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from data.errors import EventError
from data.sources.entries import documents
from data.sources.fields import count, part, tags_json, text
from data.sources.files import File
from data.sources.format import Format, Head, Options, Raw, Record, records
from data.sources.times import instant

USED: Final = {
    "input_tokens": "inputTokens",
    "cached_input_tokens": "cacheReadInputTokens",
    "cache_write_tokens": "cacheCreationInputTokens",
    "output_tokens": "outputTokens",
}
Row = Mapping[str, Any]


def recognises(head: Head) -> bool:
    first = head.first
    if not first:  # a thread longer than what is looked at
        return head.text.lstrip().startswith("{") and '"usageLedger"' in head.text
    return "id" in first and ("usageLedger" in first or str(first.get("id")).startswith("T-"))


def read(file: File, options: Options) -> Iterator[Record]:
    return records(documents(file), _thread, options)


def _thread(_: str, thread: Row) -> Iterator[Raw]:
    own = text(thread.get("id"))
    if own is None:
        raise EventError("the thread has no id")
    messages = [each for each in thread.get("messages") or () if isinstance(each, Mapping)]
    ledger = part(thread, "usageLedger").get("events")
    if isinstance(ledger, list):
        of = {str(each.get("messageId")): part(each, "usage") for each in messages}
        for event in ledger:
            yield _billed(own, event, of.get(str(event.get("toMessageId")), {}))
    else:
        yield from (_answer(own, each) for each in messages if part(each, "usage"))


def _billed(thread: str, event: Row, usage: Row) -> Raw:
    tokens = part(event, "tokens")
    return {
        **_call(thread, text(event.get("id")), event),
        "operation": text(event.get("operationType")),
        "input_tokens": count("tokens.input", tokens.get("input")),
        "output_tokens": count("tokens.output", tokens.get("output")),
        **{name: count(USED[name], usage.get(USED[name])) for name in (
            "cached_input_tokens", "cache_write_tokens"
        )},
        "tags": tags_json(credits=event.get("credits")),
    }  # fmt: skip


def _answer(thread: str, message: Row) -> Raw:
    usage = part(message, "usage")
    fields = {name: usage.get(name, message.get(name)) for name in ("timestamp", "model")}
    return {
        **_call(thread, str(message.get("messageId")), fields),
        **{ours: count(theirs, usage.get(theirs)) for ours, theirs in USED.items()},
    }


def _call(thread: str, own: str | None, fields: Row) -> Raw:
    if own is None:
        raise EventError("the use has no id")
    return {
        "event_id": f"amp:{thread}:{own}",
        "ts": instant("timestamp", fields.get("timestamp")),
        "kind": "llm",
        "channel": "cli",
        "source": "amp",
        "status": "ok",
        "conversation_id": thread,
        "client": "amp",
        "model": text(fields.get("model")),
    }


PLACES: Final = ("~/.local/share/amp/threads", "$XDG_DATA_HOME/amp/threads")
FORMAT = Format("amp", "Amp's threads", recognises, read, places=PLACES)
