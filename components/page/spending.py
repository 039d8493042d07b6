"""Your spending, on the profile: a ring for each budget that is set for the reader."""

from __future__ import annotations

from typing import Any

from dash import html

from components import ids
from components.settings.budgets import remaining
from data.budgets.spending import BudgetStatus
from data.events.money import in_dollars
from data.query.units import SHARE, USD, moment


def section() -> html.Section:
    """The place of it; a callback fills it."""
    body = html.Div(id=ids.SPENDING, className="spending-cards", role="status")
    return html.Section(
        [html.H2("Your spending"), body],
        className="card-section spending", **ids.testid("your-spending"),
    )  # fmt: skip


def cards(statuses: list[BudgetStatus]) -> list[Any]:
    """One card a budget."""
    return [_card(one) for one in statuses]


def none(spent: float, since: str) -> html.P:
    """Where no budget is set."""
    text = USD.text(spent)
    return html.P(
        ["No budget is set for you. Since ", since, " you have spent ",
         html.Strong(text, **ids.testid("spending-month"), **{"data-value": repr(spent)}), "."],
        className="no-budget", **ids.testid("spending-none"),
    )  # fmt: skip


def _card(one: BudgetStatus) -> html.Article:
    return html.Article(
        [_ring(one), html.Div(_words(one), className="spending-words")],
        className=f"spending-card level-{one.level}",
        **{"data-level": one.level},
    )


def _ring(one: BudgetStatus) -> html.Div:
    share = SHARE.text(one.share)
    return html.Div(
        html.Span(share), className="ring", role="img", style={"--share": str(min(one.share, 1))},
        **{"aria-label": f"{share} of the limit is spent"},
    )  # fmt: skip


def _words(one: BudgetStatus) -> list[Any]:
    budget = one.budget
    spent = in_dollars(one.spent)
    return [
        html.H3(f"{budget.every.capitalize()} budget"),
        html.Div(USD.text(spent), className="spent", **ids.testid(f"spending-{budget.id}"),
                 **{"data-value": repr(spent)}),
        html.P(f"of {_dollars(budget.hard)}{_soft(budget.soft)}"),
        html.P(f"Resets {moment(one.period.end, budget.zone)} {budget.zone},"
               f" in {remaining(one.left)}"),
        html.P(_pace(one), className="pace"),
    ]  # fmt: skip


def _pace(one: BudgetStatus) -> str:
    if one.projected is None:
        return "The first period has not begun yet."
    over = one.projected - one.budget.hard
    outcome = f"{_dollars(over)} over the limit" if over > 0 else "within the limit"
    return f"At this pace {_dollars(one.projected)} at the reset: {outcome}"


def _soft(nano: int | None) -> str:
    return "" if nano is None else f" (soft limit {_dollars(nano)})"


def _dollars(nano: int) -> str:
    return USD.text(in_dollars(nano))
