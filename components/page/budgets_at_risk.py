"""What stands in the head of Overview where budgets are nearly spent or will not last."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from dash import html

from components import ids
from components.settings.budgets import Names, label
from components.wiring import Link
from data.budgets.spending import BudgetStatus
from data.query.units import SHARE

MOST_TOLD: Final = 6
HREF: Final = "/settings/analytics/budgets"


def place() -> html.Span:
    """Empty: a callback fills it on Overview."""
    return html.Span(
        id=ids.BUDGETS_AT_RISK, className="budgets-at-risk", hidden=True,
        **ids.testid(ids.BUDGETS_AT_RISK),
    )  # fmt: skip


def is_at_risk(one: BudgetStatus) -> bool:
    """Nearly spent, or not going to last at this pace."""
    return one.level == "red" or (one.projected or 0) > one.budget.hard


def link(found: list[BudgetStatus], names: Names) -> Link:
    """How many there are, the nearest to its limit first on hover; it leads to all of them."""
    ranked = sorted(found, key=lambda one: -one.share)
    text = f"{len(found)} {'budget' if len(found) == 1 else 'budgets'} at risk"
    return Link(text, href=HREF, title="; ".join(_titles(ranked[:MOST_TOLD], names)))


def _titles(found: Iterable[BudgetStatus], names: Names) -> list[str]:
    return [
        f"{label(one.budget, names)}, {one.budget.every}: {SHARE.text(one.share)} spent"
        for one in found
    ]
