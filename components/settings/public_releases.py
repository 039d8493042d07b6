"""Settings → Prices: the releases of the public book, each from a day on, and what each changed."""

from __future__ import annotations

from typing import Final

from components.settings.resource import Card, Column, Field, Form, Row, pair, pairs
from data.prices.releases import StoredRelease
from data.query.units import COUNT, DASH, moment

FIRST: Final = "the beginning"
FIRST_DETAIL: Final = "The first release holds for all time before the next one."
NAMED: Final = 8
CARD: Final = Card(
    "releases", "release", "Releases of the public book",
    "A new release comes with an upgrade and holds from the next day on. Choose one to see what it"
    " changed, or to have it hold from another day; stored calls keep their cost until they are"
    " re-priced.",
    columns=(
        Column("name", "Release", 150), Column("from", "Holds from", 124),
        Column("models", "Models", number=True), Column("added", "New", number=True),
        Column("changed", "Changed", number=True), Column("at", "Taken in"),
    ),
    empty="The installed release holds; the next start takes it in.",
    form=Form(
        (Field("from", "Hold from (UTC)", "date"),), save="Set the day", save_key="release-move",
        follows=True,
    ),
    detail="release-told",
)  # fmt: skip


def row(one: StoredRelease, zone: str) -> Row:
    """A release."""
    counts = {"models": one.models, "added": len(one.added), "changed": len(one.changed)}
    return {
        "id": one.id, "first": one.first, "detail": changes(one) or FIRST_DETAIL,
        **pairs(name=one.name), **pair("from", one.start or "", one.start or FIRST),
        **{k: v for name, n in counts.items() for k, v in _count(name, n, one.first).items()},
        **pair("at", one.at, moment(one.at, zone)),
    }  # fmt: skip


def _count(name: str, number: int, first: bool) -> Row:
    # The first release has nothing before it.
    return pair(name, number, DASH if first and name != "models" else COUNT.text(number))


def changes(one: StoredRelease) -> str:
    """What a release changed, in a sentence; empty for the first."""
    if one.first:
        return ""
    parts = [_named("changed", one.changed), _named("new", one.added)]
    parts.append(_named("no longer listed", one.dropped))
    differences = "; ".join(part for part in parts if part)
    return f"{one.name}: {differences}." if differences else f"{one.name} changed no price."


def moved(one: StoredRelease) -> str:
    """What is said of a release whose day was set."""
    next_step = "Re-price history to have stored calls follow it."
    return f"{one.name} holds from {one.start} on. {next_step}"


def _named(what: str, names: tuple[str, ...]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return f"{len(names):,} {what}: {', '.join(names[:NAMED])}{more}"
