"""What somebody means harm with, in rows of our own events: by columns as record by record."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import pytest

from data.engines.protocol import EventStore, open_events
from data.ingest import importing
from data.ingest.importing import ingest_paths
from data.sources.entries import LINE_TOO_LONG
from data.sources.files import LONGEST_LINE
from tests.cli_logs import stored
from tests.ingest.test_imports import ask, send, settled
from tests.serving import ADMIN, Served, serving

CALL: Final = {"ts": "2026-11-20T08:00:00Z", "kind": "llm", "model": "gpt-4o", "input_tokens": 10}
SCRIPT: Final = "<script>alert(1)</script>"
FORMULA: Final = "=cmd|' /C calc'!A0"
LONG: Final = "x" * 1_000_000
BAD: Final = [
    {"user": LONG}, {"tags": json.dumps({"a": LONG})}, {"event_id": LONG}, {"model": "a\x00b"},
    {"kind": LONG},
]  # fmt: skip
ODD: Final = [
    {"user": SCRIPT, "project": FORMULA}, {"user_name": "'; DROP TABLE events; --"},
    {"user": "me", "project": "(none)"}, {"project": "../../etc"}, {"input_tokens": "1e9"},
    {"cached_input_tokens": LONG}, {"duration_ms": "=1+1"}, {"cost": "9" * 400},
]  # fmt: skip
FIELDS: Final = ("event_id", '"user"', "user_name", "project", "input_tokens", "duration_ms")


def rows() -> list[dict[str, Any]]:
    return [CALL | {"event_id": str(n)} | one for n, one in enumerate([{}, *BAD, *ODD])]


def file_of(kind: str, folder: Path) -> Path:
    path = folder / f"a.{kind}"
    if kind == "csv":
        names = dict.fromkeys(name for row in rows() for name in row)
        cells = io.StringIO()
        writer = csv.DictWriter(cells, names)
        writer.writeheader()
        writer.writerows(rows())
        path.write_text(cells.getvalue())
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows()))
    return path


@pytest.mark.parametrize("kind", ["ndjson", "csv"])
def test_each_bad_row_costs_only_itself_by_either_road(
    kind: str, tmp_path: Path, store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = open_events("duckdb://")
    path = file_of(kind, tmp_path)
    monkeypatch.setattr(importing, "LEAST", 10**9)
    wanted = ingest_paths([path], slow)
    monkeypatch.setattr(importing, "LEAST", 1)
    report = ingest_paths([path], store)
    assert asdict(report) == asdict(wanted)
    assert (report.accepted, report.rejected) == (len(ODD) + 1, len(BAD))
    assert max(len(reason) for _, reason in report.rejections) <= 300
    assert stored(store, *FIELDS) == stored(slow, *FIELDS)
    assert (SCRIPT, FORMULA) in stored(store, '"user"', "project")
    slow.close()


def test_names_are_text_wherever_they_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "LEAST", 1)
    with serving(tmp_path / "var") as served:
        report = ingest_paths([file_of("ndjson", tmp_path)], served.store)
        assert report.accepted == len(ODD) + 1
        asked = {"preset": "custom", "from_": "2026-11-01", "to": "2026-12-01"}
        listed = served.json("query", metrics="events", by="user", **asked)["rows"]
        assert SCRIPT in {row["user"] for row in listed}
        table = served.get("sections/cost-by-project.csv", ADMIN, **asked).text
        assert FORMULA in table
        cells = [cell for row in csv.reader(table.splitlines()) for cell in row]
        assert not any(cell.startswith(("=", "+", "@")) for cell in cells)


GIANT: Final = "x" * 10_000_000


def giant_first(kind: str) -> bytes:
    """A first row with a cell of 10 MB, then every other row that means harm."""
    some = [CALL | {"event_id": "giant", "user": GIANT}, *rows()]
    if kind == "ndjson":
        return "".join(json.dumps(row) + "\n" for row in some).encode()
    names = dict.fromkeys(name for row in some for name in row)
    cells = io.StringIO()
    writer = csv.DictWriter(cells, names)
    writer.writeheader()
    writer.writerows(some)
    return cells.getvalue().encode()


@pytest.mark.parametrize("kind", ["ndjson", "csv"])
def test_an_upload_that_means_harm_is_read_and_reported(kind: str, served: Served) -> None:
    answer = send(served, giant_first(kind), name=f"{SCRIPT}.{kind}")
    assert answer.status_code == 202
    key = answer.json["id"]  # type: ignore[index]
    looked = settled(served, key)
    assert (looked["state"], looked["report"]["accepted"]) == ("ready", len(ODD) + 1)
    assert len(json.dumps(looked)) < 100_000
    assert ask(served, "POST", key).status_code == 202
    done = settled(served, key)["report"]
    assert (done["accepted"], done["rejected"]) == (len(ODD) + 1, len(BAD) + 1)
    assert "user is longer than 1,000 characters" in done["rejections"][0]["reason"]
    assert len(json.dumps(done)) < 20_000
    assert (SCRIPT, FORMULA) in stored(served.store, '"user"', "project")


def test_lines_that_are_too_long_hide_no_format(tmp_path: Path, store: EventStore) -> None:
    good = json.dumps(CALL | {"event_id": "a"})
    path = tmp_path / "a.ndjson"
    path.write_text(json.dumps({"event_id": "x", "user": "x" * (LONGEST_LINE + 1)}) + f"\n{good}\n")
    report = ingest_paths([path], store)
    assert (report.accepted, [why for _, why in report.rejections]) == (1, [LINE_TOO_LONG])
