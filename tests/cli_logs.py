"""What the tests of coding CLIs' logs share: a clock, a reader, lines as they are written."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from data.engines.protocol import EventStore
from data.errors import EventError
from data.events.table import Event
from data.sources import File, Note, Options, find, formats, sessions
from data.sources.events import event_of

Clock = Callable[[datetime], None]
TOKENS: Final = ("input_tokens", "cache_write_tokens", "cached_input_tokens", "output_tokens")


SESSION: Final = "0e0e0e0e-1111-4222-8333-444444444444"


def line(kind: str, second: float, **more: Any) -> dict[str, Any]:
    moment = datetime(2026, 11, 20, 12, tzinfo=UTC) + timedelta(seconds=second)
    return {
        "type": kind, "sessionId": SESSION, "timestamp": moment.isoformat(), "isSidechain": False,
        "cwd": "/home/ana/src/shop", "version": "2.1.39", **more,
    }  # fmt: skip


def answer(
    second: float, call: str, output: int, *blocks: Any, usage: Any = None, **more: Any
) -> Any:
    message = {
        "id": f"msg_{call}", "model": "claude-sonnet-4-5", "stop_reason": None,
        "content": list(blocks) or [{"type": "text"}],
        "usage": {"input_tokens": 3, "output_tokens": output, **(usage or {})},
    }  # fmt: skip
    return line("assistant", second, requestId=f"req_{call}", message=message, **more)


def use(name: str, own: str, **given: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": own, "name": name, "input": given}


def result(second: float, own: str, output: Any = None, error: bool = False, **more: Any) -> Any:
    block = {"type": "tool_result", "tool_use_id": own, "is_error": error}
    return line(
        "user", second, message={"role": "user", "content": [block]}, toolUseResult=output, **more
    )


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Sets the machine's clock."""

    def stand(at: datetime) -> None:
        monkeypatch.setattr(sessions, "clock", lambda: at)

    stand(datetime(2030, 1, 1, tzinfo=UTC))
    return stand


def told(file: File, options: Options | None = None) -> tuple[list[Event], list[str], list[str]]:
    """Events, sentences of rejection, and notes of one file."""
    found = find([file.path])[0].format if file.path else formats()[file.name.partition(".")[0]]
    assert found is not None
    events: list[Event] = []
    bad: list[str] = []
    notes: list[str] = []
    for _, raw in found.read(file, options or Options()):
        if isinstance(raw, Note):
            notes.append(raw.text)
            continue
        try:
            events.append(event_of(raw))
        except EventError as error:
            bad.append(str(error))
    return events, bad, notes


def body(name: str, *lines: Any, **kwargs: Any) -> tuple[list[Event], list[str], list[str]]:
    text = "".join(json.dumps(line) + "\n" for line in lines)
    return told(File(f"{name}.jsonl", body=text.encode()), **kwargs)


def stored(store: EventStore, *columns: str, where: str = "") -> list[tuple[Any, ...]]:
    names = ", ".join(columns)
    with store.sql.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(
            f"SELECT {names} FROM events {where} ORDER BY {names}")]  # fmt: skip


def of(events: Iterable[Event], kind: str, status: str | None = None) -> list[Event]:
    return [e for e in events if e["kind"] == kind and status in (None, e["status"])]


def sums(events: Iterable[Event], *names: str) -> list[int]:
    found = [[event[name] or 0 for name in names] for event in events]
    return [sum(column) for column in zip(*found, strict=True)] if found else [0] * len(names)
