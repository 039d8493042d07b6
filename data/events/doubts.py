"""Counts that are none: the event they belong to is kept, the count is unknown, a note says so.

Readers ask for a count deep inside what they make of a record. What they find is none waits here,
apart for every thread, until whoever asked them for the record has it among its notes.
"""

from __future__ import annotations

import threading
from typing import Final

UNKNOWN_COUNT: Final = "{} is negative, a fraction, absurd or no number: unknown, its event counts"
NO_QUANTITY: Final = "{} is negative, absurd or no number: unknown, its event counts"
NO_TIME: Final = "{} is no time: the duration is unknown, its event counts"
NO_REQUESTS: Final = "request_count is 0: unknown, its event counts as one request"


class Doubts(threading.local):
    """What was found in the records of this thread, until it is taken."""

    def __init__(self) -> None:
        self.waiting: list[str] = []

    def add(self, sentence: str) -> None:
        """What is to be noted of a record that is kept."""
        self.waiting.append(sentence)

    def unknown(self, name: str) -> None:
        """A count of this name is none."""
        self.add(UNKNOWN_COUNT.format(name))

    def no_quantity(self, name: str) -> None:
        """A number of this name, which may have a fraction, is none."""
        self.add(NO_QUANTITY.format(name))

    def no_time(self, name: str) -> None:
        """The end of a duration is no time."""
        self.add(NO_TIME.format(name))

    def take(self) -> list[str]:
        """The sentences for the report, each once; they are taken once."""
        taken, self.waiting = self.waiting, []
        return list(dict.fromkeys(taken))


DOUBTS: Final = Doubts()
