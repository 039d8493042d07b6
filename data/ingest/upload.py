"""One uploaded file: how far it is, and what it says of itself."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from data.events.table import FIELDS
from data.sources import Options
from data.sources.report import Report

OVER: Final = ("done", "stopped", "failed")
RUNNING: Final = ("looking", "importing")


class Stopped(Exception):
    """Raised into an import that is to stop."""


@dataclass(slots=True)
class Upload:
    """A file and what became of it so far."""

    key: str
    path: Path
    who: str
    format: str
    options: Options
    state: str = "looking"
    error: str = ""
    report: Report = field(default_factory=Report)
    rows: list[dict[str, Any]] = field(default_factory=list)
    filled: set[str] = field(default_factory=set)
    more: bool = False
    storing: bool = False  # somebody said so; it may be over by now
    cancelled: threading.Event = field(default_factory=threading.Event)
    touched: float = field(default_factory=time.monotonic)

    def as_dict(self) -> dict[str, Any]:
        """As JSON says it; `gaps` are the fields that no record looked at fills."""
        gaps = [name for name in FIELDS if name not in (*self.filled, "cost_origin")]
        return {
            "id": self.key, "name": self.path.name, "state": self.state, "error": self.error,
            "report": self.report.as_dict(), "rows": self.rows, "more": self.more,
            "storing": self.storing,
            "gaps": gaps if self.rows else [],
        }  # fmt: skip

    def outline(self) -> dict[str, Any]:
        """What a list of uploads says of it."""
        told = {"id": self.key, "name": self.path.name, "who": self.who, "state": self.state}
        return told | {"read": self.report.read, "storing": self.storing}

    def check(self, report: Report) -> None:
        """Take the figures over; raises where somebody cancelled."""
        self.report = report
        if self.cancelled.is_set():
            raise Stopped
