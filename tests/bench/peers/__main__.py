"""`make bench-peers`: the same questions about the same rows, asked of us and of others.

Spendscope is asked over HTTP, LiteLLM's tables in SQL, Langfuse's in ClickHouse's own engine,
pandas in memory, Superset over HTTP. Their answers must be equal to the cent before a time is
taken. Who is not installed is left out, with a sentence.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Final

from tests.bench.engines import SETTINGS
from tests.bench.peers import langfuse, litellm, superset
from tests.bench.peers.apart import Apart, apart
from tests.bench.peers.frame import Frame
from tests.bench.peers.measuring import OURS, Taker, differences, left_out, measure, table
from tests.bench.peers.ours import Ours
from tests.bench.peers.questions import QUESTIONS
from tests.bench.peers.rows import Rows, make
from tests.bench.report import progress
from tests.bench.serving import server
from tests.postgres import Base, Server, programs

NO_POSTGRES: Final = "LiteLLM is left out: PostgreSQL is not installed (make postgres)."
Takers = list[Taker]


def main() -> None:
    parser = argparse.ArgumentParser("python -m tests.bench.peers", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--turns", type=int, default=15, metavar="N", help="of each question")
    given = parser.parse_args()
    busy = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="spendscope-peers-") as name, ExitStack() as opened:
        folder = Path(name)
        rows = make(folder, given.events)
        takers, missing = _takers(opened, rows, folder)
        progress("comparing the answers")
        frame = next(one.peer for one in takers if one.name == "pandas")
        missing += differences(takers, {one: frame.ask(one) for one in QUESTIONS})
        progress(f"asking, {given.turns} turns")
        missing += measure(takers, given.turns)
        print(f"{rows.count:,} calls, {os.cpu_count()} cores, Python {platform.python_version()},"
              f" load {busy:.1f} to {os.getloadavg()[0]:.1f}; median / p95\n")  # fmt: skip
        print("\n".join([table(takers), "", *missing]))


def _takers(opened: ExitStack, rows: Rows, folder: Path) -> tuple[Takers, list[str]]:
    """Everybody who is here, and a sentence for each who is not."""
    progress("starting Spendscope")
    port, pid = opened.enter_context(server(rows.store))
    takers = [
        Taker(OURS, Ours(port), pid),
        Taker(f"{OURS}, asked again", Ours(port, again=True), pid),
    ]
    frame = opened.enter_context(closing(Apart(partial(Frame, rows.csv))))
    takers.append(Taker("pandas", frame, frame.pid))
    missing: list[str] = []
    base: list[Base] = []
    for name, join in (("LiteLLM", partial(_litellm, base)), ("Langfuse", _langfuse),
                       ("Superset", partial(_superset, base))):  # fmt: skip
        progress(f"filling {name}")
        try:
            takers += join(opened, rows, folder)
        except Absent as absent:
            missing.append(str(absent))
        except Exception as error:  # one that fails takes none of the others with it
            missing.append(left_out(name, error))
    return takers, missing


class Absent(Exception):
    """Who is not installed, in a sentence."""


def _litellm(base: list[Base], opened: ExitStack, rows: Rows, folder: Path) -> Takers:
    if (found := programs()) is None:
        raise Absent(NO_POSTGRES)
    running = opened.enter_context(closing(Server(found, SETTINGS)))
    base.append(litellm.load(running.cluster, rows))
    return [
        Taker(f"LiteLLM's tables, {which}",
              opened.enter_context(closing(litellm.LiteLLM(base[0], calls=calls))), running.pid)
        for which, calls in (("sums of a day", False), ("spend logs", True))
    ]  # fmt: skip


def _langfuse(opened: ExitStack, rows: Rows, folder: Path) -> Takers:
    place = folder / "clickhouse"
    try:
        apart(langfuse.load, place, rows.csv)
    except ImportError as error:
        raise Absent(f"Langfuse is left out: {error} (make test brings it).") from None
    one = opened.enter_context(closing(Apart(partial(langfuse.Langfuse, place))))
    return [Taker("Langfuse's tables", one, one.pid)]


def _superset(base: list[Base], opened: ExitStack, rows: Rows, folder: Path) -> Takers:
    if not (superset.BIN / "gunicorn").exists():
        raise Absent(superset.MISSING)
    site = opened.enter_context(superset.serving(folder / "superset"))
    on = {"DuckDB": partial(superset.on_duckdb, site, rows)}
    if base:
        on["PostgreSQL"] = partial(superset.on_postgresql, site, base[0])
    return [Taker(f"Superset on {name}", superset.Superset(site, dataset()), site.pid)
            for name, dataset in on.items()]  # fmt: skip


if __name__ == "__main__":
    main()
