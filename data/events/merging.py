"""One event told several times: what is kept of all of it, whatever was told first.

The doors of one source tell different things of the same call: a gateway's log its tokens, its
database names, telemetry the cost. `merge` joins two tellings of one id, and what comes of
any number of them depends on neither their order nor how often one came (docs/developers.md names
the exceptions):

- Of another kind or outcome they are two accounts, and one holds alone: of the kind that `KINDS`
  names first, then of the status that `STATUSES` does (a success before the attempt that failed).
- What one lacks the other fills in.
- Where both tell, the earlier `ts` holds, the fewer input tokens (more have cached ones among
  them), of every other number the larger, of texts the longer (of equals, the last in order), but
  of users and projects the shorter (long ones are made by machines), with the name that was told
  with it, of channels the first that `CHANNELS` names, of service tiers the last of `TIERS`.
- A part (cached for an hour, audio, reasoning, …) stays one: it has its whole grow, but for input
  tokens, of which it takes no more than there are.
- A reported cost goes before a list price, that before none; of two of a kind the larger.
  Who tells a tier that no book can know a rate for forbids the list price, whatever other words
  there are for why it has none.

A list price is worked out, not told: it stays until what it is worked out of changes, and is then
the book's of that moment. An unpriced call that the book could price was left so by its source.

Who brings events of one project or one user only (the keys of `data/ingest/keys.py`) completes none
outside of that (`Bound`): `data/engines/merge_batch.py` judges it for every telling, also of an id
that is new in its commit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from data.events.reasons import LEFT_OPEN, never_priced, of_the_book
from data.events.table import (
    CHANNELS,
    COUNTS,
    FIELDS,
    KINDS,
    MANY_PROMPTS,
    PART_TOKENS,
    PARTS,
    STATUSES,
    TIERS,
    TOKENS,
    Event,
)

NAMED: Final = (("user", "user_name"), ("project", "project_name"))
COST_FIELDS: Final = ("cost_nano", "cost_origin")
PRICED_BY: Final = (
    "provider", "model", *TOKENS, *PART_TOKENS, "web_searches", "service_tier", "request_count",
)  # fmt: skip
MERGED: Final = "a known event was completed by what this tells of it"
Cost = tuple[int | None, str]
Rule = Callable[[Any, Any], Any]


@dataclass(frozen=True, slots=True)
class Bound:
    """Whose events somebody may complete: those of one project, of one user; None is any."""

    project: str | None = None
    user: str | None = None

    def covers(self, *events: Event) -> bool:
        """Whether all these are such events."""
        named = [("project", self.project), ("user", self.user)]
        bindings = [(name, value) for name, value in named if value is not None]
        return all(event[name] == value for name, value in bindings for event in events)


ANYWHERE: Final = Bound()


class PriceList(Protocol):
    """What merging asks of the price book (`data/prices/book.py`)."""

    def price_of(self, call: Event, /) -> tuple[int | None, str | None]:
        """Nano-dollars of a clean event, or why it has no price."""

    def steps(
        self, provider: str | None, model: str, ts: int, tier: str | None = None, /
    ) -> object:
        """What decides a model's price at an instant, in a tier: equal where the price is."""


class WriteResult(list[Event]):
    """The events that were new, in order, and how often a stored one was `merged`: became more."""

    def __init__(self, new: Iterable[Event] = (), merged: int = 0) -> None:
        super().__init__(new)
        self.merged = merged


def merge(old: Event, new: Event, book: PriceList) -> Event:
    """What both tell of the event; `old` itself where `new` adds nothing."""
    if old == new or _rank(old) < _rank(new):
        return old
    if _rank(new) < _rank(old):
        return new
    merged = {name: _merged_value(name, old[name], new[name]) for name in FIELDS}
    for key, name in NAMED:
        if old[key] != new[key]:
            merged[name] = (old if merged[key] == old[key] else new)[name]
    _fit_parts(merged)
    merged["cost_nano"], merged["cost_origin"] = _cost(old, new, merged, book)
    merged["unpriced_reason"] = _reason(old, new, merged, book)
    return old if merged == old else merged


