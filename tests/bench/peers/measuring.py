"""Who answers what everybody answers, how fast, and in how much memory: one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.bench.peers.apart import asked
from tests.bench.peers.questions import QUESTIONS, Answer, Peer, difference
from tests.bench.report import p50_p95

OURS: Final = "Spendscope"
HEAD: Final = ("who", "memory", *QUESTIONS.values())


@dataclass
class Taker:
    """A peer, the process whose memory it takes, and how long its answers took."""

    name: str
    peer: Peer
    pid: int
    taken: dict[str, list[float]] = field(default_factory=lambda: {one: [] for one in QUESTIONS})


def differences(takers: list[Taker], wanted: Mapping[str, Answer]) -> list[str]:
    """A sentence for each answer that is another than the one wanted, of which no time is taken,
    and for who gives none and leaves."""
    said: list[str] = []
    for taker in list(takers):
        for question, title in QUESTIONS.items():
            if (told := _told(taker, question, takers, said)) is None:
                break
            if differs := difference(wanted[question], told[0]):
                said.append(f"{taker.name} answers {title} otherwise: {differs}.")
                del taker.taken[question]
    return said


def measure(takers: list[Taker], turns: int) -> list[str]:
    """In turns, so that a busy moment meets all alike; a sentence for who fails and leaves."""
    said: list[str] = []
    for _ in range(turns):
        for question in QUESTIONS:
            for taker in [one for one in takers if question in one.taken]:
                if told := _told(taker, question, takers, said):
                    taker.taken[question].append(told[1])
    return said


def _told(
    taker: Taker, question: str, takers: list[Taker], said: list[str]
) -> tuple[Answer, float] | None:
    """An answer and its seconds; who fails is no longer one of the takers."""
    try:
        return asked(taker.peer, question)
    except Exception as error:  # whatever it is: the others are asked on
        takers.remove(taker)
        said.append(left_out(taker.name, error))
        return None


def left_out(name: str, error: Exception) -> str:
    """The sentence about who cannot be asked."""
    return f"{name} is left out: {type(error).__name__}, {error}".splitlines()[0][:300]


def table(takers: Sequence[Taker]) -> str:
    """Markdown: median / 95th percentile, and how many times as long as ours that median is."""
    ours = next(one for one in takers if one.name == OURS)
    rows = [HEAD, ("---", *["--:"] * (len(HEAD) - 1))]
    for one in takers:
        cells = [_cell(one, question, ours) for question in QUESTIONS]
        rows.append((one.name, f"{peak(one.pid):,.0f} MB", *cells))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cell(taker: Taker, question: str, ours: Taker) -> str:
    if question not in taker.taken:
        return "differs"
    median, most = p50_p95(taker.taken[question])
    cell = f"{median * 1e3:,.1f} / {most * 1e3:,.1f} ms"
    if taker is ours or question not in ours.taken:
        return cell
    return f"{cell}, {median / p50_p95(ours.taken[question])[0]:.1f} ×"


def peak(pid: int) -> float:
    """The most memory, in MB, that a process and all it started had; shared memory counts once."""
    sizes = [size for one in _family(pid) if (size := _sizes(one))]
    shared = max((size.get("RssShmem", 0) for size in sizes), default=0)
    return (sum(size.get("VmHWM", 0) - size.get("RssShmem", 0) for size in sizes) + shared) / 1024


def _family(pid: int) -> list[int]:
    started = Path(f"/proc/{pid}/task").glob("*/children")
    children = [int(one) for path in started for one in path.read_text().split()]
    return [pid, *(one for child in children for one in _family(child))]


def _sizes(pid: int) -> dict[str, int]:
    """In KiB."""
    status = Path(f"/proc/{pid}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    parts = (line.split() for line in lines if line.startswith(("VmHWM", "RssShmem")))
    return {name.rstrip(":"): int(size) for name, size, *_ in parts}
