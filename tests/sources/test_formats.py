"""What a format declares of itself is all that the rest needs to know: one comes from outside."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from data import sources
from data.engines.protocol import EventStore
from data.errors import EventError, Refused, SourceError
from data.ingest.importing import ingest_paths
from data.ingest.keys import UNNAMED
from data.ingest.requests import LocalRequestParser
from data.prices.book import PUBLIC
from data.sources import Options, find, formats, read

OUTSIDE = Path(__file__).with_name("outside")
USE = b'{"acme": 1, "day": "2026-11-20", "model": "gpt-4o", "use": 1000000}\n'
BILL = b'{"acme": 2, "day": "2026-11-20", "bill": 3.25}\n'


@pytest.fixture
def acme(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A file with a `FORMAT` on the package's path, and nothing else said anywhere."""
    monkeypatch.setattr(sources, "__path__", [*sources.__path__, str(OUTSIDE)])
    formats.cache_clear()
    yield
    formats.cache_clear()
    sys.modules.pop("data.sources.acme", None)


@pytest.mark.usefixtures("acme")
def test_a_format_from_outside_is_found(tmp_path: Path) -> None:
    (tmp_path / "acme.jsonl").write_bytes(USE)
    assert [each.format and each.format.name for each in find([tmp_path])] == ["acme"]
    with pytest.raises(SourceError, match=r"known are acme, agent_files, aider"):
        find([tmp_path], "acne")


@pytest.mark.usefixtures("acme")
def test_a_format_from_outside_may_be_posted() -> None:
    read = LocalRequestParser(lambda: PUBLIC).events("acme", USE, 10, UNNAMED)
    assert [event["event_id"] for event in read.events] == ["acme:1"]
    with pytest.raises(Refused, match=r"use one of acme, canonical, litellm, litellm-callback$"):
        LocalRequestParser(lambda: PUBLIC).events("aider", USE, 10, UNNAMED)


@pytest.mark.usefixtures("acme")
def test_a_bill_from_outside_is_compared_with_the_usage(tmp_path: Path, store: EventStore) -> None:
    (tmp_path / "bill.jsonl").write_bytes(BILL)
    (tmp_path / "usage.jsonl").write_bytes(USE)
    report = ingest_paths([tmp_path], store)
    assert (report.accepted, report.rejections) == (1, [])
    assert any(
        note.startswith("acme bills 3.2500 USD for tokens on 1 days, whose usage costs 2.5000 USD")
        for note in report.notes
    ), report.notes


def test_only_formats_that_say_so_let_their_columns_be_renamed(tmp_path: Path) -> None:
    (tmp_path / "use.csv").write_text("when,who\n")
    renamed = Options(columns={"ts": "when"})
    with pytest.raises(SourceError, match=r"^--map is for canonical and parquet files; aider has"):
        find([tmp_path], "aider", renamed)
    assert [each.format and each.format.name for each in find([tmp_path], options=renamed)] == [
        "canonical"
    ]


@pytest.mark.parametrize("size", [16, 100, 4_000, 9_000])
def test_a_database_that_breaks_off_is_one_sentence(size: int, tmp_path: Path) -> None:
    case = Path(__file__).parents[1] / "field" / "opencode-database-and-old-storage"
    path = tmp_path / "opencode.db"
    path.write_bytes((case / "input" / "opencode.db").read_bytes()[:size])
    [(_, error)] = read(find([path]), Options())
    assert isinstance(error, EventError)


MORE = """INSERT INTO message SELECT 'z' || value, session_id, 0, 0, data
          FROM message m, json_each(?) WHERE m.id = 'msg_14'"""


def test_a_database_with_a_damaged_page_gives_what_stands_before_it(tmp_path: Path) -> None:
    case = Path(__file__).parents[1] / "field" / "opencode-forks-of-sessions"
    path = tmp_path / "opencode.db"
    path.write_bytes((case / "input" / "opencode.db").read_bytes())
    with closing(sqlite3.connect(path)) as base:
        base.execute(MORE, (str([*range(99)]),))
        base.commit()
    body = bytearray(path.read_bytes())
    body[-4_096:] = bytes(4_096)
    path.write_bytes(body)
    *events, error = (raw for _, raw in read(find([path]), Options()))
    assert len(events) > 20
    assert isinstance(error, EventError)


def test_a_task_of_cline_is_the_same_wherever_its_file_lies(tmp_path: Path) -> None:
    case = Path(__file__).parents[1] / "field" / "cline-roo-task-with-a-cancelled-request"
    (original,) = (case / "input").rglob("ui_messages.json")
    (copy := tmp_path / "ui_messages.json").write_bytes(original.read_bytes())
    told = [[raw["event_id"] for _, raw in read(find([path]), Options()) if isinstance(raw, dict)]
            for path in (case / "input", original, copy)]  # fmt: skip
    assert told[0] == told[1] == told[2]
    assert len(told[0]) == 2
