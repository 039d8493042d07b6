"""A backup put back in the place of the stores, while nobody has them open."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path
from typing import Final

from data.backups.manifest import EVENTS, SECRET, STATE, Manifest, differ, verified
from data.engines.protocol import open_events
from data.errors import DamagedStore, Refused, StoreError
from data.local_time import iso
from data.permissions import BESIDE, store_files
from data.settings import Settings
from data.state.audit import Actor, record
from data.state.store import State

NOT_EMPTY: Final = (
    "there is data already: make a backup of it if it matters, then say --replace to have the"
    " backup in its place"
)
SERVERS: Final = (
    "SPENDSCOPE_{}_URL names no file: a backup is put back into files; a database server has its"
    " own means, as pg_restore"
)


def require_files(settings: Settings) -> None:
    """Raises `Refused` where a store is a server's: no backup of ours can be put back there."""
    for name, url in (("EVENTS", settings.events_url), ("STATE", settings.state_url)):
        if not any(store_files(url)):
            raise Refused("folder", SERVERS.format(name))


def require_empty(settings: Settings) -> None:
    """Raises `Refused` where a store holds something, or cannot be read."""
    try:
        used = _holds_something(settings)
    except DamagedStore:
        used = True
    if used:
        raise Refused("replace", NOT_EMPTY)


def _holds_something(settings: Settings) -> bool:
    if not any(path.exists() for path in store_files(settings.events_url, settings.state_url)):
        return False
    with closing(State(settings.state_url)) as state:
        if state.has_accounts():
            return True
    with closing(open_events(settings.events_url)) as store:
        return bool(store.count_by_source())


def put_back(folder: Path, settings: Settings, actor: Actor) -> Manifest:
    """Have the stores of a backup instead of those that are there. They are opened, upgraded and
    counted beside them first; that this was done is written in the audit trail that came back.

    Raises `Refused` or `StoreError` and changes nothing where that does not go well.
    """
    require_files(settings)
    manifest = verified(folder)
    events, state = (next(store_files(one)) for one in (settings.events_url, settings.state_url))
    places = [(folder / EVENTS, events), (folder / STATE, state)]
    if (folder / SECRET).is_file():
        places.append((folder / SECRET, settings.data_dir / SECRET))
    copies = [(_copied(source, target), target) for source, target in places]
    try:
        _prepare(copies[0][0], copies[1][0], manifest, actor)
        for copied, target in copies:
            for ending in BESIDE:
                Path(f"{target}{ending}").unlink(missing_ok=True)
            copied.replace(target)
    finally:
        for copied, _ in copies:
            copied.unlink(missing_ok=True)
    return manifest


def _copied(source: Path, target: Path) -> Path:
    """A copy of a file beside where it is to be, so that it gets there at once."""
    copied = target.with_name(f"{target.name}.restored")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copied)
        copied.chmod(0o600)
    except OSError as error:
        raise StoreError(f"the backup cannot be copied: {error.strerror}") from None
    return copied


def _prepare(events: Path, state: Path, manifest: Manifest, actor: Actor) -> None:
    """Bring the copies to today's schema, count, and note it; nobody else has them open."""
    with closing(open_events(f"duckdb:///{events}")) as store:
        if why := differ(manifest.sources, store.count_by_source()):
            raise StoreError(f"the backup does not hold what its manifest says: {why}")
    url = f"sqlite:///{state}"
    with closing(State(url)) as opened, opened.writing() as connection:
        record(connection, actor, "edit", "all data", None, {"restored": iso(manifest.made)})
