"""What a measurement says, and how it is said: one table, progress to stderr."""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# Small sizes and few turns: a look at whether everything can be measured, not at how fast it is.
QUICK: Final = bool(os.environ.get("QUICK"))
HEAD: Final = ("what", "ours", "bare DuckDB", "ratio", "remarks")


@dataclass(frozen=True)
class Row:
    """One line of the table; times in seconds."""

    what: str
    ours: float | None = None
    bare: float | None = None
    remarks: str = ""

    def cells(self) -> tuple[str, ...]:
        ratio = f"{self.ours / self.bare:.1f}×" if self.ours and self.bare else ""
        return (self.what, ms(self.ours), ms(self.bare), ratio, self.remarks)


def ms(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds * 1_000:,.0f} ms"


def table(rows: Sequence[Row]) -> str:
    """Markdown, its columns aligned."""
    cells = [HEAD, *(row.cells() for row in rows)]
    widths = [max(len(line[place]) for line in cells) for place in range(len(HEAD))]
    cells.insert(1, tuple("-" * width for width in widths))
    return "\n".join(
        "| " + " | ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)) + " |"
        for line in cells
    )


def progress(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def medians(
    works: Sequence[Callable[[], object]], seconds: float = 0.5 if QUICK else 5.0
) -> list[float]:
    """The median of each, taking turns so that a noisy moment hits all of them alike."""
    taken, end = [[timed(work) for work in works]], time.perf_counter() + seconds
    while len(taken) < 15 and time.perf_counter() < end:
        taken.append([timed(work) for work in works])
    warm = taken[1:] or taken
    return [statistics.median(column) for column in zip(*warm, strict=True)]


def processor_time(work: Callable[[], object], turns: int = 3) -> float:
    """The least seconds of all processors that some work takes: hardly moved by other work."""
    taken = []
    for _ in range(turns):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return min(taken)


def p50_p95(taken: Sequence[float]) -> tuple[float, float]:
    ordered = sorted(taken)
    return statistics.median(ordered), ordered[int(len(ordered) * 0.95)]


def most_memory(pid: int | str = "self") -> str:
    """The largest resident size that a process and those it started had, where the system tells."""
    started = Path(f"/proc/{pid}/task/{pid}/children")
    pids = [str(pid), *(started.read_text().split() if started.exists() else ())]
    sizes = [size for one in pids if (size := _most_memory(one)) is not None]
    return f"{sum(sizes) / 1024:,.0f} MB" if sizes else "unknown"


def memory_now(pid: int) -> float:
    """The resident size of a process and those it started, in MB; 0 where nothing tells."""
    started = Path(f"/proc/{pid}/task/{pid}/children")
    pids = [str(pid), *(started.read_text().split() if started.exists() else ())]
    return sum(_memory(one, "VmRSS") or 0 for one in pids) / 1024


def _most_memory(pid: str) -> int | None:
    return _memory(pid, "VmHWM")


def _memory(pid: str, what: str) -> int | None:
    """In KiB."""
    status = Path(f"/proc/{pid}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) for line in lines if line.startswith(what)), None)
