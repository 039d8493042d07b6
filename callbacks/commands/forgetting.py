"""`spendscope forget PERSON`, while a server runs and while none does."""

from __future__ import annotations

import argparse
from contextlib import closing
from typing import Any, Final

from callbacks.commands.remote_store import running_server
from callbacks.stores import Stores
from data.access.scope import SYSTEM
from data.engines.protocol import EventStore, open_events
from data.people.forgetting import forget, preview
from data.settings import Settings
from data.state.audit import Actor
from data.state.store import State

WHO: Final = "Command line"


def forget_here(stores: Stores, body: Any) -> dict[str, Any]:
    """The verb of a server."""
    return _forget(stores.state, stores.store, stores.settings.now(), body)


def _forget(state: State, store: EventStore, now: int, body: Any) -> dict[str, Any]:
    actor, person = Actor(SYSTEM, WHO, now), str(body["person"])
    if body["dry_run"]:
        return preview(state, store, actor, person).as_dict()
    return forget(state, store, actor, person, remove=bool(body["remove"])).as_dict()


def command(options: argparse.Namespace, settings: Settings) -> int:
    """The command."""
    body = {"person": options.person, "remove": options.remove, "dry_run": options.dry_run}
    if server := running_server(settings):
        done = server.forget(body)
    else:
        with (
            closing(State(settings.state_url)) as state,
            closing(open_events(settings.events_url)) as store,
        ):
            done = _forget(state, store, settings.now(), body)
    for line in lines(done, options):
        print(line)
    return 0


def lines(done: dict[str, Any], options: argparse.Namespace) -> list[str]:
    """What was, or would be, changed."""
    pseudonym, events = done.pop("pseudonym", ""), done.pop("events")
    would = "would be " if options.dry_run else ""
    how = "removed" if options.remove else f"{pseudonym or 'under a pseudonym'} from now on"
    if options.dry_run and not options.remove:
        how = "put under a pseudonym"
    records = [f"{count} {name}" for name, count in done.items() if count]
    rest = f"{would}gone or without the name: {', '.join(records)}" if records else "nothing else"
    return [f"{events:,} events: {would}{how}", rest]
