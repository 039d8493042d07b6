"""The first layout: an address's page as callbacks would write it, so that none has to."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from callbacks.analytics import choices, filter_bar
from components import ids
from components.sections.declared import tab
from data.query.filters import PICKER_FIELDS
from tests.markup import expanded
from tests.serving import ADMIN, Served, serving

USER: Final = {"sub": "ana", "name": "Ana Lopes"}
SEARCH: Final = "?n=30&preset=last_n_days&user=ana&model=large&bogus=1"
CARD: Final = '{"card":["MATCH"]}.answer'


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("arrival")) as one:
        one.load([{"event_id": "a", "ts": "2026-11-20T09:00:00Z", "user": "ana", "model": "large",
                   "user_name": "Ana Lopes", "cost_nano": 5}])  # fmt: skip
        yield one


def parts(served: Served, address: str, claims: Mapping[str, Any] = USER) -> dict[str, Any]:
    """The properties of everything in the first layout that has an id."""
    answer = served.layout(address, claims, "Europe/Berlin")
    assert answer.status_code == 200, answer.text
    return {_name(one["id"]): one for one in _properties(answer.get_json()) if "id" in one}


def _properties(tree: Any) -> Iterator[dict[str, Any]]:
    if isinstance(tree, list):
        for one in tree:
            yield from _properties(one)
    elif isinstance(tree, dict) and "props" in tree:
        yield tree["props"]
        yield from _properties(tree["props"].get("children"))


def _name(key: Any) -> str:
    return key if isinstance(key, str) else ids.dom(key)


def written(served: Served, output: str, values: dict[str, Any], changed: str, **wild: Any) -> Any:
    """What a callback writes, by id."""
    answer = served.fire(output, USER, values, changed, wild)
    return answer.get_json()["response"]


def test_a_start_does_not_look_through_every_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Dash does for the name of whoever makes one."""
    monkeypatch.setattr("inspect.stack", lambda: pytest.fail("a third of a start"))
    with serving(tmp_path) as one:
        assert one.app.config.name == "app"


def test_it_holds_what_the_callbacks_write(served: Served) -> None:
    told = parts(served, f"/settings/analytics/models{SEARCH}")
    address = {f"{ids.URL}.search": SEARCH, f"{ids.ZONE}.data": "Europe/Berlin"}
    filters = written(served, f"{ids.FILTER_STATE}.data", address, f"{ids.URL}.search")
    state = {f"{ids.FILTER_STATE}.data": filters[ids.FILTER_STATE]["data"]}
    chips = written(served, f"{ids.CHIPS}.children", state, f"{ids.FILTER_STATE}.data", pick=())
    place = {f"{ids.URL}.pathname": "/settings/analytics/models"}
    page = written(served, f"{ids.BODY}.children", place, f"{ids.URL}.pathname")
    filters[ids.FILTER_STATE]["data"].pop("undo")
    for key, props in (filters | chips | page).items():
        if offered := props.pop("options", None):
            assert [one["value"] for one in offered] == [o["value"] for o in told[key]["options"]]
        for name, value in props.items():
            assert expanded(value) == expanded(told[key].get(name)), (key, name)


def test_a_change_writes_only_what_the_browser_does_not_have(served: Served) -> None:
    """Each property that is written has the browser ask every component of the page."""
    told = parts(served, "/settings/analytics?n=30&preset=last_n_days")
    held = {
        **{f"{name}.value": told[name].get("value") for name in filter_bar.CONTROLS},
        **{f"{ids.dom(key)}.value": told[ids.dom(key)].get("value")
           for field in PICKER_FIELDS for key in (ids.pick(field), ids.operator(field))},
        f"{ids.URL}.search": told[ids.URL]["search"], f"{ids.ZONE}.data": "Europe/Berlin",
        f"{ids.FILTER_STATE}.data": told[ids.FILTER_STATE]["data"],
    }  # fmt: skip
    made = written(served, f"{ids.FILTER_STATE}.data", held | {f"{ids.N}.value": "14"},
                   f"{ids.N}.value")  # fmt: skip
    always = {ids.FILTER_STATE, ids.URL, ids.PROBLEM, ids.N_BOX, ids.RANGE_BOX, ids.COMPARE_BOX}
    assert set(made) == always | {ids.WINDOW, ids.COMPARED, ids.TIME}
    assert "n=14" in made[ids.URL]["search"]
    stale = held | {f"{ids.N}.value": "x", f"{ids.ME}.n_clicks": 1}
    made = written(served, f"{ids.FILTER_STATE}.data", stale, f"{ids.ME}.n_clicks")
    assert made[ids.N]["value"] == "30"  # what was typed was none
    assert made[ids.ME]["aria-pressed"] == "true"


