"""`spendscope backup DIR` and `spendscope restore DIR`, while a server runs and while none does.

A server that runs makes the backup itself. To restore one, it ends its work, has the backup in the
place of its stores, and begins anew: nothing that it remembers of the old data outlives them.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import time
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

from flask import Flask

from callbacks.commands.remote_store import RemoteStore, Verb, running_server
from callbacks.stores import Stores
from data.access.scope import SYSTEM
from data.backups.backup import back_up
from data.backups.manifest import Manifest, verified
from data.backups.restore import NOT_EMPTY, put_back, require_empty, require_files
from data.engines.protocol import open_events
from data.errors import DamagedStore, Refused, SpendscopeError, StoreError
from data.settings import Settings
from data.state.audit import Actor
from data.state.store import State

WHO: Final = "Command line"
RESTART: Final = "spendscope-restart"
LONGEST_SECONDS: Final = 600
PAUSE_SECONDS: Final = 0.2
log: Final = logging.getLogger("spendscope")


class Restart:
    """How a server that runs is asked to begin anew with the data of a backup."""

    def __init__(self) -> None:
        self.folder: Path | None = None

    def attach(self, server: Flask) -> None:
        server.extensions[RESTART] = self

    def ask(self, folder: Path) -> None:
        """End the loop of the server, in whose thread this is not."""
        self.folder = folder
        os.kill(os.getpid(), signal.SIGTERM)

    def put_back(self, settings: Settings) -> bool:
        """Do what was asked for, if something was: the stores are closed. Where it does not go
        well, the stores are as they were."""
        folder, self.folder = self.folder, None
        if folder is None:
            return False
        try:
            put_back(folder, settings, Actor(SYSTEM, WHO, settings.now()))
        except SpendscopeError as error:
            log.error("the backup was not restored: %s", error)
        return True


def verbs(server: Flask) -> dict[str, Verb]:
    """What a server does for the commands."""
    return {"back_up": backup_here, "restore": partial(restore_here, server)}


def backup_here(stores: Stores, body: Any) -> dict[str, Any]:
    """The verb of a server."""
    folder, given = Path(str(body)), stores.settings
    return back_up(stores.state, stores.store, given.data_dir, folder, given.now()).as_dict()


def restore_here(server: Flask, stores: Stores, body: Any) -> dict[str, Any]:
    """The verb of a server: check, answer, and begin anew."""
    folder = Path(str(body["folder"]))
    require_files(stores.settings)
    manifest = verified(folder)
    if not body["replace"] and (stores.state.has_accounts() or stores.store.count_by_source()):
        raise Refused("replace", NOT_EMPTY)
    restart = server.extensions.get(RESTART)
    if not isinstance(restart, Restart):
        raise Refused("folder", "this server cannot begin anew: stop it first")
    restart.ask(folder)
    return manifest.as_dict()


def backup(options: argparse.Namespace, settings: Settings) -> int:
    """The command."""
    folder = Path(options.folder).absolute()
    if server := running_server(settings):
        server.back_up(folder)
    else:
        with (
            closing(State(settings.state_url)) as state,
            closing(open_events(settings.events_url)) as store,
        ):
            back_up(state, store, settings.data_dir, folder, settings.now())
    print(f"The backup in {folder} is whole; it holds")
    _print(verified(folder))
    return 0


def restore(options: argparse.Namespace, settings: Settings) -> int:
    """The command."""
    folder = Path(options.folder).absolute()
    require_files(settings)
    manifest = verified(folder)
    if server := running_server(settings):
        server.restore(folder, options.replace)
        _await(server, settings, manifest)
    else:
        _require_closed(settings)
        if not options.replace:
            require_empty(settings)
        put_back(folder, settings, Actor(SYSTEM, WHO, settings.now()))
    print(f"Restored from {folder}:")
    _print(manifest)
    return 0


def _print(manifest: Manifest) -> None:
    for line in manifest.lines():
        print(f"  {line}")


def _require_closed(settings: Settings) -> None:
    """Raises `StoreError` where another process has the events open."""
    with suppress(DamagedStore):
        open_events(settings.events_url).close()


def _await(before: RemoteStore, settings: Settings, manifest: Manifest) -> None:
    """Wait for the server that begins anew, and see that it has what the backup has."""
    until = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < until:
        with suppress(StoreError, OSError, ValueError):
            server = running_server(settings)
            if server is not None and not server.is_same(before):
                found = server.count_by_source()
                if all(found.get(name, (0,)) >= one for name, one in manifest.sources.items()):
                    return
                raise Refused("folder", "the server did not restore it; its log says why")
        time.sleep(PAUSE_SECONDS)
    raise StoreError("the server did not come back: its log says why")
