"""The keys under which usage may be sent here: several, named, each revocable by itself.

A key is 256 random bits, shown once where it is made; kept are its SHA-256 and its first
characters, to recognise it by. A key is bound to a source, which then stands in every event it
brings, and perhaps to a project and to a user: events that name none get it, events that name
another are refused (an e-mail address in other letters is no other), and none says what they are
called. Telemetry is not asked for its user
(`without_user`): programs make up an id for each machine, or name the account they are paid by.
Keys made before may have no source.
Who manages the platform makes and revokes keys, each change with its entry in the audit trail.
A revoked key stays listed, so that what it brought can still be told apart.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self

import sqlalchemy as sa

from data.access.people import address
from data.access.rights import platform_admins_only, platform_readers_only
from data.access.scope import Scope
from data.errors import EventError, Refused, excerpt
from data.events.merging import Bound
from data.events.table import LONGEST_TEXT
from data.sources.format import Note, Record
from data.state.audit import DEMO, Actor, record
from data.state.records import Records
from data.state.store import State
from data.state.tables import INGEST_KEYS

LONGEST_NAME: Final = 100
FIELDS: Final = ("name", "source", "project", "user")
SAMPLE: Final = "sample"
SAMPLED: Final = "the source 'sample' is the sample organisation's"
START: Final = "ssk_"
SHOWN_LENGTH: Final = len(START) + 4
MINUTE: Final = 60_000_000
require_platform_admin: Final = platform_admins_only("ingest keys are")
require_platform_reader: Final = platform_readers_only("ingest keys are")


def draft(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a key as described; raises `Refused` naming the one that is wrong."""
    for name in raw:
        if name not in FIELDS:
            raise Refused(str(name)[:40], f"an ingest key has {', '.join(FIELDS)}, no other field")
    row = {name: _text_field(name, raw.get(name)) for name in FIELDS}
    if row["name"] is None:
        raise Refused("name", "give the key a name, to know whose it is")
    if row["source"] is None:
        raise Refused("source", "name the source that everything this key brings is from")
    if row["source"] == SAMPLE:
        raise Refused("source", SAMPLED)
    return row


