"""What an address says of cards: read, cleaned, written the same again."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from callbacks.analytics import choices
from components.page.views import View, kept, views


@pytest.mark.parametrize(("said", "view", "again"), [
    ("top-models.tokens", View("tokens"), "top-models.tokens"),
    ("cost-over-time..model", View("", "model"), "cost-over-time..model"),
    ("cost-over-time.requests.user.table", View("requests", "user", "table"),
     "cost-over-time.requests.user.table"),
    ("top-models...table", View("", "", "table"), "top-models...table"),
    ("cost-over-time....long", View("", "", "", "long"), "cost-over-time....long"),
    ("cost-over-time.tokens...wide", View("tokens"), "cost-over-time.tokens"),
    # A ranking, and measures over time, have one form.
    ("top-models....long", View(), None), ("token-mix....long", View(), None),
    # What the section does not offer, or is too much, is dropped.
    ("top-models.lines.user.picture.and.more", View(), None),
    ("top-models", View(), None),
])  # fmt: skip
def test_a_view_is_what_the_section_offers(said: str, view: View, again: str | None) -> None:
    search = f"?{urlencode({'view': said, 'n': 14})}"
    key = said.partition(".")[0]
    assert views(search) == {key: view}
    assert kept(search) == ([("view", again)] if again else [])


@pytest.mark.parametrize("search", [None, "", "?", "?view=nowhere.cost", "?view=&mode=picture"])
def test_what_means_nothing_is_nothing(search: str | None) -> None:
    assert kept(search) == []


def test_an_address_has_the_filters_first_and_the_views_in_one_order() -> None:
    search = "?view=top-users.tokens&mode=table&view=cost-over-time.requests&user=ana"
    address = choices.to_address({"user": ["ana"]}, kept(search))
    assert address == "?user=ana&mode=table&view=cost-over-time.requests&view=top-users.tokens"
    assert choices.from_address(address) == {"user": ["ana"]}
