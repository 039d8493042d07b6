"""Every format, damaged: cut off, bits flipped, values of other types. At worst records are
rejected, each in a sentence; nothing is raised.

The bodies are the inputs of the cases in `tests/field`: who adds a format adds a case, and has it
tried here. `ELSEWHERE` are formats that are damaged beside their own tests.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from data.errors import EventError
from data.sources import File, Note, Options, formats, head_of
from data.sources.events import event_of
from tests.sources.test_batches import MESSAGE, batch_lines
from tests.sources.test_claude_enterprise import ACTIVE, page
from tests.sources.test_vendor_usage import spoiled

FIELD: Final = Path(__file__).parents[1] / "field"
OPTIONS: Final = Options(start=datetime(2026, 5, 1, tzinfo=UTC))
BODIES: Final = {
    "claude_activity": page(ACTIVE, ACTIVE),
    "anthropic_batch": batch_lines(MESSAGE, MESSAGE),
    "copilot_premium_requests": (
        b"Timestamp,User,Model,Requests Used,Exceeds Monthly Quota,Total Monthly Quota\n"
        + b"2025-06-20T15:41:12.4447630Z,ana,claude-sonnet-4,0.33,False,1000\n" * 3
    ),
}
ELSEWHERE: Final = {
    "agent_files", "aider", "anthropic_csv", "anthropic_usage", "azure", "canonical", "claude_code",
    "claude_code_analytics", "claude_code_beside", "codex", "codex_old", "copilot_billing",
    "copilot_metrics", "cursor", "exgentic", "focus", "langfuse", "litellm", "litellm-callback",
    "litellm-dump", "litellm-sums", "mooncake", "openai_csv", "openai_usage", "openrouter", "otlp",
    "parquet",
}  # fmt: skip


@cache
def bodies() -> dict[str, tuple[str, bytes]]:
    """The format and the bytes of each example, by its name."""
    found = {f"{name}.jsonl": (name, body) for name, body in BODIES.items()}
    for path in sorted(FIELD.glob("*/input/**/*")):
        for name in recognised(path) if path.is_file() else ():
            found[f"{path.relative_to(FIELD).parts[0]}/{path.name}"] = name, path.read_bytes()
    return found


def recognised(path: Path) -> Iterator[str]:
    head = head_of(File(path.name, path))
    yield from (name for name, each in formats().items() if each.recognises(head))


def events(name: str, file: File) -> int:
    """How many events are in it; whatever is none is one sentence."""
    made = [outcome(raw) for _, raw in formats()[name].read(file, OPTIONS)]
    assert all("\n" not in sentence for sentence in made)
    return made.count("")


def outcome(raw: Any) -> str:
    """Why a record is no event, "" where it is one."""
    if isinstance(raw, Note):
        return raw.text
    try:
        event_of(raw)
    except EventError as error:
        return str(error) or "\n"
    return ""


def test_every_format_is_damaged_somewhere() -> None:
    assert set(formats()) - ELSEWHERE == {name for name, _ in bodies().values()} - ELSEWHERE


@pytest.mark.parametrize("example", bodies())
def test_whatever_comes_is_at_worst_a_rejected_record(example: str) -> None:
    (name, body), noise = bodies()[example], random.Random(example)
    whole = events(name, File(example, body=body))
    seen = sum(events(name, File(example, body=spoiled(body, noise))) for _ in range(100))
    assert seen > whole or not whole
