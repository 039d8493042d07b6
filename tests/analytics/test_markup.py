"""Markup: what has no id is one component, and reads as it did before."""

from __future__ import annotations

from typing import Any

import pytest
from dash import dcc, html

from components.page import layout, markup
from components.sections.declared import TABS
from components.settings import budgets
from tests.markup import elements, expanded, tree_of


def test_what_has_an_id_stays_a_component_in_its_place() -> None:
    link = dcc.Link("there", id="link", href="/there")
    page = html.Div([html.P(["a ", html.B("b"), 3]), html.Span(link, className="s"), "c"], id="x")
    plain = expanded(tree_of(page))
    made = tree_of(markup.joined(page))
    assert expanded(made) == plain
    assert [one["type"] for one in elements(made)] == ["Div", "Markup", "Link"]


def test_what_is_no_element_keeps_its_parts_apart() -> None:
    made = markup.joined(layout.build({}))
    kinds = [one for one in made._traverse() if getattr(one, "_type", "") == "TimeMenu"]
    assert [len(one.children) for one in kinds] == [2]


@pytest.mark.parametrize("page", [
    lambda: layout.build({"people": "People"}), lambda: layout.analytics(TABS[0]),
    budgets.page,
])  # fmt: skip
def test_no_element_of_a_page_is_a_component_for_nothing(page: Any) -> None:
    made = tree_of(markup.joined(page()))
    assert expanded(made) == expanded(tree_of(page()))
    html_only = [one for one in elements(made) if one["namespace"] == markup.HTML]
    assert [one for one in html_only if "id" not in one["props"]] == []