def _fit_parts(merged: Event) -> None:
    """The fewest input tokens hold, so their parts give way; of other counts the largest do."""
    for whole, parts in PARTS.items():
        if (left := merged[whole]) is None:
            continue
        known = [part for part in parts if merged[part] is not None]
        if whole not in FALLING:
            merged[whole] = max(left, sum(merged[part] for part in known))
            continue
        for part in known:
            merged[part] = min(merged[part], left)
            left -= merged[part]


def same_price(one: Event, other: Event, book: PriceList) -> bool:
    """Whether the book has the same price for both."""
    return _billed(one) == _billed(other) and _steps(one, book) == _steps(other, book)


def _rank(event: Event) -> tuple[int, int]:
    return KINDS.index(event["kind"]), STATUSES.index(event["status"])


def _merged_value(name: str, old: Any, new: Any) -> Any:
    if new is None or old == new:
        return old
    return new if old is None else RULES.get(name, _longer)(old, new)


def _longer(old: str, new: str) -> str:
    return max(old, new, key=lambda text: (len(text), text))


def _shorter(old: str, new: str) -> str:
    return min(old, new, key=lambda text: (len(text), text))


def _first_channel(old: str, new: str) -> str:
    return min(old, new, key=CHANNELS.index)


def _last_tier(old: str, new: str) -> str:
    return max(old, new, key=TIERS.index)


FALLING: Final = frozenset({"ts", "input_tokens"})  # of which the smaller holds
RULES: Final[dict[str, Rule]] = {
    **dict.fromkeys(COUNTS, max), **dict.fromkeys(FALLING, min), "channel": _first_channel,
    "service_tier": _last_tier, "user": _shorter, "project": _shorter,
}  # fmt: skip


def _cost(old: Event, new: Event, merged: Event, book: PriceList) -> Cost:
    both = (old, new)
    reported = [one["cost_nano"] for one in both if one["cost_origin"] == "reported"]
    if reported:
        return max(reported), "reported"
    if any(never_priced(one["unpriced_reason"]) for one in both):
        return None, "unpriced"
    listed = [one for one in both if one["cost_origin"] == "list"]
    if same := [one["cost_nano"] for one in listed if same_price(one, merged, book)]:
        return max(same), "list"
    if not listed and any(_list_price(one, book) is not None for one in both):
        return None, "unpriced"
    cost = _list_price(merged, book)
    return cost, "unpriced" if cost is None else "list"


def _list_price(event: Event, book: PriceList) -> int | None:
    return book.price_of(event)[0] if event["kind"] == "llm" else None


def _reason(old: Event, new: Event, merged: Event, book: PriceList) -> str | None:
    """Why it has no cost: what a source told of it, else what the book says of the whole."""
    if merged["cost_nano"] is not None:
        return None
    both: tuple[str | None, ...] = (old["unpriced_reason"], new["unpriced_reason"])
    reasons = [reason for reason in both if reason and not of_the_book(reason)]
    if reasons:
        return max(reasons, key=_weight)
    return book.price_of(merged)[1] or LEFT_OPEN if merged["kind"] == "llm" else None


def _weight(reason: str) -> tuple[bool, bool, int, str]:
    """Which reason of a source holds: the largest."""
    return reason != LEFT_OPEN, never_priced(reason), len(reason), reason


def _billed(event: Event) -> tuple[Any, ...]:
    """What decides a price beside the instant."""
    return MANY_PROMPTS in (event["tags"] or ""), *(event[name] for name in PRICED_BY)


def _steps(event: Event, book: PriceList) -> object:
    return book.steps(event["provider"], event["model"] or "", event["ts"], event["service_tier"])
