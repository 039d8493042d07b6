"""Files whose columns have names of their own: read by a map, stored once, nothing guessed."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from app import main
from data.engines.protocol import EventStore
from data.errors import Refused, SourceError
from data.ingest.importing import ingest_paths
from data.sources import Options
from data.sources.mapping import moment, parse
from data.sources.report import Report
from tests.events.test_ingest import Kept

ROWS = [
    {"when": "2026-11-01 10:00:00 UTC", "employee": 7, "total_usd": 0.5, "tokens_in": 12},
    {"when": "2026-11-02 10:00:00 UTC", "employee": 8, "total_usd": 0.25, "tokens_in": 3},
    {"when": "2026-11-01 10:00:00 UTC", "employee": 7, "total_usd": 0.5, "tokens_in": 12},
]
MAP = "ts=when,user=employee,cost=total_usd"
NOON = 1_793_527_200_000_000  # 2026-11-01 10:00 UTC


def written(folder: Path, kind: str, rows: list[dict[str, Any]] = ROWS) -> Path:
    path = folder / f"usage.{kind}"
    if kind == "csv":
        lines = [",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)]
        path.write_text("\n".join(lines) + "\n")
    elif kind == "ndjson":
        path.write_text("\n".join(json.dumps(row) for row in rows))
    else:
        told = written(folder, "ndjson", rows)
        duckdb.connect().execute(f"COPY (FROM read_json('{told}')) TO '{path}' (FORMAT parquet)")
        told.unlink()
    return path


def brought(path: Path, told: str, sink: Any = None) -> tuple[Report, list[dict[str, Any]]]:
    kept = sink or Kept()
    report = ingest_paths([path], kept, Options(columns=parse([told])))
    return report, sorted(getattr(kept, "events", {}).values(), key=lambda one: one["event_id"])


@pytest.mark.parametrize("kind", ["csv", "ndjson", "parquet"])
def test_a_map_names_the_columns_of_every_kind_of_file(tmp_path: Path, kind: str) -> None:
    report, events = brought(written(tmp_path, kind), MAP)
    assert (report.accepted, report.rejected, report.cost_nano) == (3, 0, 1_250_000_000)
    assert report.notes == {"columns that no field is mapped to are left out: tokens_in": 1}
    assert sorted(one["user"] for one in events) == ["7", "7", "8"]
    assert {one["kind"] for one in events} == {"llm"}
    assert min(one["ts"] for one in events) == NOON
    assert all(one["input_tokens"] is None for one in events)


@pytest.mark.parametrize("kind", ["csv", "ndjson", "parquet"])
def test_rows_without_an_id_get_one_that_lasts(tmp_path: Path, kind: str) -> None:
    kept = Kept()
    _, events = brought(written(tmp_path, kind), MAP, kept)
    ids = [one["event_id"] for one in events]
    assert sorted(key.count(":") for key in ids) == [1, 1, 2]  # one of the twins is the second
    again, _ = brought(written(tmp_path, kind), MAP, kept)
    assert (again.accepted, again.duplicates) == (0, 3)
    # A longer export, another map: what was there is known.
    more = [*ROWS, ROWS[0] | {"employee": 9}]
    longer, _ = brought(written(tmp_path, kind, more), f"{MAP},input_tokens=tokens_in", kept)
    assert (longer.accepted, longer.duplicates) == (1, 3)


def test_an_id_of_the_rows_own_is_kept(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"n": 1, "at": NOON},
        {"n": 2, "at": NOON},
        {"n": None, "at": NOON},
    ]
    _, events = brought(written(tmp_path, "ndjson", rows), "event_id=n,ts=at")
    assert [one["event_id"] for one in events][:2] == ["1", "2"]
    assert events[2]["event_id"].startswith("row:")


def test_a_column_with_a_fields_name_fills_it_unless_mapped(tmp_path: Path) -> None:
    rows = [{"ts": NOON, "model": "gpt-4o", "user": "a", "who": "b", "cost": 1, "nano": 5}]
    path = written(tmp_path, "ndjson", rows)
    report, [one] = brought(path, "user=who,cost_nano=nano")
    assert (one["model"], one["user"], one["cost_nano"]) == ("gpt-4o", "b", 5)
    assert next(iter(report.notes)).endswith("left out: user, cost")


def test_dollars_durations_and_kinds_as_people_write_them(tmp_path: Path) -> None:
    rows = [{"ts": NOON, "usd": "$1.25", "took": 12.6, "what": "llm"}]
    _, [one] = brought(written(tmp_path, "ndjson", rows), "cost=usd,duration_ms=took,kind=what")
    assert (one["cost_nano"], one["duration_ms"]) == (1_250_000_000, 13)
    rows = [{"ts": NOON, "usd": "1,25"}]
    report, _ = brought(written(tmp_path, "ndjson", rows), "cost=usd")
    assert report.rejections == [("usage.ndjson:1", "cost is not a number")]


@pytest.mark.parametrize(
    "spelling",
    [
        "2026-11-01T10:00:00Z", "2026-11-01 10:00:00", "2026-11-01T12:00:00+02:00",
        "2026-11-01 10:00:00 UTC", "2026-11-01 10:00:00 +0000", "2026/11/1 10:00",
        "Sun, 01 Nov 2026 10:00:00 GMT", "Sun, 01 Nov 2026 11:00:00 +0100", "20261101T100000Z",
        1793527200, "1793527200", "1793527200.000", 1793527200.0, 1793527200000,
        1793527200000000, 1793527200000000000, "1793527200000000000",
    ],
)  # fmt: skip
def test_times_as_people_write_them(spelling: Any) -> None:
    found = moment(spelling)
    assert found in (NOON, datetime(2026, 11, 1, 10, tzinfo=UTC))


@pytest.mark.parametrize(
    "spelling", ["yesterday", "01/11/2026", "", True, "2026-13-01", float("nan")]
)
def test_what_is_no_time_is_rejected(tmp_path: Path, spelling: Any) -> None:
    report, _ = brought(written(tmp_path, "ndjson", [{"at": spelling}]), "ts=at")
    assert report.rejected == 1
    assert "ts " in report.rejections[0][1] or "no JSON" in report.rejections[0][1]


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ("cost", "--map takes field=column, …; 'cost' is none"),
        ("cost=", "--map takes field=column, …; 'cost=' is none"),
        ("price=usd", "--map: 'price' is no field; fields are event_id, "),
        ("user=a,user=b", "--map names user twice"),
        ("cost=a,cost_nano=b", "--map names both cost and cost_nano: one of them is enough"),
    ],
)
def test_a_bad_map_is_refused_in_a_sentence(told: str, sentence: str) -> None:
    with pytest.raises(Refused) as refused:
        parse([told])
    assert str(refused.value).startswith(sentence)


def test_a_column_may_hold_commas_and_maps_add_up() -> None:
    assert parse(['"cost=Total, USD",user=who', "ts = when"]) == {
        "cost": "Total, USD", "user": "who", "ts": "when",
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["csv", "ndjson", "parquet"])
def test_a_column_the_file_does_not_have_stops_it(tmp_path: Path, kind: str) -> None:
    with pytest.raises(SourceError, match="no column 'nobody' for user; the columns are when, e"):
        brought(written(tmp_path, kind), "user=nobody")


def test_one_file_of_a_folder_may_lack_a_column(tmp_path: Path) -> None:
    written(tmp_path, "csv")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    report, events = brought(tmp_path, MAP)
    assert (report.accepted, report.rejected, len(events)) == (3, 1, 3)
    assert "no column 'when' for ts" in report.rejections[0][1]


def test_a_map_is_for_our_own_formats() -> None:
    with pytest.raises(SourceError, match="--map is for canonical and parquet files; litellm has"):
        ingest_paths([Path()], Kept(), Options(columns={"user": "a"}), name="litellm")


def test_the_command_takes_a_map(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SPENDSCOPE_DATA_DIR", str(tmp_path / "var"))
    path = written(tmp_path, "csv")
    monkeypatch.setattr(sys, "argv", ["spendscope", "import", str(path), "--map", MAP, "--json"])
    assert main() == 0
    assert json.loads(capsys.readouterr().out)["accepted"] == 3
    monkeypatch.setattr(sys, "argv", ["spendscope", "import", str(path), "--map", "cost"])
    assert main() == 1
    assert capsys.readouterr().err == "spendscope: --map takes field=column, …; 'cost' is none\n"


def test_twins_are_counted_exactly_however_far_apart(store: EventStore, tmp_path: Path) -> None:
    path = tmp_path / "many.csv"
    body = "".join(f"{NOON},{n % 7_000}\n" for n in range(21_000))
    path.write_text("when,who\n" + body)
    report = ingest_paths([path], store, Options(columns=parse(["ts=when,user=who"])))
    assert (report.accepted, report.duplicates) == (21_000, 0)