def _text_field(name: str, value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise Refused(name, f"{name} is not text")
    text, most = (value or "").strip(), LONGEST_NAME if name == "name" else LONGEST_TEXT
    if len(text) > most or not text.isprintable():
        raise Refused(name, f"{name} has at most {most:,} characters, none of them a control one")
    return text or None


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it may be shown; instants are µs UTC, `revoked` is null while it is good."""

    id: int
    name: str
    shown: str
    source: str | None
    project: str | None
    created: int
    created_by: str
    revoked: int | None = None
    used: int | None = None
    user: str | None = None

    @classmethod
    def of(cls, row: Any) -> Self:
        """The key of a stored row, without the digest of its secret."""
        fields = row._asdict()
        del fields["token_hash"]
        return cls(**fields)

    @property
    def bound(self) -> Bound:
        """The events that it may complete."""
        return Bound(self.project, self.user)

    def as_dict(self) -> dict[str, Any]:
        """What the audit trail says of it."""
        return {"shown": self.shown} | {name: getattr(self, name) for name in FIELDS}

    def stamp(self, records: Iterable[Record]) -> Iterator[Record]:
        """The same records, each as this key may bring it."""
        for where, raw in records:
            if isinstance(raw, EventError | Note):
                yield where, raw
            else:
                yield where, self._own(raw)

    def _own(self, raw: dict[str, Any]) -> dict[str, Any] | EventError:
        if self.source is not None:
            raw["source"] = self.source
        elif _bare(raw.get("source")) == SAMPLE:
            return EventError(SAMPLED)
        for name, only in (("project", self.project), ("user", self.user)):
            if only is not None:
                if not _is_of(only, _bare(raw.get(name))):
                    return EventError(f"this key is for the {name} {excerpt(only)} alone")
                raw |= {name: only, f"{name}_name": None}
        return raw


def without_user(records: Iterable[Record]) -> Iterator[Record]:
    """The same records, silent on whose they are."""
    for where, raw in records:
        yield where, raw | {"user": None, "user_name": None} if isinstance(raw, dict) else raw


def _is_of(only: str, named: Any) -> bool:
    """Whether a record names nobody else; of an e-mail address letter case does not matter."""
    mail = address(only)
    same = mail is not None and isinstance(named, str) and address(named) == mail
    return named in (None, "", only) or same


def _bare(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


# SPENDSCOPE_INGEST_KEY: bound to nothing, revoked by starting without it.
UNNAMED: Final = Key(0, "SPENDSCOPE_INGEST_KEY", "", None, None, 0, "")
RECORDS: Final = Records(INGEST_KEYS, Key.of, "ingest key", "key", "there is no such ingest key")


def list_keys(state: State, scope: Scope) -> list[Key]:
    """Every key, the newest first; raises `Forbidden` for whom they are not."""
    require_platform_reader(scope)
    newest = sa.select(INGEST_KEYS).order_by(INGEST_KEYS.c.id.desc())
    with state.reading() as connection:
        return [Key.of(row) for row in connection.execute(newest)]


def add(state: State, actor: Actor, raw: Mapping[str, Any]) -> tuple[Key, str]:
    """A new key and the secret itself, which nobody can see again.

    Raises `Refused` naming the field that is wrong, `Forbidden` for whom keys are not.
    """
    require_platform_admin(actor.scope)
    row = draft(raw)
    token = START + secrets.token_urlsafe(32)
    row |= {"shown": token[:SHOWN_LENGTH], "created": actor.now, "created_by": actor.who}
    with state.writing() as connection:
        _refuse_second(connection, row["name"])
        made = RECORDS.create(connection, actor, row | {"token_hash": _digest(token)})
    return made, token


def revoke(state: State, actor: Actor, number: int) -> Key:
    """From now on this key opens nothing; once more changes nothing. Raises `Unknown`."""
    require_platform_admin(actor.scope)
    with state.writing() as connection:
        old = RECORDS.get(connection, number)
        if old.revoked is not None:
            return old
        this = INGEST_KEYS.c.id == number
        connection.execute(INGEST_KEYS.update().where(this).values(revoked=actor.now))
        record(connection, actor, "delete", RECORDS.name(old), old.as_dict(), None)
    return replace(old, revoked=actor.now)


def verify(state: State, token: str, now: int) -> Key | None:
    """The key that this secret is, if it is still good at `now` (µs UTC); notes its use, but not
    oftener than once a minute."""
    if not token.startswith(START):
        return None
    this = INGEST_KEYS.c.token_hash == _digest(token)
    with state.reading() as connection:
        row = connection.execute(sa.select(INGEST_KEYS).where(this)).first()
    key = Key.of(row) if row else None
    if key is None or key.revoked is not None or key.created_by.startswith(DEMO):
        return None  # see `is_of_demo`
    if key.used is None or now - key.used >= MINUTE:
        with state.writing() as connection:
            connection.execute(INGEST_KEYS.update().where(this).values(used=now))
    return key


def is_of_demo(state: State, token: str) -> bool:
    """Whether this secret is a key that a visitor of the demo made, which opens nothing."""
    theirs = [INGEST_KEYS.c.token_hash == _digest(token), INGEST_KEYS.c.created_by.startswith(DEMO)]
    with state.reading() as connection:
        return connection.execute(sa.select(INGEST_KEYS.c.id).where(*theirs)).first() is not None


def any_good(state: State) -> bool:
    """Whether some key of the store opens the receiving doors."""
    good = sa.select(sa.exists(sa.select(INGEST_KEYS.c.id).where(INGEST_KEYS.c.revoked.is_(None))))
    with state.reading() as connection:
        return connection.execute(good).scalar_one()


def _refuse_second(connection: sa.Connection, name: str) -> None:
    same = [INGEST_KEYS.c.name == name, INGEST_KEYS.c.revoked.is_(None)]
    if connection.execute(sa.select(INGEST_KEYS.c.id).where(*same)).first():
        raise Refused("name", f"there is a key named {name!r} already")


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