def test_what_is_chosen_is_called_by_its_name(served: Served) -> None:
    told = parts(served, f"/settings/analytics/models{SEARCH}")
    assert told[ids.dom(ids.pick("user"))]["options"] == [{"value": "ana", "label": "Ana Lopes"}]
    assert told[ids.URL]["search"] == "?preset=last_n_days&n=30&user=ana&model=large"
    assert told[ids.dom(ids.link("cli"))]["href"].endswith(told[ids.URL]["search"])
    assert told[ids.NAME]["children"] == "Ana Lopes"
    assert told[ids.dom(ids.nav("people"))]["hidden"]
    assert not parts(served, "/", ADMIN)[ids.dom(ids.nav("people"))]["hidden"]


def test_a_load_asks_once_a_section(served: Served) -> None:
    """And once for the budgets at risk, which nothing else waits for. What Dash calls by itself is
    what has its outputs on the page and is not told to wait."""
    told = parts(served, "/settings/analytics")
    every = served.client.get("/_dash-dependencies", headers=served.headers(USER)).get_json()
    calls = [
        one["output"] for one in every
        if not one["clientside_function"] and not one["prevent_initial_call"]
        and any(_on_page(part, told) for part in one["output"].strip(".").split("..."))
    ]  # fmt: skip
    assert calls == [f"..{ids.BUDGETS_AT_RISK}.children...{ids.BUDGETS_AT_RISK}.hidden..", CARD]
    cards = [key for key in told if key.startswith('{"card"')]
    assert cards == [ids.dom(ids.card(one.key)) for one in tab("overview").for_one().sections]


def _on_page(output: str, told: Mapping[str, Any]) -> bool:
    key = output.rsplit(".", 1)[0]
    if not key.startswith("{"):
        return key in told
    wanted = json.loads(key)
    return any(key.startswith("{") and _matches(wanted, json.loads(key)) for key in told)


def _matches(wanted: Mapping[str, Any], key: Mapping[str, Any]) -> bool:
    return wanted.keys() == key.keys() and all(
        value in (["MATCH"], ["ALL"]) or value == key[name] for name, value in wanted.items()
    )


@pytest.mark.parametrize(("search", "problem", "left"), [
    ("preset=last_n_days&n=many&user=ana", "N must be a whole number, not 'many'",
     {"user": ["ana"]}),
    ("compare=later&user=ana", "compare is 'later'; use one of previous, week, month, year,",
     {"user": ["ana"]}),
    ("n=3&compare=custom&compare_from=x", "compare_from is no date and time: 'x'", {"n": "3"}),
    ("compare=custom&compare_from=2026-11-02&compare_to=2026-11-01",
     "the range must end after it starts", {}),
    ("tz=Mars&channel=smoke&compare=off", "'Mars' is no time zone", {"compare": "off"}),
])  # fmt: skip
def test_what_means_nothing_in_an_address_is_answered_and_left_out(
    served: Served, search: str, problem: str, left: dict[str, Any]
) -> None:
    told = parts(served, f"/settings/analytics?{search}")
    assert problem in told[ids.PROBLEM]["children"]
    assert told[ids.FILTER_STATE]["data"]["choice"] == left
    assert told[ids.URL]["search"] == choices.to_address(left)


@pytest.mark.parametrize(
    "address", ["", "nowhere", "/settings/analytics/%00", "?user=%FF", "//x//"]
)
def test_any_address_has_a_page(served: Served, address: str) -> None:
    assert ids.BODY in parts(served, address)


def test_a_store_that_does_not_answer_takes_only_the_filters_along(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("the disk is gone")

    monkeypatch.setattr("callbacks.analytics.filter_bar.value_names", broken)
    told = parts(served, "/settings/analytics")
    assert "load the page again" in told[ids.PROBLEM]["children"]
    assert told[ids.TITLE]["children"] == "Analytics"
    assert "disk" not in json.dumps(told)
