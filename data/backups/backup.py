"""A backup: a folder with both stores as they are at a moment, the session key and a manifest.

It is made while the stores are used, under another name until it is whole. The state store is
copied first: what it knows of how far LiteLLM was read is never ahead of the events.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from data.backups.manifest import EVENTS, SECRET, STATE, Manifest, verified
from data.engines.protocol import EventStore
from data.errors import Refused, StoreError
from data.state.store import State


def back_up(state: State, store: EventStore, data_dir: Path, folder: Path, now: int) -> Manifest:
    """Make a backup in a folder that is new or empty, and count what is in it.

    Raises `Refused` where the folder cannot be one, `StoreError` where the backup does not hold
    what the store held.
    """
    made = folder.with_name(f"{folder.name}.partial")
    _require_empty(folder)
    try:
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir(mode=0o700, parents=True)
        manifest = _copy(state, store, data_dir, made, now)
        verified(made)
        made.replace(folder)
    except OSError as error:
        raise StoreError(f"the backup cannot be written: {error.strerror}") from None
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return manifest


def _copy(state: State, store: EventStore, data_dir: Path, made: Path, now: int) -> Manifest:
    state.back_up(made / STATE)
    manifest = Manifest(now, store.back_up(made / EVENTS))
    if (secret := data_dir / SECRET).is_file():
        shutil.copy2(secret, made / SECRET)
    for one in made.iterdir():
        one.chmod(0o600)
    manifest.write(made)
    return manifest


def _require_empty(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Refused("folder", f"{folder} is not empty: name a folder that is new")
