"""How fast each format is read: all that an import does but for its store, in processor time.

Inputs are real files and field cases, each repeated until it comes to `EVENTS`: rows inside one
file, with fresh ids; logs of a session, which are a file each, as whole files. Figures are of each
file once. To compare two checkouts, take turns, so that a busy moment hits both:

    python -m tests.bench.reading --json before.json       (there, perhaps with FOLDERs)
    python -m tests.bench.reading --json after.json --against before.json

`--json` keeps the fastest of all runs; `--against` compares the files that both could read, and
repeats each as often as it was there. Where the two found another number of events in a file, they
are compared by the time an event takes.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

from data.errors import SpendscopeError
from data.events.merging import WriteResult
from data.events.table import Event
from data.ingest.importing import ingest_paths
from data.prices.book import PUBLIC, PriceBook
from data.sources import Options, find
from tests.bench import spans
from tests.bench.report import QUICK, Row, progress

HERE: Final = Path(__file__).resolve().parents[2]
SHARED: Final = HERE.parent / "shared"
FOLDERS: Final = (HERE / "tests" / "field", SHARED / "field", SHARED / "data")
EVENTS: Final = 100 if QUICK else 1_000  # of each file, repeated
WHOLE: Final = 30  # times, at most, that a file is read which cannot be made longer
FILES: Final = 1 if QUICK else 3  # of a format: its largest
TURNS: Final = 1 if QUICK else 3
LARGE: Final = 200_000  # bytes of a file that is read as it is
LISTED: Final = frozenset({".csv", ".tsv", ".txt"})
LINED: Final = frozenset({".jsonl", ".ndjson"})
SESSIONS: Final = frozenset({
    "claude_code", "claude_code_output", "codex", "codex_old", "copilot_cli", "gemini_cli", "iflow",
    "qwen_code",
})  # fmt: skip
UNDATED: Final = Options(start=datetime(2026, 1, 1, tzinfo=UTC))
# Ids: of sixteen hexadecimal digits or more, or under a name that says so.
HEXADECIMAL: Final = re.compile(rb"\b(?=[0-9-]*[a-f])([0-9a-f]{4})[0-9a-f]{4}([0-9a-f-]{8,})\b")
NAMED: Final = re.compile(rb'(id"\s*:\s*"[^"\\]{4})[^"\\]{4}([^"\\]*")', re.IGNORECASE)


class Reading(NamedTuple):
    """What reading a file once comes to, and how often it was repeated to measure that."""

    events: int
    seconds: float
    copies: int = 1


Taken = dict[str, dict[str, Reading]]  # of each format and file


class Nowhere:
    """What an import writes into here: everything is new, and nothing is kept."""

    takes_columns = False

    def book(self) -> PriceBook:
        return PUBLIC

    def write(self, events: Sequence[Event]) -> WriteResult:
        return WriteResult(events)

    def load(self, part: object) -> None:
        """Parquet is read record by record where a sink does not read it itself."""

    def stored_ids(self, ids: Iterable[str]) -> set[str]:
        return set()

    def stored_shared_ids(self, ids: Iterable[str]) -> set[str]:
        return set()


def measure(before: Path | None = None) -> list[Row]:
    """A row a format; with figures of another checkout how fast that is beside them."""
    other = _kept(before) if before else None
    taken = read_all(FOLDERS, other)
    compared = {name: f", {ratio:.2f}× as fast as before" for name, ratio in ratios(taken, other)}
    return [
        Row(f"read {name}", seconds, None,
            f"{events:,} events, {events / seconds:,.0f} events/s{compared.get(name, '')}")
        for name, (events, seconds) in totals(taken).items()
    ]  # fmt: skip


def read_all(
    folders: Iterable[Path], only: Taken | None = None, names: Sequence[str] | None = None
) -> Taken:
    """What reading takes, of files of the formats `names` that are among `only`."""
    found: Taken = {}
    with TemporaryDirectory(prefix="spendscope-bench-") as temporary:
        files = sorted(_files(folders, Path(temporary)), key=lambda one: -one[1].stat().st_size)
        for label, path in files:
            name = _format(path)
            if name is None or (names and name not in names):
                continue
            before = only.get(name, {}).get(label) if only is not None else None
            if (only is not None and before is None) or len(found.get(name, {})) == FILES:
                continue
            if not (taken := _read(path, name, temporary, before)):
                continue
            progress(f"read {name}: {label}")
            found.setdefault(name, {})[label] = taken
    return dict(sorted(found.items()))


def _files(folders: Iterable[Path], temporary: Path) -> Iterator[tuple[str, Path]]:
    """Every input, by a label that is the same in all checkouts."""
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.suffix != ".md" and path.name != "expect.json":
                yield f"{folder.name}/{path.relative_to(folder)}", path
    path = temporary / "spans.pb"
    path.write_bytes(spans.export([_call(number) for number in range(spans.BATCH)], 1))
    yield "an export of an SDK", path


def _call(number: int) -> Event:
    return {
        "ts": 1_795_350_580_000_000 + number, "duration_ms": 1_200, "provider": "openai",
        "model": "gpt-4o", "user": "ana", "conversation_id": f"c{number // 8}", "assistant": None,
        "input_tokens": 1_800, "output_tokens": 140,
    }  # fmt: skip


def _format(path: Path) -> str | None:
    try:
        found = find([path], options=UNDATED)[0].format
    except SpendscopeError:
        return None
    return found.name if found else None


def _read(path: Path, name: str, temporary: str, before: Reading | None) -> Reading | None:
    """A file read as often as `before`; None where nothing comes of it."""
    events, _ = _timed([path], name)
    if not events:
        return None
    copies = before.copies if before else math.ceil(EVENTS / events)
    longer, copies = _repeated(path, name, copies, Path(temporary))
    turns = [_timed(longer, name) for _ in range(TURNS)]
    fastest_turn = min(taken for _, taken in turns)
    return Reading(round(turns[0][0] / copies), fastest_turn / copies, copies)


def _timed(paths: Sequence[Path], name: str) -> tuple[int, float]:
    start = time.process_time()
    report = ingest_paths(paths, Nowhere(), UNDATED, name=name)
    return report.accepted, time.process_time() - start


def _repeated(path: Path, name: str, copies: int, temporary: Path) -> tuple[list[Path], int]:
    """A file, and how often it is repeated: its rows where it has rows, else all of it."""
    content = path.read_bytes()
    content = gzip.decompress(content) if path.suffix == ".gz" else content
    kind = Path(path.name.removesuffix(".gz")).suffix
    if len(content) > LARGE or name in SESSIONS:
        return [path] * min(copies, WHOLE), min(copies, WHOLE)
    if kind in LISTED:
        head, end, rows = content.partition(b"\n")
        whole = [head + end, *_fresh(rows.rstrip() + b"\n", copies)]
    elif kind in LINED:
        whole = list(_fresh(content.rstrip() + b"\n", copies))
    elif content.lstrip()[:1] == b"[":
        items = content.strip()[1:-1]
        whole = [b"[", b",".join(_fresh(items, copies)), b"]"]
    else:
        return [path] * min(copies, WHOLE), min(copies, WHOLE)
    longer = temporary / path.name.removesuffix(".gz")
    longer.write_bytes(b"".join(whole))
    return [longer], copies


def _fresh(rows: bytes, copies: int) -> Iterator[bytes]:
    """The rows, and copies of them with other ids."""
    yield rows
    for copy in range(1, copies):
        other = rb"\g<1>%04x\g<2>" % copy
        yield HEXADECIMAL.sub(other, NAMED.sub(other, rows))


def totals(taken: Taken) -> dict[str, tuple[int, float]]:
    """Events and seconds of each format."""
    return {
        name: (
            sum(one.events for one in files.values()),
            sum(one.seconds for one in files.values()),
        )
        for name, files in taken.items()
    }


def common(taken: Taken, other: Taken) -> Taken:
    """Of the one what the other has, too."""
    both = {
        name: {label: one for label, one in files.items() if label in other.get(name, {})}
        for name, files in taken.items()
    }
    return {name: files for name, files in both.items() if files}


def fastest(taken: Taken, other: Taken) -> Taken:
    """Both, each file at its fastest."""
    return {
        name: {
            label: min((one[label] for one in (taken.get(name, {}), other.get(name, {}))
                        if label in one), key=lambda one: one.seconds)
            for label in {**other.get(name, {}), **taken.get(name, {})}
        }
        for name in sorted({*taken, *other})
    }  # fmt: skip


def table(taken: Taken, other: Taken | None = None) -> str:
    """A line a format; against another checkout the slowest first."""
    lines = [f"{'format':24} {'events':>7} {'events/s':>9}"]
    if other is None:
        return "\n".join(lines + [_line(name, *sums) for name, sums in totals(taken).items()])
    now = totals(common(taken, other))
    lines[0] += f" {'before':>9} {'ratio':>6}"
    for name, ratio in ratios(taken, other):
        events, seconds = now[name]
        before = events / seconds / ratio
        lines.append(f"{_line(name, events, seconds)} {before:>9,.0f} {ratio:>5.2f}×")
    return "\n".join(lines)


def ratios(taken: Taken, other: Taken | None) -> list[tuple[str, float]]:
    """How many times as fast as in `other` each format is read, the slowest first: of the same
    files, and as if as many events had been found there as here."""
    found = []
    for name, files in common(taken, other or {}).items():
        before = (other or {})[name]
        seconds = sum(
            before[label].seconds * one.events / before[label].events
            for label, one in files.items()
        )
        found.append((name, seconds / sum(one.seconds for one in files.values())))
    return sorted(found, key=lambda one: one[1])


def _line(name: str, events: int, seconds: float) -> str:
    return f"{name:24} {events:>7,} {events / seconds:>9,.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(
        "python -m tests.bench.reading", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("folders", type=Path, nargs="*", default=FOLDERS, metavar="FOLDER")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the figures here")
    parser.add_argument("--against", type=Path, metavar="FILE", help="compare with these figures")
    parser.add_argument("--format", nargs="+", metavar="NAME", help="these formats alone")
    given = parser.parse_args()
    other = _kept(given.against) if given.against else None
    taken = read_all(given.folders, other, given.format)
    if given.json:
        taken = fastest(taken, _kept(given.json) if given.json.exists() else {})
        given.json.write_text(json.dumps(taken))
    print(table(taken, other))


def _kept(path: Path) -> Taken:
    kept: dict[str, dict[str, Any]] = json.loads(path.read_text())
    return {name: {label: Reading(*one) for label, one in f.items()} for name, f in kept.items()}


if __name__ == "__main__":
    main()
