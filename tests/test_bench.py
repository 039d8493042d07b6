"""What compares the reading speed of two checkouts, on one small file."""

from __future__ import annotations

from pathlib import Path

from tests.bench.reading import common, fastest, read_all, table

LINE = b'{"event_id": "e-0123456789abcdef", "ts": "2026-11-20T10:00:00Z", "kind": "workflow", ' \
    b'"channel": "api", "source": "t", "status": "ok"}\n'  # fmt: skip


def test_a_format_is_measured_and_compared(tmp_path: Path) -> None:
    (tmp_path / "some.ndjson").write_bytes(LINE)
    taken = read_all([tmp_path], names=["canonical"])
    ((label, (events, seconds)),) = taken["canonical"].items()
    assert (label, events) == (f"{tmp_path.name}/some.ndjson", 1)
    slower = {"canonical": {label: (1, seconds * 2)}, "cursor": {"only.csv": (7, 1.0)}}
    assert common(slower, taken) == {"canonical": slower["canonical"]}
    assert fastest(slower, taken) == {**taken, "cursor": slower["cursor"]}
    assert table(taken, slower).splitlines()[1].endswith("2.00×")
