"""What compares the reading speed of two checkouts, on one small file."""

from __future__ import annotations

from pathlib import Path

from tests.bench.reading import Reading, common, fastest, ratios, read_all, table

LINE = b'{"event_id": "e-0123456789abcdef", "ts": "2026-11-20T10:00:00Z", "kind": "workflow", ' \
    b'"channel": "api", "source": "t", "status": "ok"}\n'  # fmt: skip


def test_a_format_is_measured_and_compared(tmp_path: Path) -> None:
    (tmp_path / "some.ndjson").write_bytes(LINE)
    taken = read_all([tmp_path], names=["canonical"])
    ((label, (events, seconds, copies)),) = taken["canonical"].items()
    assert (label, events, copies) == (f"{tmp_path.name}/some.ndjson", 1, 1_000)
    slower = {
        "canonical": {label: Reading(1, seconds * 2, 7)},
        "cursor": {"only.csv": Reading(7, 1.0)},
    }
    assert common(slower, taken) == {"canonical": slower["canonical"]}
    assert fastest(slower, taken) == {**taken, "cursor": slower["cursor"]}
    assert table(taken, slower).splitlines()[1].endswith("2.00×")
    # repeated as often as there; where that found twice as many events, an event counts
    ((_, repeated),) = read_all([tmp_path], slower)["canonical"].items()
    assert repeated.copies == 7
    more = {"canonical": {label: Reading(2, seconds * 2)}}
    assert ratios(taken, more) == [("canonical", 1.0)]
