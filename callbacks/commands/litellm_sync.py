"""Sync with a running LiteLLM's database: once, by a command, or again and again while serving.

Both ways are `data.ingest.sync.sync_database`. While serving one thread does it, never two passes
at once; a pass that fails is one sentence in the log, and the next comes later and later.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Final

from data.engines.protocol import EventSink, EventStore
from data.errors import SettingsError, SourceError, SpendscopeError, StoreError
from data.ingest.import_log import LiveImports
from data.ingest.leading import leading
from data.ingest.preparing import Progress
from data.ingest.sync import SyncTarget, sync_database
from data.ingest.sync_passes import Passes, note, noted
from data.postgres import Address
from data.settings import Settings
from data.sources import Options
from data.sources.litellm.database import Database
from data.sources.report import Report
from data.state.leadership import Leads, always_leads
from data.state.store import State

LOG: Final = logging.getLogger("spendscope.litellm")
SOURCE: Final = "litellm"
LONGEST_PAUSE: Final = 900.0
HOUR: Final = 3_600.0
PATIENCE: Final = 10.0


def import_from(
    url: str,
    settings: Settings,
    store: EventSink,
    options: Options,
    *,
    dry_run: bool,
    progress: Progress,
) -> Report:
    """What is new in the database of a URL, stored; raises `SourceError`."""
    address, state = Address.of(url), State(settings.state_url)
    try:
        with Database(address) as database:
            ends = SyncTarget(database, store, state, settings.now())
            return sync_database(ends, options, dry_run=dry_run, progress=progress)
    finally:
        state.close()


@contextmanager
def sync_while_serving(
    settings: Settings, state: State, store: EventStore
) -> Iterator[LiteLLMSync | None]:
    """While serving, keep up with the LiteLLM of SPENDSCOPE_LITELLM_URL, where that is set."""
    if settings.litellm_url is None:
        yield None
        return
    sync = LiteLLMSync(settings, state, store)
    thread = threading.Thread(target=sync.run, name="litellm", daemon=True)
    thread.start()
    try:
        yield sync
    finally:
        sync.stop()
        thread.join(PATIENCE)


class LiteLLMSync:
    """Pass after pass until stopped; raises `SettingsError` where the URL is none."""

    def __init__(self, settings: Settings, state: State, store: EventStore) -> None:
        try:
            self._address = Address.of(settings.litellm_url or "")
        except SourceError as error:
            raise SettingsError(f"SPENDSCOPE_LITELLM_URL: {error}") from None
        self._settings, self._state, self._store = settings, state, store
        self._stopped = threading.Event()
        self._tally = LiveImports(state)
        self._rejected = 0
        self._follows = False  # another server reads
        # Of whichever server has read: seconds since 1970, and how often it failed since.
        self.last_success, self.failures = noted(state, SOURCE)
        self._looked_late = 0.0  # when calls that were inserted late were last looked for

    def stop(self) -> None:
        """End after the page that is being read."""
        self._stopped.set()

    def run(self) -> None:
        """Follow until stopped, pausing between passes; of several servers one does."""
        with leading(self._state, self._store, "litellm") as leads:
            while not self._stopped.is_set():
                self._pass(leads)
                self._stopped.wait(self.pause())
        self._tally.flush()

    def pause(self) -> float:
        """Seconds to the next pass: doubled with every failure, a quarter of an hour at most."""
        every = float(self._settings.litellm_every)
        failures = 0 if self._follows else self.failures
        return max(every, min(every * 2.0 ** min(failures, 20), LONGEST_PAUSE))

    def _pass(self, leads: Leads = always_leads) -> None:
        try:
            self._follows = not leads()
            if self._follows:
                self.last_success, self.failures = noted(self._state, SOURCE)
                return
            report = self._read()
        except SpendscopeError as error:
            self._failed(str(error))
        except Exception:
            LOG.exception("reading LiteLLM's database broke")
            self._failed("this is a bug; what was stored stays")
        else:
            self.failures = 0
            self.last_success = time.time()
            self._log(report)
        if self._state.shared:
            with suppress(StoreError):  # the others hear of it at the next pass
                note(self._state, SOURCE, Passes(self.last_success, self.failures))

    def _log(self, report: Report) -> None:
        """Log what is new: each pass reads again what the last hour brought."""
        if report.accepted or report.rejected != self._rejected:
            LOG.info("%d new calls, %d rejected", report.accepted, report.rejected)
            new = replace(report, duplicates=0)
            self._tally.add(self._settings.now(), "SPENDSCOPE_LITELLM_URL", report.format, new)
        self._rejected = report.rejected

    def _read(self) -> Report:
        late = not self._looked_late or time.monotonic() - self._looked_late > HOUR
        with Database(self._address) as database:
            ends = SyncTarget(database, self._store, self._state, self._settings.now())
            report = sync_database(ends, late=late, stop=self._stopped.is_set)
        if late:
            self._looked_late = time.monotonic()
        return report

    def _failed(self, sentence: str) -> None:
        self.failures += 1
        LOG.warning("%s; trying again in %d s", sentence, self.pause())
