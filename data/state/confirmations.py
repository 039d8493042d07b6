"""What an identity provider said of somebody last, and when: who they are and what they may do. It
is noted at each sign-in and whenever a session asks again, and whether the provider let them in no
more. What a person is without a browser (an API token, a view of an administrator) goes by it.

`stamp` stands for the provider and who we are for it; `provider_user` is its own name for somebody,
so that nobody has what another had who was called the same. Instants are µs by the real clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import sqlalchemy as sa

from data.errors import Stranger
from data.state.tables import CONFIRMATIONS

if TYPE_CHECKING:
    from data.state.store import State

HOUR: Final = 3_600_000_000
LONGEST: Final = 8_784 * HOUR
ENDED: Final = (
    "the identity provider let the maker of this token in no more: sign in again in a browser"
)


class ProviderUser(NamedTuple):
    """Somebody as a provider knows them."""

    stamp: str
    provider_user: str


def note(
    connection: sa.Connection, user: str, who: ProviderUser, claims: Mapping[str, Any], at: int
) -> None:
    """The provider says this now; in the transaction of the session that asked."""
    row = {"user": user, "claims": dict(claims), "at": at} | who._asdict()
    this = [CONFIRMATIONS.c.user == user, CONFIRMATIONS.c.stamp == who.stamp]
    old = CONFIRMATIONS.c.at < at - LONGEST
    connection.execute(CONFIRMATIONS.delete().where(sa.or_(sa.and_(*this), old)))
    connection.execute(CONFIRMATIONS.insert().values(row))


def end(state: State, user: str, who: ProviderUser, at: int) -> None:
    """The provider lets them in no more."""
    this = CONFIRMATIONS.update().where(CONFIRMATIONS.c.user == user, *_of(who))
    with state.writing() as connection:
        connection.execute(this.values(ended=at))


def confirmed(state: State, user: str, who: ProviderUser, hours: int, now: int) -> dict[str, Any]:
    """What a provider said of somebody in the last hours; raises `Stranger`."""
    this = sa.select(CONFIRMATIONS).where(CONFIRMATIONS.c.user == user, *_of(who))
    with state.reading() as connection:
        row = connection.execute(this).first()
    if row is None or row.ended is not None:
        raise Stranger(ENDED)
    if now - row.at >= hours * HOUR:
        many = f"{hours} hours" if hours > 1 else "an hour"
        sentence = "the identity provider has not confirmed the maker of this token for"
        raise Stranger(f"{sentence} {many}: sign in again in a browser")
    return dict(row.claims)


def latest(state: State, user: str, stamps: Iterable[str]) -> dict[str, Any] | None:
    """What one of these providers said of somebody last; None of whom it lets in no more."""
    named = [CONFIRMATIONS.c.user == user, CONFIRMATIONS.c.stamp.in_(list(stamps))]
    newest = sa.select(CONFIRMATIONS).where(*named).order_by(CONFIRMATIONS.c.at.desc())
    with state.reading() as connection:
        row = connection.execute(newest).first()
    return dict(row.claims) if row and row.ended is None else None


def _of(who: ProviderUser) -> list[sa.ColumnElement[bool]]:
    return [CONFIRMATIONS.c.stamp == who.stamp, CONFIRMATIONS.c.provider_user == who.provider_user]
