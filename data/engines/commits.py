"""Group commit: what many threads write at the same time becomes one durable transaction.

A commit costs about the same for one event as for a thousand, so whoever comes while one is
under way waits, and the next one takes all who wait. There is no writer thread: one of those who
wait commits for all of them and wakes them. A group holds the oldest of those who wait and then
the smallest that still fit, so a big import never holds up small live requests for longer than a
commit, and is never overtaken for longer than one.

Who was not taken up after `PATIENCE` is refused with `StoreError`, and so is who would make the
queue too long, and a group that finds the store taken by something else for that time: nothing of
theirs is stored. Who was taken up waits for the end. Where a commit itself fails its callers
cannot tell what is stored: they send again, and ids keep that harmless.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Final, Literal

from data.errors import StoreError
from data.events.merging import ANYWHERE, Bound, WriteResult
from data.events.table import Event

log = logging.getLogger("spendscope")
PATIENCE: Final = 8.0  # seconds; exporters of OpenTelemetry give up after 10
MOST_TOGETHER: Final = 20_000
MOST_WAITING: Final = 200_000
BUSY: Final = "the event store is busy and took none of these events: send them again"

# What became of an event: its id was new, or stored; then it may have become more by it.
Outcome = Literal["new", "merged", "duplicate"]
# Stores what is new of these events, each with what its caller may change (ANYWHERE:
# any), in order and durably; says of each what became of it. Raises `Busy` where it cannot begin
# until that moment of `time.monotonic`.
Store = Callable[[list[Event], list[Bound], float], list[Outcome]]


class Busy(StoreError):
    """Something else has the store: nothing was begun."""

    def __init__(self) -> None:
        super().__init__(BUSY)


class _Ask:
    """Events of one caller, and what became of them."""

    def __init__(self, events: Sequence[Event], bound: Bound) -> None:
        self.events, self.bound = events, bound
        self.until = time.monotonic() + PATIENCE
        self.fresh: WriteResult | None = None
        self.error: BaseException | None = None

    @property
    def done(self) -> bool:
        return self.fresh is not None or self.error is not None

    def answer(self) -> WriteResult:
        if isinstance(self.error, Busy):
            raise Busy
        if self.fresh is None:
            raise StoreError("the event store failed while it stored these events") from self.error
        return self.fresh


class Commits:
    """Groups what callers write through `store`, one group at a time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[_Ask] = []
        self._busy = False
        self._bell = threading.Condition()

    def write(self, events: Sequence[Event], bound: Bound = ANYWHERE) -> WriteResult:
        """Those of the events that were new, once they are durable, in order.

        An id that several callers bring at once is new for exactly one of them; those of the others
        are merged with it, but only those that they are `bound` to.
        """
        ask = _Ask(events, bound)
        self._enter(ask)
        while group := self._turn(ask):
            try:
                self._commit(group)
            finally:
                self._leave(group)
        return ask.answer()

    def _enter(self, ask: _Ask) -> None:
        with self._bell:
            waiting = sum(len(one.events) for one in self._waiting)
            if waiting and waiting + len(ask.events) > MOST_WAITING:
                raise Busy
            self._waiting.append(ask)

    def _turn(self, ask: _Ask) -> list[_Ask]:
        """The group this caller is to commit now; none once its own events are settled."""
        with self._bell:
            while self._busy and not ask.done:
                if not self._bell.wait(ask.until - time.monotonic()) and ask in self._waiting:
                    self._waiting.remove(ask)
                    raise Busy
            if ask.done:
                return []
            self._busy = True
            return self._take()

    def _take(self) -> list[_Ask]:
        oldest, *others = self._waiting
        group, held = [oldest], len(oldest.events)
        for one in sorted(others, key=lambda other: len(other.events)):
            if (held := held + len(one.events)) > MOST_TOGETHER:
                break
            group.append(one)
        self._waiting = [one for one in self._waiting if one not in group]
        return group

    def _leave(self, group: list[_Ask]) -> None:
        with self._bell:
            for one in group:
                if not one.done:
                    one.error = StoreError("the commit was interrupted")
            self._busy = False
            self._bell.notify_all()

    def _commit(self, group: list[_Ask]) -> None:
        try:
            self._settle(group)
        except Busy as error:
            for one in group:
                one.error = error
        except Exception as error:
            if len(group) == 1:
                log.error("a commit of %s events failed", len(group[0].events), exc_info=error)
                group[0].error = error
                return
            # Nobody fails for what a neighbour brought.
            for one in group:
                self._commit([one])

    def _settle(self, group: list[_Ask]) -> None:
        events = [event for one in group for event in one.events]
        bounds = [one.bound for one in group for _ in one.events]
        outcomes = iter(self._store(events, bounds, min(one.until for one in group)))
        for one in group:
            settled = list(zip(one.events, islice(outcomes, len(one.events)), strict=True))
            new = (event for event, outcome in settled if outcome == "new")
            one.fresh = WriteResult(new, sum(outcome == "merged" for _, outcome in settled))
