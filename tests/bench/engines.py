"""The event stores side by side: the same events written, the same questions asked.

Run as `python -m tests.bench.engines [EVENTS]`; it starts a PostgreSQL of its own, as careful as
one that stays, has ClickHouse's engine in its process (chDB), and prints a row a line. All figures
are processor time, ours and the database's: on a machine that does other things, too, it is what
can be compared.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final

from callbacks.analytics.filter_state import filters_of
from data.access.scope import Scope
from data.engines.protocol import EventStore, open_events
from data.query.catalog import aggregates
from data.sample.organisation import sample
from tests.bench.crowd import UNTIL
from tests.bench.refresh import READERS, WINDOWS, asked, cold, queries
from tests.bench.report import ms, progress
from tests.postgres import OWNER, PASSWORD, Server, programs

BATCH: Final = 5_000
DAYS: Final = 90
TURNS: Final = 3
# A quarter of a small machine's memory, as PostgreSQL's manual has it.
SETTINGS: Final = ("shared_buffers=1GB", "work_mem=64MB", "max_wal_size=4GB")
HELD: Final = "SELECT pg_total_relation_size('events'), pg_indexes_size('events')"
PARTS: Final = (
    "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = currentDatabase()"
)
SUMMED: Final = ("duckdb", "postgresql")
TICKS: Final = os.sysconf("SC_CLK_TCK")


def spent(server: Server) -> float:
    """Seconds of processor time of this process and of the database, since they began."""
    return time.process_time() + sum(_ticks(server.pid)) / TICKS


def _ticks(pid: int) -> Iterator[int]:
    """Of a process with those of its children that ended, and of each that runs."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # ended meanwhile
            continue
        parent, times = int(fields[1]), [int(one) for one in fields[11:15]]
        if int(stat.parent.name) == pid:
            yield sum(times)
        elif parent == pid:
            yield times[0] + times[1]


def cost(server: Server, work: Callable[[], Any]) -> float:
    began = spent(server)
    work()
    return spent(server) - began


def fill(server: Server, store: EventStore, events: int) -> float:
    """Processor time of storing an event, without that of making it."""
    took, coming = 0.0, sample(events, DAYS, until=UNTIL)
    while batch := list(islice(coming, BATCH)):
        took += cost(server, partial(store.write, batch))
    return took / events


def measure(server: Server, events: int, folder: Path, urls: Mapping[str, str]) -> None:
    """Print how all do, by their names."""
    with ExitStack() as opened:
        stores = {name: opened.enter_context(closing(open_events(url)))
                  for name, url in urls.items()}  # fmt: skip
        for name, store in stores.items():
            progress(f"writing {events:,} into {name}")
            took = fill(server, store, events) * 1e6
            print(f"{name}: {took:.0f} µs an event, in batches of {BATCH:,}", flush=True)
        _weigh(stores, events, folder)
        _ask(server, stores)
        summed = {name: stores[name] for name in SUMMED}
        for name, store in summed.items():
            progress(f"summing up {name}")
            print(f"{name}: {cost(server, partial(_sum_up, store)):.1f} s to sum up all of them")
        print("with sums:")
        _ask(server, summed)


def _sum_up(store: EventStore) -> None:
    store.sum_up(aggregates())
    while store.refresh_sums():
        pass


def _weigh(stores: Mapping[str, EventStore], events: int, folder: Path) -> None:
    with stores["postgresql"].sql.connect() as connection:
        whole, indexes = connection.exec_driver_sql(HELD).one()
    with stores["clickhouse"].sql.connect() as connection:
        parts = connection.exec_driver_sql(PARTS).scalar_one()
    size = (folder / "events.duckdb").stat().st_size
    print(f"disk: duckdb {size / events:.0f}, postgresql {whole / events:.0f} bytes an event,"
          f" of which indexes {indexes / events:.0f}; clickhouse {parts / events:.0f}")  # fmt: skip


def _ask(server: Server, stores: Mapping[str, EventStore]) -> None:
    for reader, (user, admin) in READERS.items():
        for window, days in WINDOWS.items():
            filters, scope = filters_of(asked(days)), Scope.of({"sub": user, "isAdmin": admin})
            works = [partial(cold, one, partial(queries, filters, scope, one))
                     for one in stores.values()]  # fmt: skip
            turns = [[cost(server, work) for work in works] for _ in range(TURNS)]
            least = zip(stores, map(min, zip(*turns, strict=True)), strict=True)
            print(f"{reader}, {window}: {', '.join(f'{name} {ms(one)}' for name, one in least)}",
                  flush=True)  # fmt: skip


def main() -> None:
    found = programs()
    if found is None:
        raise SystemExit("PostgreSQL is not installed: make postgres")
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as folder, closing(Server(found, SETTINGS)) as server:
        urls = {
            "duckdb": f"duckdb:///{folder}/events.duckdb",
            "postgresql": server.cluster.make("bench").url_of(OWNER, PASSWORD),
            "clickhouse": f"clickhousedb:///default?interface=chdb&path={folder}/clickhouse",
        }
        measure(server, events, Path(folder), urls)


if __name__ == "__main__":
    main()
