"""`make bench`: what the dashboard costs, beside the same work done by bare DuckDB.

Each part runs in a process of its own, so that its memory is its own. Nothing here fails because
it was slow: the table is for people to read.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar

from tests.bench import (
    browser,
    crowd,
    importing,
    readers,
    reading,
    refresh,
    sending,
    serving,
    telemetry,
    writing,
)
from tests.bench.report import QUICK, Row, progress, table

T = TypeVar("T")
SIZES: Final = [100_000] if QUICK else [1_000_000, 10_000_000]


def main() -> None:
    parser = argparse.ArgumentParser("python -m tests.bench", description=__doc__)
    parser.add_argument(
        "--events", type=int, nargs="+", default=SIZES, metavar="N",
        help="sizes to measure at; viewers and writing are measured at the last",
    )  # fmt: skip
    parser.add_argument(
        "--before", type=Path, metavar="FILE",
        help="figures of another checkout, as python -m tests.bench.reading --json keeps them",
    )  # fmt: skip
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="spendscope-bench-") as folder:
        rows = _measured(Path(folder), given.events, given.before)
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores; medians\n")
    print(table(rows))


def _measured(folder: Path, sizes: list[int], before: Path | None) -> list[Row]:
    sample = folder / "sample.duckdb"
    progress(f"telling {crowd.SAMPLE:,} sample events")
    rows = [Row(f"telling {crowd.SAMPLE:,} sample events", _apart(crowd.sampled, sample))]
    rows += _apart(browser.measure)
    rows += _apart(importing.measure, sample)
    rows += _apart(telemetry.measure) + _apart(reading.measure, before)
    path = sample
    for size in sizes:
        path = folder / f"{size / 1e6:g} M.duckdb"
        _apart(crowd.multiply, sample, path, max(1, size // crowd.SAMPLE))
        rows += _apart(refresh.measure, path)
    rows += _apart(serving.measure, path) + _apart(readers.measure, path)
    rows += _apart(sending.measure, path)
    return rows + _apart(writing.measure, path)


def _apart(work: Callable[..., T], *arguments: Any) -> T:
    context = multiprocessing.get_context("spawn")
    # DuckDB draws its progress on stdout, which is for the table.
    with ProcessPoolExecutor(1, context, initializer=os.dup2, initargs=(2, 1)) as process:
        made = process.submit(work, *arguments).result()
    for row in made if isinstance(made, list) else []:
        progress("  " + "  ".join(filter(None, row.cells())))
    return made


if __name__ == "__main__":
    main()
