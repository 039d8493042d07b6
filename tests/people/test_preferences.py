"""Preferences: what may be preferred, whose they are, and what they change."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest
from werkzeug.test import TestResponse

from callbacks.analytics import choices
from components import ids
from data.errors import Refused
from data.people.preferences import Preferences, parse
from tests.resources import Parts, problems, retype
from tests.resources import body as page
from tests.serving import ADMIN, Claims, Served, serving

ANA: Final = {"sub": "ana"}
MONTH: Final = {"preset": "last_n_days", "n": 30, "zone": "Asia/Kolkata", "theme": "dark",
                "mode": "table"}  # fmt: skip
WEEK: Final = {"preset": "last_n_days", "n": "7"}
NONE: Final = dict.fromkeys(MONTH)


@pytest.fixture
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("preferences")) as one:
        yield one


def put(served: Served, claims: Claims, said: Any, query: str = "") -> TestResponse:
    headers = served.headers(claims)
    return served.client.put(f"/api/v1/preferences{query}", json=said, headers=headers)


def test_preferences_are_kept_and_are_ones_own(served: Served) -> None:
    assert served.json("preferences", ANA) == NONE
    assert put(served, ANA, MONTH).json == MONTH
    assert served.json("preferences", ANA) == MONTH
    assert served.json("preferences", ADMIN) == NONE
    assert put(served, ADMIN, {"theme": "light"}).status_code == 200
    assert served.json("preferences", ANA) == MONTH
    assert put(served, ANA, {"mode": "chart"}).json == NONE | {"mode": "chart"}
    assert put(served, ANA, {}).json == NONE


def test_who_is_merged_keeps_what_they_chose_until_they_choose_again(served: Served) -> None:
    work, home = {"sub": "ana@work"}, {"sub": "ana@home"}
    put(served, work, MONTH)
    put(served, home, {"theme": "light"})
    for alias in ("ana@work", "ana@home"):
        told = {"alias": alias, "person": "ana"}
        headers = served.headers(ADMIN)
        assert served.client.post("/api/v1/aliases", json=told, headers=headers).status_code == 201
    assert served.json("preferences", work) == MONTH
    assert served.json("preferences", home) == NONE | {"theme": "light"}
    assert put(served, home, {"mode": "chart"}).json == NONE | {"mode": "chart"}
    assert served.json("preferences", work) == NONE | {"mode": "chart"}
    assert put(served, work, {}).json == NONE
    assert served.json("preferences", work) == NONE
    assert served.json("preferences", ADMIN) == NONE


@pytest.mark.parametrize("query", ["?user=ana", "?sub=ana"])
def test_nobody_reaches_anothers(served: Served, query: str) -> None:
    put(served, ANA, MONTH)
    assert put(served, ADMIN, {"theme": "light"}, query).status_code == 400
    assert put(served, ADMIN, {"user": "ana", "theme": "light"}).status_code == 400
    assert served.client.get("/api/v1/preferences").status_code == 401
    assert served.client.put("/api/v1/preferences", json=MONTH).status_code == 401
    assert served.json("preferences", ANA) == MONTH


@pytest.mark.parametrize(("said", "parameter"), [
    ({"preset": "custom"}, "preset"), ({"preset": ["last_hour"]}, "preset"),
    ({"preset": "last_n_days", "n": 0}, "n"), ({"preset": "last_n_days", "n": 3661}, "n"),
    ({"preset": "last_n_hours", "n": "x"}, "n"), ({"preset": "last_n_days", "n": True}, "n"),
    ({"preset": "last_n_days", "n": "000000001999999"}, "n"),
    ({"zone": "Mars/Base"}, "tz"), ({"zone": 7}, "zone"), ({"theme": "pink"}, "theme"),
    ({"mode": "heat"}, "mode"), ({"isAdmin": True}, "isAdmin"), ([], "preferences"),
    ("dark", "preferences"), (None, "preferences"),
])  # fmt: skip
def test_what_cannot_be_preferred_is_refused(served: Served, said: Any, parameter: str) -> None:
    with pytest.raises(Refused) as refused:
        parse(said)
    assert refused.value.parameter == parameter
    answer = put(served, ANA, said)
    assert answer.status_code == 400
    assert served.json("preferences", ANA) == NONE


def test_a_large_body_is_refused(served: Served) -> None:
    assert put(served, ANA, {"zone": "x" * 5_000}).status_code == 400


@pytest.mark.parametrize(("preferred", "choice"), [
    (Preferences(), {}), (Preferences("last_n_days", 7), {}), (Preferences("last_n_days"), {}),
    (Preferences("last_n_days", 30), {"preset": "last_n_days", "n": "30"}),
    (Preferences("last_n_hours"), {"preset": "last_n_hours", "n": "24"}),
    (Preferences("last_month"), {"preset": "last_month"}),
])  # fmt: skip
def test_a_preset_is_a_choice_only_where_it_differs(
    preferred: Preferences, choice: Mapping[str, Any]
) -> None:
    assert preferred.choice() == choice


def arrive(served: Served, search: str, claims: Claims = ANA, **values: Any) -> dict[str, Any]:
    said = {f"{ids.URL}.search": search, f"{ids.ZONE}.data": "Europe/Berlin"} | values
    changed = values.pop("changed", f"{ids.URL}.search")
    answer = served.fire(f"{ids.FILTER_STATE}.data", claims, said, changed)
    return dict(json.loads(answer.text)["response"])


@pytest.mark.parametrize(("preferred", "browser", "zone"), [
    ("Asia/Kolkata", "Europe/Berlin", "Asia/Kolkata"), (None, "Europe/Berlin", "Europe/Berlin"),
    (None, None, "UTC"), (None, "Mars/Olympus", "UTC"), (None, ["Europe/Berlin"], "UTC"),
])  # fmt: skip
def test_times_are_read_in_the_zone_preferred_else_in_the_browser_s(
    preferred: str | None, browser: Any, zone: str
) -> None:
    assert Preferences(zone=preferred).zone_in(browser) == zone


def test_a_browser_in_a_zone_that_is_unknown_here_sees_the_page(served: Served) -> None:
    told = arrive(served, "", ANA, **{f"{ids.ZONE}.data": "Mars/Olympus"})
    assert told[ids.FILTER_STATE]["data"]["zone"] == "UTC"


def test_a_first_visit_starts_as_preferred_and_an_address_wins(served: Served) -> None:
    put(served, ANA, MONTH)
    first = arrive(served, "")
    assert first[ids.FILTER_STATE]["data"]["choice"] == {"preset": "last_n_days", "n": "30"}
    assert first[ids.URL]["search"] == "?preset=last_n_days&n=30"
    assert first[ids.FILTER_STATE]["data"]["zone"] == "Asia/Kolkata"
    told = arrive(served, "?preset=last_hour&tz=UTC")[ids.FILTER_STATE]["data"]["choice"]
    assert told == {"preset": "last_hour", "tz": "UTC"}
    assert arrive(served, "", ADMIN)[ids.FILTER_STATE]["data"]["choice"] == {}


def test_clear_all_goes_back_to_the_products_default(served: Served) -> None:
    put(served, ANA, MONTH)
    asked = arrive(served, "")[ids.FILTER_STATE]["data"]
    said = {f"{ids.FILTER_STATE}.data": asked, "changed": f"{ids.CLEAR}.n_clicks",
            f"{ids.CLEAR}.n_clicks": 1}  # fmt: skip
    cleared = arrive(served, "?preset=last_n_days&n=30", **said)
    assert cleared[ids.FILTER_STATE]["data"]["choice"] == WEEK
    assert cleared[ids.PRESET]["value"] == "last_n_days"
    assert cleared[ids.N]["value"] == "7"
    again = arrive(served, cleared[ids.URL]["search"])
    assert again[ids.FILTER_STATE]["data"]["choice"] == WEEK


def test_the_products_default_chosen_stays_chosen_when_the_page_is_opened_again(
    served: Served,
) -> None:
    put(served, ANA, MONTH)
    asked = arrive(served, "")[ids.FILTER_STATE]["data"]
    said = {f"{ids.FILTER_STATE}.data": asked, "changed": f"{ids.N}.value",
            f"{ids.PRESET}.value": "last_n_days", f"{ids.N}.value": "7"}  # fmt: skip
    chosen = arrive(served, "?preset=last_n_days&n=30", **said)
    assert chosen[ids.URL]["search"] == "?preset=last_n_days&n=7"
    assert arrive(served, "?user=me")[ids.FILTER_STATE]["data"]["choice"] == WEEK | {"user": ["me"]}


def test_a_time_taken_back_is_the_preferred_and_then_the_products_default() -> None:
    chips, month = [{"chip": "time", "value": "time"}], {"preset": "last_n_days", "n": "30"}
    hour = {"preset": "last_hour", "user": ["me"]}
    back = choices.clear_chips(hour, chips, None, month)
    assert back == month | {"user": ["me"]}
    assert choices.clear_chips(back, chips, None, month) == WEEK | {"user": ["me"]}
    assert choices.clear_chips(WEEK | {"user": ["me"]}, chips, None, month) == back
    assert choices.clear_chips(hour, chips, None, {}) == {"user": ["me"]}
    me = [{"chip": "user", "value": "me"}]
    assert choices.clear_chips(hour, me, None, month) == {"preset": "last_hour"}


def test_quick_changes_arrive_in_any_order(served: Served) -> None:
    """The page saves what was changed, so a late request undoes nothing that came before it."""
    put(served, ANA, MONTH | {"mode": "table"})
    late = MONTH | {"theme": "dark", "mode": "table"}
    for changed, held in (("mode", late | {"mode": "none"}), ("theme", late)):
        change(served, held, changed)
    assert served.json("preferences", ANA) == MONTH | {"theme": "dark", "mode": None}


def change(served: Served, held: Mapping[str, Any], *changed: str) -> Parts:
    """What the card does when fields of these values were changed."""
    return retype(served, "preferences", held, changed, ANA)


def test_a_preference_that_cannot_be_has_its_sentence_beside_it(served: Served) -> None:
    put(served, ANA, MONTH)
    typed = MONTH | {"n": "0"}
    parts = change(served, typed, "n")
    wanted = "N must be a whole number of days from 1 to 3,660"
    assert (problems(parts), parts["saved"]["children"]) == ({"n": wanted}, "")
    assert "record" not in parts
    assert served.json("preferences", ANA) == MONTH
    parts = change(served, typed | {"n": "9"}, "n")
    assert (problems(parts), parts["saved"]["children"]) == ({}, "Saved")
    assert parts["record"]["data"] == MONTH | {"n": 9, "changed": ["n"]}
    assert "saved" not in change(served, typed | {"n": "9"}, "n")


def test_the_card_holds_what_is_preferred(served: Served) -> None:
    put(served, ANA, MONTH)
    told = page(served, "profile", ANA)
    for name, value in (("preset", "last_n_days"), ("n", "30"), ("theme", "dark")):
        assert f'"live":"{name}"' in told
        assert f'"value":"{value}"' in told
    assert '"value":"30"' not in page(served, "profile", ADMIN)
