"""Which lines of a module its tests run, so that a changed line meets those tests first."""

from __future__ import annotations

import math
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

Function = tuple[str, int]


@dataclass
class Coverage:
    """The lines that each test runs, the processor time each takes, and how many failed."""

    lines: dict[str, set[int]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    failed: int = 0

    def nearest(self, items: list[pytest.Item], line: int) -> list[pytest.Item]:
        """All the tests: those that run the line first, the fastest first, a file at a time."""
        fastest: dict[Path, float] = defaultdict(lambda: math.inf)
        for item in items:
            fastest[item.path] = min(fastest[item.path], self.seconds[item.nodeid])

        def place(item: pytest.Item) -> tuple[bool, float, str, float]:
            far = line not in self.lines[item.nodeid]
            return far, fastest[item.path], str(item.path), self.seconds[item.nodeid]

        return sorted(items, key=place)


class Tracer:
    """The lines and functions of one file that run between `start` and `stop`, in any thread."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: set[int] = set()
        self.functions: set[Function] = set()

    def start(self) -> None:
        threading.settrace(self._call)
        sys.settrace(self._call)

    def stop(self) -> None:
        sys.settrace(None)
        threading.settrace(None)

    def _call(self, frame: FrameType, _event: str, _arg: Any) -> Any:
        code = frame.f_code
        if code.co_filename != self.file:
            return None
        self.functions.add((code.co_qualname, code.co_firstlineno))
        return self._line

    def _line(self, frame: FrameType, _event: str, _arg: Any) -> Any:
        self.lines.add(frame.f_lineno)
        return self._line


def measured(session: pytest.Session, file: str) -> Coverage:
    """Runs every collected test once."""
    coverage = Coverage()
    for item, following in in_order(session.items):
        tracer, started = Tracer(file), time.process_time()
        tracer.start()
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        tracer.stop()
        coverage.lines[item.nodeid] = tracer.lines
        coverage.seconds[item.nodeid] = time.process_time() - started
    coverage.failed = session.testsfailed
    return coverage


def in_order(items: list[pytest.Item]) -> Iterator[tuple[pytest.Item, pytest.Item | None]]:
    """Each with the one that follows, by which pytest knows what to take down between them."""
    return zip(items, [*items[1:], None], strict=True)
