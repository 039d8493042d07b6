"""The releases of the public price book that the state store has taken in, each from a day on.

The first one holds for all time. A later one holds from the day (UTC) after it was taken in, so
that an upgrade changes no price of the past; a platform administrator may have it begin on another
day, and then re-price history. What is stored keeps its cost until then.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

import sqlalchemy as sa
from genai_prices.types import ModelInfo

from data.access.rights import platform_admins_only, platform_readers_only
from data.access.scope import SYSTEM, Scope
from data.errors import Refused, Unknown
from data.local_time import instant
from data.prices.draft import day
from data.prices.entries import since
from data.prices.public_book import BEGINNING, INSTALLED, Model, PublicBook, Release, installed
from data.prices.rates import PLAIN, Prices, Rates, Schedule
from data.prices.release_rows import outdated, read, written
from data.state.audit import Actor, record
from data.state.records import identified
from data.state.store import State
from data.state.tables import RELEASES

DAY: Final = timedelta(days=1)
require_platform_admin: Final = platform_admins_only("prices are")
require_platform_reader: Final = platform_readers_only("prices are")
Models = dict[tuple[str, str], Prices]


@dataclass(frozen=True, slots=True)
class StoredRelease:
    """A release that was taken in at `at` (µs UTC) and holds from the day `start` on (None: it is
    the first); which models it `added`, `changed` and `dropped` of the one taken in before it."""

    id: int
    name: str
    start: str | None
    at: int
    models: int
    added: tuple[str, ...]
    changed: tuple[str, ...]
    dropped: tuple[str, ...]

    @property
    def first(self) -> bool:
        """Whether it holds for all time before the next."""
        return self.start is None

    def as_dict(self) -> dict[str, Any]:
        """As JSON says it."""
        outline = {"id": self.id, "release": self.name, "from": self.start, "models": self.models}
        lists = {name: list(getattr(self, name)) for name in ("added", "changed", "dropped")}
        return outline | {"at": instant(self.at).isoformat()} | lists


def adopt(state: State, now: int) -> None:
    """Take in the installed release where it is newer than what the store has, as a start of the
    program does; every one but the first is in the audit trail."""
    _complete_outdated(state)
    names = sa.select(RELEASES.c.name)
    with state.reading() as connection:
        if not _newer(connection.execute(names).scalars().all()):
            return
    ((_, release),) = installed().releases
    row = {"name": INSTALLED, "at": now, "book": written(release)}
    with state.writing() as connection:
        known = connection.execute(names).scalars().all()
        if not _newer(known):
            return
        start = (instant(now).date() + DAY).isoformat() if known else None
        connection.execute(RELEASES.insert().values(row | {"start": start}))
        if start:
            actor = Actor(SYSTEM, "Spendscope", now)
            record(connection, actor, "create", INSTALLED, None, {"from": start})


def _complete_outdated(state: State) -> None:
    """Releases that a program kept which knew fewer units and no tiers: where a model's prices are
    what the installed release says, the rest of what that says of it holds, too."""
    with state.reading() as connection:
        rows = connection.execute(sa.select(RELEASES)).all()
    if not (old := [row for row in rows if outdated(row.book)]):
        return
    with state.writing() as connection:
        for row in old:
            text = written(_completed(read(row.name, row.book)))
            this = RELEASES.c.id == row.id
            connection.execute(RELEASES.update().where(this).values(book=text))


def _completed(release: Release) -> Release:
    ((_, present),) = installed().releases
    known = present.models()

    def model(provider: str, one: ModelInfo) -> ModelInfo:
        now = known.get((provider, one.id))
        if now is None or not isinstance(one, Model):
            return one
        same = _plain(now.standard) == one.schedules.standard
        return replace(one, schedules=now) if same else one

    providers = [
        replace(one, models=[model(one.id, each) for each in one.models])
        for one in release.providers
    ]
    return Release(release.name, providers)


def _plain(schedule: Schedule) -> Schedule:
    """A schedule as those programs knew it."""
    return tuple(
        (when, steps and tuple((start, _plain_rates(rates)) for start, rates in steps))
        for when, steps in schedule
    )


def _plain_rates(rates: Rates) -> Rates:
    return Rates(*(getattr(rates, name) for name in PLAIN))


def _newer(known: Iterable[str]) -> bool:
    """Whether the installed release is; after a step back to an older program it is not."""
    return all(_version(name) < _version(INSTALLED) for name in known)


def _version(name: str) -> list[int]:
    return [int(number) for number in re.findall("[0-9]+", name)]


def book(connection: sa.Connection) -> PublicBook:
    """The releases of a store as they hold now; of a store without any, the installed one."""
    rows = connection.execute(sa.select(RELEASES).order_by(RELEASES.c.id)).all()
    if not rows:
        return installed()
    return PublicBook((_since(row.start), read(row.name, row.book)) for row in rows)


def list_releases(state: State, scope: Scope) -> list[StoredRelease]:
    """What was taken in, newest first."""
    require_platform_reader(scope)
    with state.reading() as connection:
        rows = connection.execute(sa.select(RELEASES).order_by(RELEASES.c.id)).all()
    found: list[StoredRelease] = []
    before: Models = {}
    for row in rows:
        models = read(row.name, row.book).models()
        found.append(_stored(row, before, models))
        before = models
    return found[::-1]


def move(state: State, actor: Actor, number: int, raw: Mapping[str, Any]) -> StoredRelease:
    """Have a release hold from another day on; raises `Refused` for the first one, and where a
    later one would hold already."""
    require_platform_admin(actor.scope)
    if set(raw) != {"from"}:
        raise Refused("from", "send only from: the day from which the release holds")
    start = day(raw["from"], "the release")
    with state.writing() as connection:
        this = identified(RELEASES, number)
        row = connection.execute(sa.select(RELEASES).where(this)).first()
        if row is None:
            raise Unknown("release", "there is no such release")
        if row.start is None:
            raise Refused("from", "the first release holds for all time before the next")
        _refuse_superseded(connection, row.id, start)
        if row.start != start:
            connection.execute(RELEASES.update().where(this).values(start=start))
            record(connection, actor, "edit", row.name, {"from": row.start}, {"from": start})
    return next(one for one in list_releases(state, actor.scope) if one.id == number)


def _refuse_superseded(connection: sa.Connection, number: int, start: str) -> None:
    later = sa.select(RELEASES.c.name, RELEASES.c.start).where(
        RELEASES.c.id > number, RELEASES.c.start <= start
    )
    if found := connection.execute(later.order_by(RELEASES.c.start)).first():
        raise Refused(
            "from", f"{found.name} holds instead from {found.start} on: name a day before"
        )


def _stored(row: Any, before: Models, models: Models) -> StoredRelease:
    added = [one for one in models if one not in before] if before else []
    changed = [one for one, prices in models.items() if before.get(one, prices) != prices]
    dropped = [one for one in before if one not in models]
    lists = (tuple("/".join(one) for one in some) for some in (added, changed, dropped))
    return StoredRelease(row.id, row.name, row.start, row.at, len(models), *lists)


def _since(start: str | None) -> int:
    return BEGINNING if start is None else since(start)
