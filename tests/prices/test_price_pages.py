"""Prices at their doors: the API and the callbacks of the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from callbacks.settings import price_wish
from data.errors import StoreError
from data.prices.public_book import INSTALLED
from data.prices.search import MOST
from tests.resources import link
from tests.serving import ADMIN, KEY, Claims, Served, serving

LEADER: Claims = {"sub": "lena", "name": "Lena", "applications_admin": "web"}
ANA: Claims = {"sub": "ana"}
OWN = {"model": "our-llama", "from": "2026-01-01", "input": "2", "output": 4}
EVENTS: list[dict[str, Any]] = [
    {"event_id": "1", "ts": "2026-11-18T09:00:00Z", "user": "ana", "project": "web",
     "model": "our-llama", "input_tokens": 1_000_000},
    {"event_id": "2", "ts": "2026-11-20T09:00:00Z", "user": "bo", "project": "etl",
     "model": "our-llama", "input_tokens": 500_000},
    {"event_id": "3", "ts": "2026-11-20T10:00:00Z", "user": "ana", "project": "web",
     "model": "gpt-4o", "provider": "openai", "input_tokens": 1_000_000, "cost_nano": 10**9},
]  # fmt: skip


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path) as one:
        one.load(EVENTS)
        yield one


def ask(served: Served, method: str, path: str, claims: Claims = ADMIN, **more: Any) -> Any:
    call = getattr(served.client, method)
    return call(f"/api/v1/{path}", headers=served.headers(claims), **more)


def post(served: Served, path: str = "prices", **raw: Any) -> Any:
    answer = ask(served, "post", path, json=raw or OWN)
    assert answer.status_code in (200, 201), answer.text
    return answer.json


def test_from_unpriced_to_priced_and_back(served: Served) -> None:
    (found,) = served.json("prices")["unpriced"]
    assert found == {
        "provider": None, "model": "our-llama", "requests": 2, "tokens": 1_500_000,
        "first": "2026-11-18T09:00:00+00:00", "last": "2026-11-20T09:00:00+00:00",
    }  # fmt: skip
    seen = post(served, "prices/preview", what="unpriced", price=OWN)
    assert (seen["events"], seen["before"], seen["after"]) == (2, None, 3)
    assert [(one["project"], one["after"]) for one in seen["projects"]] == [("web", 2), ("etl", 1)]
    assert served.json("query", metrics="cost", preset="last_n_days")["totals"]["cost"] == 1
    kept = post(served)
    assert {name: kept[name] for name in ("model", "from", "input", "output", "who")} == {
        "model": "our-llama", "from": "2026-01-01", "input": "2", "output": "4", "who": "root"
    }  # fmt: skip
    made = post(served, "repricings", what="unpriced", price=kept["id"])
    assert made["projects"] == seen["projects"]
    assert served.json("query", metrics="cost", preset="last_n_days")["totals"]["cost"] == 4
    assert served.json("prices")["unpriced"] == []
    undone = ask(served, "delete", f"repricings/{made['id']}")
    assert undone.json["reverted_at"] == "2026-11-20T12:00:00+00:00"
    assert served.json("query", metrics="cost", preset="last_n_days")["totals"]["cost"] == 1
    assert served.json("repricings")["repricings"] == [undone.json]


def test_a_price_is_changed_and_deleted(served: Served) -> None:
    number = post(served)["id"]
    told = ask(served, "put", f"prices/{number}", json=OWN | {"input": "3"})
    assert told.json["input"] == "3"
    assert served.json(f"prices/{number}") == told.json
    assert ask(served, "delete", f"prices/{number}").status_code == 204
    assert ask(served, "delete", f"prices/{number}").status_code == 404
    assert served.json("prices")["prices"] == []


def test_what_arrives_next_costs_the_new_price(served: Served) -> None:
    post(served)
    told = EVENTS[0] | {"event_id": "4", "kind": "llm", "channel": "api", "status": "ok",
                        "source": "x"}  # fmt: skip
    headers = {"Authorization": f"Bearer {KEY}"}
    report = served.client.post("/api/v1/events", json=told, headers=headers).json
    assert report
    assert (report["accepted"], report["unpriced"], report["cost"]) == (1, 0, 2)


def test_budgets_see_the_new_cost(served: Served) -> None:
    budget = {"kind": "everything", "hard": 100, "period": "monthly"}
    number = ask(served, "post", "budgets", json=budget).json["id"]
    assert served.json(f"budgets/{number}")["spent"] == 1
    made = post(served, "repricings", what="unpriced", price=post(served)["id"])
    assert served.json(f"budgets/{number}")["spent"] == 4
    ask(served, "delete", f"repricings/{made['id']}")
    assert served.json(f"budgets/{number}")["spent"] == 1


@pytest.mark.parametrize("claims", [LEADER, ANA])
def test_every_door_is_for_administrators(served: Served, claims: Claims) -> None:
    price = post(served)["id"]
    made = post(served, "repricings", what="unpriced", price=price)
    before = served.json("prices"), served.json("repricings")
    wish = {"what": "history", "from": "2020-01-01"}
    for method, path, body in (
        ("get", "prices", None), ("get", f"prices/{price}", None), ("get", "repricings", None),
        ("post", "prices", OWN | {"from": "2026-02-01"}), ("put", f"prices/{price}", OWN),
        ("delete", f"prices/{price}", None), ("post", "prices/preview", wish | {"price": OWN}),
        ("post", "prices/preview", wish), ("post", "repricings", wish),
        ("delete", f"repricings/{made['id']}", None),
    ):  # fmt: skip
        answer = ask(served, method, path, claims, json=body)
        assert (answer.status_code, answer.json["error"]["code"]) == (403, "forbidden"), path
        bare = getattr(served.client, method)(f"/api/v1/{path}", json=body)
        assert bare.status_code == 401, path
    assert (served.json("prices"), served.json("repricings")) == before


@pytest.mark.parametrize(("path", "raw", "sentence"), [
    ("prices", {}, "name a price: rates, the model whose price it has, or a discount"),
    ("prices", OWN | {"input": "-1"}, "the input price is negative"),
    ("prices", OWN | {"alias": "openai/gpt-4o"}, "not both"),
    ("prices", {"model": "m", "from": "2026-01-01", "alias": "x/y"}, "not in the public price"),
    ("prices", OWN | {"from": "2026-13-01"}, "no date like 2026-11-01"),
    ("prices", [OWN], "send an object"),
    ("prices/preview", {"what": "unpriced", "price": OWN | {"input": "-1"}}, "negative"),
    ("prices/preview", {"what": "unpriced", "price": OWN, "instead_of": "1"}, "by its number"),
    ("prices/preview", {"price": OWN}, "either unpriced or history"),
    ("repricings", {"what": "history"}, "from a day on"),
    ("repricings", {"what": "unpriced", "price": OWN}, "by its number"),
])  # fmt: skip
def test_what_is_wrong_is_one_sentence(served: Served, path: str, raw: Any, sentence: str) -> None:
    answer = ask(served, "post", path, json=raw)
    assert answer.status_code == 400
    assert sentence in answer.json["error"]["message"]
    assert served.json("prices")["prices"] == []


def test_a_body_that_is_too_large_or_no_json_is_refused(served: Served) -> None:
    for data in (b"{" * 20_000, b"{", b"7"):
        assert ask(served, "post", "prices", data=data).status_code == 400


# --- the page

FIELDS = ("model", "provider", "from", "kind", "input", "cached_input", "cache_write", "output",
          "request", "alias", "discount", "note", "what", "since", "until")  # fmt: skip
SAID: dict[str, Any] = {"model": "our-llama", "from": "2026-01-01", "kind": "rates", "input": "2",
                        "output": "4", "what": "unpriced"}  # fmt: skip


def controls(said: dict[str, Any]) -> dict[str, Any]:
    return {f"price-field-{name}.value": said.get(name, "") for name in FIELDS}


def preview(served: Served, said: dict[str, Any], edited: Any, claims: Claims = ADMIN) -> Any:
    values = controls(said) | {"price-preview.n_clicks": 1, "price-edited.data": edited}
    return served.fire("price-projects.rowData", claims, values, "price-preview.n_clicks")


def press(
    served: Served, said: dict[str, Any], edited: Any, previewed: Any, claims: Claims = ADMIN
) -> Any:
    values = controls(said) | {"price-apply.n_clicks": 1, "price-edited.data": edited,
                               "price-previewed.data": previewed}  # fmt: skip
    return served.fire("price-form.is_open@", claims, values, "price-apply.n_clicks")


def answered(answer: Any) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json["response"]


def table(served: Served, key: str, claims: Claims = ADMIN) -> Any:
    return answered(served.fire(f"{key}-table.rowData", claims, {}, f"{key}-table.id"))


def test_the_tables_say_what_there_is(served: Served) -> None:
    for key in ("prices", "repricings"):
        told = table(served, key)
        assert told[f"{key}-card"] == {"data-state": "empty"}
        assert told[f"{key}-said"]["children"]
    (bare,) = table(served, "unpriced")["unpriced-table"]["rowData"]
    assert (bare["model"], bare["tokens_text"], bare["provider"]) == (
        "our-llama", "1,500,000", "(none)"
    )  # fmt: skip
    post(served)
    post(served, model="gpt-*", provider="azure", alias="openai/gpt-4o", discount="12.50",
         **{"from": "2026-02-01"})  # fmt: skip
    post(served, "repricings", what="unpriced")
    prices = table(served, "prices")["prices-table"]["rowData"]
    assert [(one["provider"], one["price"]) for one in prices] == [
        ("any", "$2.00 in · $4.00 out"), ("azure", "as openai/gpt-4o −12.5 %"),
    ]  # fmt: skip
    (made,) = table(served, "repricings")["repricings-table"]["rowData"]
    assert (made["events"], made["before_text"], made["after_text"]) == (2, "–", "$3.00")
    assert (made["state"], made["undone"]) == ("in force", False)


def test_a_price_is_set_after_a_preview_and_only_then(served: Served) -> None:
    (bare,) = table(served, "unpriced")["unpriced-table"]["rowData"]
    values = {"price-set.n_clicks": 1, "unpriced-table.selectedRows": [bare]}
    opened = answered(served.fire("price-title.children", ADMIN, values, "price-set.n_clicks"))
    assert opened["price-title"] == {"children": "Set a price"}
    assert opened["price-field-model"] == {"value": "our-llama"}
    assert opened["price-field-from"] == {"value": "2026-11-18"}
    edited = opened["price-edited"]["data"]
    refused = answered(press(served, SAID, edited, None))
    assert "preview it again" in refused["price-problem-"]["children"]
    seen = answered(preview(served, SAID, edited))
    assert seen["price-seen"]["children"].startswith(
        "Price those without a price. 2 calls: – → $3.00. Calls with a reported cost stay as"
    )
    assert [one["events"] for one in seen["price-projects"]["rowData"]] == [1, 1]
    previewed = seen["price-previewed"]["data"]
    refused = answered(press(served, SAID | {"input": "20"}, edited, previewed))
    assert "preview it again" in refused["price-problem-"]["children"]
    assert served.json("prices")["prices"] == []
    kept = answered(press(served, SAID, edited, previewed))
    assert kept["price-form"] == {"is_open": False}
    assert served.json("prices")["unpriced"] == []
    assert [one["events"] for one in served.json("repricings")["repricings"]] == [2]


def test_what_failed_after_the_price_was_kept_is_applied_again(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited = {"entry": True}
    seen = answered(preview(served, SAID, edited))
    with monkeypatch.context() as broken:

        def fail(*_: Any) -> None:
            raise StoreError("the disk is full")

        broken.setattr(price_wish, "reprice", fail)
        told = answered(press(served, SAID, edited, seen["price-previewed"]["data"]))
    assert told["price-problem-"]["children"] == "the disk is full"
    assert told["price-form"] == {"is_open": True}
    (kept,) = served.json("prices")["prices"]
    again = told["price-edited"]["data"], told["price-previewed"]["data"]
    assert again[0] == {"entry": True, "id": kept["id"]}
    assert answered(press(served, SAID, *again))["price-form"] == {"is_open": False}
    assert [one["id"] for one in served.json("prices")["prices"]] == [kept["id"]]
    assert served.json("prices")["unpriced"] == []


# --- the public book


def looked_up(served: Served, claims: Claims = ADMIN, **said: str) -> Any:
    values = {f"house-public-{name}.value": value for name, value in said.items()}
    return answered(served.fire("house-public-found.children", claims, values,
                                "house-public-model.value"))  # fmt: skip


def test_the_public_price_of_a_model_is_looked_up(served: Served) -> None:
    told = looked_up(served, model="gpt-4o", provider="openai", at="2026-11-01")
    sentence = told["house-public-found"]["children"]
    assert sentence.startswith("openai / gpt-4o on 01 Nov 2026: $2.50 in · $1.25 cached · ")
    assert sentence.endswith(f"; public price, {INSTALLED}.")
    rows = told["house-public-table"]["rowData"]
    exact = next(one for one in rows if (one["provider"], one["model"]) == ("openai", "gpt-4o"))
    assert (exact["input_text"], exact["input"]) == ("$2.50", 2.5)
    post(served, model="gpt-4*", **{"from": "2026-11-02"}, input="1", output="2")
    before, after = (looked_up(served, model="gpt-4o", provider="openai", at=day)
                     ["house-public-found"]["children"]
                     for day in ("2026-11-01", "2026-11-02"))  # fmt: skip
    assert before == sentence
    assert "$1.00 in" in after
    assert "own price of “gpt-4*” from 2026-11-02 ($1.00 in · $2.00 out)" in after
    assert looked_up(served, model="nobody's")["house-public-found"]["children"].endswith(
        "its calls are unpriced."
    )


def test_the_public_book_is_searched(served: Served) -> None:
    told = looked_up(served)
    assert len(told["house-public-table"]["rowData"]) == MOST
    assert "more words narrow it" in told["house-public-said"]["children"]
    assert looked_up(served, model="no such")["house-public-card"] == {"data-state": "empty"}
    assert looked_up(served, at="soon")["house-public-said"]["children"].startswith("'soon' is no")
    answer = served.json("prices/public", model="gpt-4o", provider="openai", at="2026-11-01")
    assert answer["price"]["rates"]["input"] == "2.5"
    assert (answer["price"]["source"], answer["release"]) == (INSTALLED, INSTALLED)
    assert served.get("prices/public", at="soon").status_code == 400
    assert looked_up(served, model="gpt-4o")["house-public-table"]["rowData"]
    for claims in (LEADER, ANA):
        assert served.get("prices/public", claims).status_code == 403
        refused = looked_up(served, claims, model="gpt-4o")
        assert refused["house-public-table"]["rowData"] == []
        assert "administrators" in refused["house-public-said"]["children"]


def test_a_price_is_edited_and_history_follows(served: Served) -> None:
    number = post(served)["id"]
    post(served, "repricings", what="unpriced")
    values = {"price-edit.n_clicks": 1, "prices-table.selectedRows": [{"id": number}]}
    opened = answered(served.fire("price-title.children", ADMIN, values, "price-edit.n_clicks"))
    assert opened["price-field-input"] == {"value": "2"}
    edited = opened["price-edited"]["data"]
    said = SAID | {"input": "4", "what": "history", "since": "2026-11-19"}
    seen = answered(preview(served, said, edited))
    assert "1 call: $1.00 → $2.00." in seen["price-seen"]["children"]
    answered(press(served, said, edited, seen["price-previewed"]["data"]))
    assert served.json(f"prices/{number}")["input"] == "4"
    assert [one["after"] for one in served.json("repricings")["repricings"]] == [2, 3]


def test_history_alone_and_a_price_alone(served: Served) -> None:
    opened = answered(served.fire("price-title.children", ADMIN, {"price-history.n_clicks": 1},
                                  "price-history.n_clicks"))  # fmt: skip
    edited = opened["price-edited"]["data"]
    refused = answered(preview(served, {"what": "history"}, edited))
    assert "from a day on" in refused["price-problem-since"]["children"]
    said = {"what": "history", "since": "2026-01-01", "until": "2025-01-01"}
    refused = answered(preview(served, said, edited))
    assert "before the start" in refused["price-problem-until"]["children"]
    seen = answered(preview(served, said | {"until": ""}, edited))
    assert seen["price-seen"]["children"] == "No stored call changes: 0 events."
    only = SAID | {"what": "nothing"}
    seen = answered(preview(served, only, {"entry": True}))
    assert "from now on" in seen["price-seen"]["children"]
    answered(press(served, only, {"entry": True}, seen["price-previewed"]["data"]))
    assert len(served.json("prices")["prices"]) == 1
    assert served.json("repricings")["repricings"] == []


@pytest.mark.parametrize(("said", "field", "sentence"), [
    ({"input": "-2"}, "input", "is negative"), ({"from": ""}, "from", "is missing"),
    ({"model": ""}, "model", "name a model"), ({"input": "", "output": ""}, "input", "name a pr"),
    ({"kind": "alias", "alias": "nobody/none"}, "alias", "is not in the public price book"),
    ({"kind": "public", "discount": "300"}, "discount", "from 0 to 100"),
    ({"what": "history"}, "since", "from a day on"), ({"what": "?"}, "what", "either unpriced"),
    ({"what": "nothing", "input": "x"}, "input", "is no number"),
])  # fmt: skip
def test_the_form_says_what_is_wrong_beside_the_field(
    served: Served, said: dict[str, Any], field: str, sentence: str
) -> None:
    told = answered(preview(served, SAID | said, {"entry": True}))
    shown = {name: told[f"price-problem-{name}"]["children"] for name in (*FIELDS, "")}
    assert sentence in shown.pop(field)
    assert set(shown.values()) == {""}
    assert told["price-apply"] == {"disabled": True}


def test_the_fields_are_those_of_the_kind_of_price(served: Served) -> None:
    def shapes(kind: str, what: str, edited: Any) -> set[str]:
        values = {"price-field-kind.value": kind, "price-field-what.value": what,
                  "price-edited.data": edited}  # fmt: skip
        told = answered(served.fire("price-box-alias.hidden", ADMIN, values,
                                    "price-field-kind.value"))  # fmt: skip
        return {name for name in FIELDS if not told[f"price-box-{name}"]["hidden"]}

    entry = {"model", "provider", "from", "kind", "note", "what"}
    rates = {"input", "cached_input", "cache_write", "output", "request"}
    assert shapes("rates", "unpriced", {"entry": True}) == entry | rates
    assert shapes("alias", "nothing", None) == entry | {"alias", "discount"}
    assert shapes("public", "history", {"entry": True}) == entry | {"discount", "since", "until"}
    assert shapes("rates", "history", {"entry": False}) == {"what", "since", "until"}


def act(served: Served, dialog: str, key: str, row: Any, claims: Claims = ADMIN) -> Any:
    values = {f"{dialog}.submit_n_clicks": 1, f"{key}-table.selectedRows": [row]}
    output = f"{key}-said.children@"
    return served.fire(output, claims, values, f"{dialog}.submit_n_clicks")


def test_deleting_and_undoing_ask_first(served: Served) -> None:
    post(served)
    made = post(served, "repricings", what="unpriced")
    (row,) = table(served, "repricings")["repricings-table"]["rowData"]
    values = {"price-undo.n_clicks": 1, "repricings-table.selectedRows": [row]}
    told = answered(served.fire("price-undo-confirm.displayed", ADMIN, values,
                                "price-undo.n_clicks"))  # fmt: skip
    assert "2 calls get back what they cost before" in told["price-undo-confirm"]["message"]
    for who in (LEADER, ANA):
        refused = answered(act(served, "price-undo-confirm", "repricings", row, who))
        assert refused["repricings-said"]["children"] == "prices are for platform administrators"
    assert served.json("repricings")["repricings"][0]["reverted_at"] is None
    answered(act(served, "price-undo-confirm", "repricings", row))
    (left,) = served.json("repricings")["repricings"]
    assert (left["id"], left["reverted_by"]) == (made["id"], "root")
    (kept,) = table(served, "prices")["prices-table"]["rowData"]
    answered(act(served, "price-confirm", "prices", kept, LEADER))
    assert len(served.json("prices")["prices"]) == 1
    answered(act(served, "price-confirm", "prices", kept))
    assert served.json("prices")["prices"] == []
    for forged in ("x", None, True, 10**30):
        told = answered(act(served, "price-confirm", "prices", {"id": forged}))
        assert told["prices-said"]["children"]


@pytest.mark.parametrize("claims", [LEADER, ANA])
def test_the_page_is_there_for_administrators_alone(served: Served, claims: Claims) -> None:
    for who, hidden in ((ADMIN, False), (claims, True)):
        place = {"url.pathname": "/settings/prices"}
        page = served.fire("page-title", who, place, "url.pathname").text
        assert ("unpriced-table" in page) is not hidden
        assert link(served, "prices", who) is hidden
    post(served, model="another-llama", **{"from": "2026-01-01", "input": "2", "output": "4"})
    for key, state in (("unpriced", "ready"), ("prices", "ready"), ("repricings", "empty")):
        shown = table(served, key, ADMIN)
        assert shown[f"{key}-card"] == {"data-state": state}
        assert bool(shown[f"{key}-table"]["rowData"]) is (state == "ready")
        told = table(served, key, claims)
        assert told[f"{key}-table"]["rowData"] == []
        assert told[f"{key}-card"] == {"data-state": "failed"}
    seen = answered(preview(served, SAID, {"entry": True}, claims))
    assert seen["price-problem-"]["children"] == "prices are for platform administrators"
    told = answered(preview(served, SAID, {"entry": True}))
    pressed = press(served, SAID, {"entry": True}, told["price-previewed"]["data"], claims)
    assert answered(pressed)["price-problem-"]["children"]
    values = {"price-edit.n_clicks": 1, "prices-table.selectedRows": [{"id": post(served)["id"]}]}
    opened = served.fire("price-title.children", claims, values, "price-edit.n_clicks")
    assert opened.status_code == 403
    assert len(served.json("prices")["prices"]) == 2
    assert served.json("repricings")["repricings"] == []
