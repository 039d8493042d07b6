"""The command line: `spendscope serve | import | sample | token | account | check`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Final

from callbacks.access.demo import sources
from callbacks.commands import accounts, checks
from callbacks.commands.arguments import parser
from callbacks.commands.importing import import_usage, instant
from callbacks.commands.running import Running, reach
from data.engines.protocol import EventSink, EventStore
from data.errors import SpendscopeError
from data.events.table import micros
from data.sample.budgets import examples
from data.sample.organisation import SOURCE, sample
from data.settings import Settings
from data.state.store import State

BATCH: Final = 20_000
Serve = Callable[[Settings, bool], None]


def main(serve: Serve, arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code. Every failure is one sentence."""
    told = parser().parse_args(arguments)
    try:
        return _run(told, Settings.read(), serve)
    except SpendscopeError as error:
        print(f"spendscope: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("spendscope: stopped; what was reported as stored is stored", file=sys.stderr)
        return 130


def _run(told: argparse.Namespace, settings: Settings, serve: Serve) -> int:
    if told.command in (None, "serve"):
        serve(settings, getattr(told, "with_sample", False))
        return 0
    return int(COMMANDS[told.command](told, settings))


def _sample(told: argparse.Namespace, settings: Settings) -> int:
    store = reach(settings)
    try:
        if told.remove:
            print(f"Removed {store.remove(SOURCE):,} sample events.")
            return 0
        until = instant("--until", told.until)
        end = settings.now() if until is None else micros(until)
        load(store, told.events, told.days, told.seed, end)
        if not isinstance(store, Running):
            _budgets(store, settings)
    finally:
        store.close()
    return 0


def _budgets(store: EventStore, settings: Settings) -> None:
    """Example budgets, where there is nothing but the sample to spend."""
    if sources(store) == {SOURCE}:
        state = State(settings.state_url)
        examples(state, store, settings.now())
        state.close()


def load(store: EventSink, events: int, days: int, seed: int, until: int) -> None:
    """Store the sample organisation, saying how far it is."""
    stream, stored, made = sample(events, days, seed, until=until), 0, 0
    while batch := list(islice(stream, BATCH)):
        stored += len(store.write(batch))
        made += len(batch)
        print(f"Sample organisation: {made:,} of {events:,} events …", file=sys.stderr)
    print(f"The sample organisation is loaded: {stored:,} new events over {days} days.")


def _token(told: argparse.Namespace, settings: Settings) -> int:
    print(
        accounts.token(
            settings, told.sub, told.email, told.name, admin=told.admin,
            applications=told.applications, applications_admin=told.applications_admin,
            ttl=told.ttl,
        )
    )  # fmt: skip
    return 0


def _account(told: argparse.Namespace, settings: Settings) -> int:
    state = State(settings.state_url)
    print(
        accounts.add(
            state, told.id, told.name, told.email, admin=told.admin,
            applications=told.applications, applications_admin=told.applications_admin,
            password_stdin=told.password_stdin,
        )
    )  # fmt: skip
    state.close()
    return 0


def _check(_: argparse.Namespace, settings: Settings) -> int:
    store = reach(settings)
    try:
        results = store.check() if isinstance(store, Running) else list(checks.run_all(store))
    finally:
        store.close()
    for name, problem in results:
        print(f"{'FAILED' if problem else 'ok':>6}  {name}{': ' + problem if problem else ''}")
    return 1 if any(problem for _, problem in results) else 0


COMMANDS: Final[dict[str, Callable[[argparse.Namespace, Settings], int]]] = {
    "import": import_usage,
    "sample": _sample,
    "token": _token,
    "account": _account,
    "check": _check,
}
