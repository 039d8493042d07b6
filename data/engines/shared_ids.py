"""Events that are one under two ids: a copy, and what it was copied from.

A copied log has ids of its own, and keeps something that both have in common (`shared_id`). The
event that is stored first lends the others its id, so that they merge with it. One that was told
under its own id alone before (telemetry tells no shared one) stays, and takes the place of its
copies. The ids that gave way are kept (`copy_ids`): what comes later under one of them alone is
the stored event, too. They go with it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final, Protocol

from data.events.merging import Bound
from data.events.table import Event

OWNED: Final = ("event_id", "project", "user")
# A list price is worked out anew of what the events tell together.
UNPRICED: Final = {"cost_nano": None, "cost_origin": "unpriced", "unpriced_reason": None}


class StoredIds(Protocol):
    """What a store knows of ids, within the transaction of who writes."""

    def resolved(self, ids: Sequence[str], /) -> Mapping[str, str]:
        """Of these ids those that gave way, each with the id of the stored event."""

    def sharing(self, names: Sequence[str], /) -> dict[str, Event]:
        """Of each of these shared ids that is stored the event, as far as it is `OWNED`; from now
        on all of them count as stored."""

    def owned(self, ids: Sequence[str], /) -> dict[str, Event]:
        """Of each of these ids that is stored the event, as far as it is `OWNED`."""

    def take_out(self, copies: Collection[str], /) -> Sequence[Event]:
        """Remove these copies, with what re-pricings found of them; what was stored of them."""

    def rename(self, stored_as: Mapping[str, str], /) -> None:
        """From now on these ids stand for stored events."""


def under_one_id(
    stored: StoredIds, events: list[Event], bounds: Sequence[Bound]
) -> tuple[list[Event], list[Event]]:
    """The events, copies under the id of what they copy, and after them what was stored of copies
    that give way to one of them; and these as they were stored. Whoever is bound to the events of
    one project or user replaces no copy of another's."""
    gave_way = stored.resolved([event["event_id"] for event in events])
    if gave_way:
        events = [_under(gave_way.get(event["event_id"]), event) for event in events]
    if not (sharing := [event for event in events if event["shared_id"]]):
        return events, []
    kept = stored.sharing([event["shared_id"] for event in sharing])
    own = {event["event_id"]: event for event in events if event["shared_id"] is None}
    own |= stored.owned([event["event_id"] for event in sharing])
    replaced = _replaced(events, bounds, kept, own)
    stored_as = {copy: kept[name]["event_id"] for copy, name in replaced.items()}
    removed = list(stored.take_out(replaced)) if replaced else []
    if renamed := stored_as | _renamed(events, bounds, kept, own):
        stored.rename(renamed)
    kept_ids = (_kept_id(one, kept, own) or stored_as.get(one["event_id"]) for one in events)
    found = list(map(_under, kept_ids, events))
    copies = [_under(stored_as[event["event_id"]], _unpriced(event)) for event in removed]
    return [*found, *copies], removed


def _unpriced(event: Event) -> Event:
    return event | UNPRICED if event["cost_origin"] == "list" else event


def _under(event_id: str | None, event: Event) -> Event:
    return event if event_id in (None, event["event_id"]) else event | {"event_id": event_id}


def _replaced(
    events: Sequence[Event],
    bounds: Sequence[Bound],
    kept: dict[str, Event],
    own: dict[str, Event],
) -> dict[str, str]:
    """The copies that give way to an event told under its own id, each with what it shares; `kept`
    has what stays of each shared id then."""
    replaced: dict[str, str] = {}  # copies, with what they share
    for event, bound in zip(events, bounds, strict=True):
        if event["shared_id"] is None:
            continue
        held, mine = kept.setdefault(event["shared_id"], event), own.get(event["event_id"])
        if mine and held["event_id"] != mine["event_id"] and bound.covers(held, mine):
            replaced[held["event_id"]] = event["shared_id"]
            own.pop(held["event_id"], None)
            kept[event["shared_id"]] = mine
    return replaced


def _renamed(
    events: Sequence[Event],
    bounds: Sequence[Bound],
    kept: Mapping[str, Event],
    own: Mapping[str, Event],
) -> dict[str, str]:
    """The ids of copies that give way, with that of what is kept; whoever is bound to other events
    says nothing of these."""
    return {
        event["event_id"]: new
        for event, bound in zip(events, bounds, strict=True)
        if (new := _kept_id(event, kept, own)) not in (None, event["event_id"])
        and bound.covers(kept[event["shared_id"]], event)
    }


def _kept_id(event: Event, kept: Mapping[str, Event], own: Mapping[str, Event]) -> str | None:
    if event["shared_id"] is None or event["event_id"] in own:
        return None
    return str(kept[event["shared_id"]]["event_id"])
