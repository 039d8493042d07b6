"""Budgets that are nearly spent, said on Overview to those who see the budgets."""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output

from callbacks.settings.budgets import status, subject_names
from callbacks.settings.resource import current_context
from callbacks.stores import Stores
from components import ids
from components.page.budgets_at_risk import is_at_risk, link
from components.sections.declared import TABS
from data.budgets.book import visible_budgets

ANALYTICS = "/settings/analytics"


def register(app: Dash, stores: Stores) -> None:
    """As Overview is turned to."""

    @app.callback(
        Output(ids.BUDGETS_AT_RISK, "children"),
        Output(ids.BUDGETS_AT_RISK, "hidden"),
        Input(ids.URL, "pathname"),
    )
    def show_link(path: Any) -> tuple[Any, bool]:
        if str(path).rstrip("/") not in (ANALYTICS, f"{ANALYTICS}/{TABS[0].key}"):
            return None, True
        context = current_context(stores)
        every = [status(context, one) for one in visible_budgets(context.state, context.scope)]
        found = [one for one in every if is_at_risk(one)]
        if not found:
            return None, True
        return link(found, subject_names(context, [one.budget for one in found])), False
