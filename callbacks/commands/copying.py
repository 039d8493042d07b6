"""`spendscope copy SOURCE TARGET`: what one store holds into another, while no server runs: events,
or, of state stores, accounts, prices, keys and all else."""

from __future__ import annotations

import argparse
import sys
from contextlib import closing

from data.backups.copying import copy
from data.backups.state_copying import copy_state, is_state
from data.engines.protocol import open_events
from data.errors import Refused
from data.settings import Settings


def command(options: argparse.Namespace, _: Settings) -> int:
    """The command."""
    if options.source == options.target:
        raise Refused("target", "a store is not copied into itself: name another")
    if is_state(options.source) or is_state(options.target):
        _copy_state(options.source, options.target)
    else:
        _copy_events(options.source, options.target)
    return 0


def _copy_state(source: str, target: str) -> None:
    arrived = copy_state(source, target)
    print(f"{sum(arrived.values()):,} rows arrived; both stores are the same:")
    for table, number in arrived.items():
        if number:
            print(f"  {table}: {number:,}")


def _copy_events(first: str, second: str) -> None:
    with closing(open_events(first)) as source, closing(open_events(second)) as target:
        arrived = copy(source, target, _progress)
        held = target.count_by_source()
    print(f"{arrived:,} events arrived; by day, user, model and project both are the same:")
    for name, totals in sorted(held.items()):
        print(f"  {name}: {totals}")


def _progress(done: int, total: int) -> None:
    print(f"{done:,} of {total:,} events …", file=sys.stderr)
