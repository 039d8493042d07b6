"""What a budget counts, as filters; and whether anything of that name was ever seen."""

from __future__ import annotations

import re
from typing import Final

from data.access.people import People
from data.access.scope import Scope
from data.budgets.budget import KINDS, Budget
from data.engines.protocol import EventStore
from data.errors import Refused, excerpt
from data.prices.patterns import matches
from data.query.filters import Filters
from data.query.query import Query
from data.query.run import run
from data.query.windows import ALL_TIME, Window

# What the id of somebody or something that has not spent yet can be made of.
PLAIN: Final = re.compile(r"[\w.@:/+ *-]+")
EVENTS: Final = ("events",)


def counted(budget: Budget, window: Window, scope: Scope, store: EventStore) -> Filters:
    """The filters that keep what a budget counts within a window."""
    if budget.kind == "everything":
        return Filters(window)
    if budget.kind == "model":
        return Filters(window, (("model", _family(budget.subject, window, scope, store)),))
    return Filters(window, ((budget.kind, (budget.subject,)),))


def _family(pattern: str, window: Window, scope: Scope, store: EventStore) -> tuple[str, ...]:
    models = run(Query(EVENTS, ("model",), Filters(window)), scope, store)["model"].dropna()
    return tuple(sorted(name for name in models if belongs(name, pattern)))


def subject_identity(budget: Budget, people: People) -> str:
    """What a subject stands for: the same for all ids of a person, and for `gpt-6` and `gpt-6*`."""
    if budget.kind == "user":
        return people.person(budget.subject)
    return _pattern(budget.subject) if budget.kind == "model" else budget.subject


def belongs(model: str, pattern: str) -> bool:
    """Whether a model is of a family: `gpt-6` is how names begin, `*sonnet*` a pattern."""
    return matches(model, _pattern(pattern))


def _pattern(family: str) -> str:
    return re.sub(r"\*+", "*", family) if "*" in family else f"{family}*"


def refuse_unlikely(budget: Budget, scope: Scope, store: EventStore) -> None:
    """Raises `Refused` for a subject that no event names and that has the look of a mistake."""
    if budget.kind == "everything" or PLAIN.fullmatch(budget.subject):
        return
    filters = counted(budget, ALL_TIME, scope, store)
    if not run(Query(EVENTS, (), filters), scope, store)["events"].iloc[0]:
        raise Refused(
            "subject",
            f"no {KINDS[budget.kind].lower()} {excerpt(budget.subject)} has been seen; one that is"
            " still to come is named by letters, digits and . _ - @ : / + only",
        )
