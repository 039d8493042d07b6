"""Parquet files of events: every type a writer may choose, read as the other formats are."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import duckdb
import pytest

from data.ingest.importing import ingest, ingest_paths
from data.sources import File, find, formats, read
from data.sources.format import Options
from data.sources.report import Report
from tests.events.test_ingest import Kept

NOON = 1_793_527_200_000_000  # 2026-11-01 10:00 UTC
CALL = "'a' AS event_id, TIMESTAMP '2026-11-01 10:00:00' AS ts, 'llm' AS kind"


def parquet(path: Path, select: str) -> Path:
    duckdb.connect().execute(f"COPY ({select}) TO '{path}' (FORMAT parquet)")
    return path


def brought(path: Path, sink: Any = None) -> tuple[Report, dict[str, Any]]:
    kept = sink or Kept()
    report = ingest_paths([path], kept)
    return report, next(iter(kept.events.values()), {})


def test_a_parquet_file_is_known_by_its_first_bytes(tmp_path: Path) -> None:
    path = parquet(tmp_path / "events.txt", f"SELECT {CALL}, 12 AS input_tokens, 'x' AS model")
    [found] = find([path])
    assert found.format == formats()["parquet"]
    report, one = brought(path)
    assert (report.format, report.accepted, one["input_tokens"], one["ts"]) == (
        "parquet", 1, 12, NOON,
    )  # fmt: skip
    assert (one["source"], one["channel"], one["status"]) == ("canonical", "other", "ok")


@pytest.mark.parametrize(
    "ts",
    [
        "TIMESTAMP '2026-11-01 10:00:00'", "TIMESTAMP_NS '2026-11-01 10:00:00.000000999'",
        "TIMESTAMP_S '2026-11-01 10:00:00'", "TIMESTAMP_MS '2026-11-01 10:00:00'",
        "TIMESTAMPTZ '2026-11-01 12:00:00+02'", "1793527200000000", "1793527200000000::UBIGINT",
        "'2026-11-01T10:00:00Z'", "'2026-11-01 12:00:00+02:00'",
    ],
)  # fmt: skip
def test_times_of_every_type(tmp_path: Path, ts: str) -> None:
    path = parquet(tmp_path / "a.parquet", f"SELECT 'a' AS event_id, {ts} AS ts, 'llm' AS kind")
    assert brought(path)[1]["ts"] == NOON


def test_a_date_is_its_midnight_and_infinity_no_time(tmp_path: Path) -> None:
    told = "SELECT 'a' AS event_id, {} AS ts, 'llm' AS kind"
    _, one = brought(parquet(tmp_path / "a.parquet", told.format("DATE '2026-11-01'")))
    assert one["ts"] == NOON - 10 * 3_600_000_000
    report, _ = brought(parquet(tmp_path / "b.parquet", told.format("'infinity'::TIMESTAMP")))
    assert report.rejections == [("b.parquet:1", "ts is missing")]


@pytest.mark.parametrize(
    ("column", "name", "value"),
    [
        ("0.1::FLOAT AS cost", "cost_nano", 100_000_000),
        ("0.1::DOUBLE AS cost", "cost_nano", 100_000_000),
        ("1.2345678915::DECIMAL(18, 10) AS cost", "cost_nano", 1_234_567_892),
        ("7::HUGEINT AS output_tokens", "output_tokens", 7),
        ("7.0::DOUBLE AS output_tokens", "output_tokens", 7),
        ("'1b4e28ba-2fa1-11d2-883f-0016d3cca427'::UUID AS run_id", "run_id",
         "1b4e28ba-2fa1-11d2-883f-0016d3cca427"),
        ("'gpt-4o'::ENUM('gpt-4o', 'other') AS model", "model", "gpt-4o"),
        ("{'a': 1, 'b': ['x']} AS tags", "tags", '{"a":1,"b":["x"]}'),
        ("MAP {'a': 1} AS tags", "tags", '{"a":1}'),
        ("['x', 'y'] AS tags", "tags", '["x","y"]'),
        ("""'{"a": 1}'::JSON AS tags""", "tags", '{"a":1}'),
        ("NULL::INTEGER AS user", "user", None),
    ],
)  # fmt: skip
def test_values_of_every_type(tmp_path: Path, column: str, name: str, value: Any) -> None:
    report, one = brought(parquet(tmp_path / "a.parquet", f"SELECT {CALL}, {column}"))
    assert report.rejections == []
    assert one[name] == value


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        ("1 AS user", "user is not text"),
        ("'x'::BLOB AS user", "user is not text"),
        ("1 AS colour", "unknown field 'colour'"),
        ("1 AS cost, 1 AS cost_nano", "cost and cost_nano are both given"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, column: str, reason: str) -> None:
    report, _ = brought(parquet(tmp_path / "a.parquet", f"SELECT {CALL}, {column}"))
    assert report.rejections == [("a.parquet:1", reason)]


def test_whose_it_is_where_the_file_is_silent(tmp_path: Path) -> None:
    path = parquet(tmp_path / "a.parquet", f"SELECT {CALL}")
    kept = Kept()
    ingest_paths([path], kept, Options(user="ana", project="p"))
    assert [(e["user"], e["project"]) for e in kept.events.values()] == [("ana", "p")]


def test_packed_sent_and_oddly_named_files(tmp_path: Path) -> None:
    path = parquet(tmp_path / "a.parquet", f"SELECT {CALL}")
    odd = tmp_path / "[a]*?.parquet"
    odd.write_bytes(path.read_bytes())
    zipped = tmp_path / "a.parquet.gz"
    zipped.write_bytes(gzip.compress(path.read_bytes()))
    for each in (odd, zipped):
        assert brought(each)[0].accepted == 1
    sent = File("body", body=path.read_bytes())
    assert ingest(formats()["parquet"].read(sent, Options()), Kept()).accepted == 1
    assert ingest_paths([tmp_path], Kept()).read == 3


@pytest.mark.parametrize("keep", [4, 40, 200])
def test_a_damaged_file_is_one_rejected_record(tmp_path: Path, keep: int) -> None:
    whole = parquet(tmp_path / "a.parquet", f"SELECT {CALL}").read_bytes()
    cut = tmp_path / "cut.parquet"
    cut.write_bytes(whole[:keep])
    report = ingest(read(find([cut]), Options()), Kept())
    [(where, reason)] = report.rejections
    assert where == "cut.parquet:1"
    assert reason.startswith("the Parquet file cannot be read from here on (")
