"""Prices at their doors: the API and the callbacks of the page."""

from __future__ import annotations

import json
from typing import Any

import pytest

from callbacks.settings import price_form
from components import ids
from data.errors import StoreError
from data.prices.entries import RATES
from data.prices.public_book import INSTALLED
from data.prices.search import MOST
from tests.resources import (
    begin,
    body,
    choose,
    confirm,
    fill,
    link,
    problems,
    save,
    shape,
)
from tests.resources import press as click
from tests.serving import ADMIN, KEY, Claims, Served, serving_with

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


served = serving_with(EVENTS)


def post(served: Served, path: str = "prices", **raw: Any) -> Any:
    answer = served.ask("post", path, json=raw or OWN)
    assert answer.status_code in (200, 201), answer.text
    return answer.json


def test_from_unpriced_to_priced_and_back(served: Served) -> None:
    (found,) = served.json("prices")["unpriced"]
    assert found == {
        "provider": None, "model": "our-llama", "reason": None, "requests": 2, "tokens": 1_500_000,
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
    undone = served.ask("delete", f"repricings/{made['id']}")
    assert undone.json["reverted_at"] == "2026-11-20T12:00:00+00:00"
    assert served.json("query", metrics="cost", preset="last_n_days")["totals"]["cost"] == 1
    assert served.json("repricings")["repricings"] == [undone.json]


def test_a_price_is_changed_and_deleted(served: Served) -> None:
    number = post(served)["id"]
    answer = served.ask("put", f"prices/{number}", json=OWN | {"input": "3"})
    assert answer.json["input"] == "3"
    assert served.json(f"prices/{number}") == answer.json
    assert served.ask("delete", f"prices/{number}").status_code == 204
    assert served.ask("delete", f"prices/{number}").status_code == 404
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
    number = served.ask("post", "budgets", json=budget).json["id"]
    assert served.json(f"budgets/{number}")["spent"] == 1
    made = post(served, "repricings", what="unpriced", price=post(served)["id"])
    assert served.json(f"budgets/{number}")["spent"] == 4
    served.ask("delete", f"repricings/{made['id']}")
    assert served.json(f"budgets/{number}")["spent"] == 1


@pytest.mark.parametrize("claims", [LEADER, ANA])
def test_every_door_is_for_administrators(served: Served, claims: Claims) -> None:
    price = post(served)["id"]
    made = post(served, "repricings", what="unpriced", price=price)
    before = served.json("prices"), served.json("repricings")
    wish = {"what": "history", "from": "2020-01-01"}
    for method, path, raw in (
        ("get", "prices", None), ("get", f"prices/{price}", None), ("get", "repricings", None),
        ("post", "prices", OWN | {"from": "2026-02-01"}), ("put", f"prices/{price}", OWN),
        ("delete", f"prices/{price}", None), ("post", "prices/preview", wish | {"price": OWN}),
        ("post", "prices/preview", wish), ("post", "repricings", wish),
        ("delete", f"repricings/{made['id']}", None),
    ):  # fmt: skip
        answer = served.ask(method, path, claims, json=raw)
        assert (answer.status_code, answer.json["error"]["code"]) == (403, "forbidden"), path
        bare = getattr(served.client, method)(f"/api/v1/{path}", json=raw)
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
    answer = served.ask("post", path, json=raw)
    assert answer.status_code == 400
    assert sentence in answer.json["error"]["message"]
    assert served.json("prices")["prices"] == []


def test_a_body_that_is_too_large_or_no_json_is_refused(served: Served) -> None:
    for data in (b"{" * 20_000, b"{", b"7"):
        assert served.ask("post", "prices", data=data).status_code == 400


# --- the page

CHOICES = ("kind", "what", "service_tier")
FIELDS = ("model", "provider", "service_tier", "from", "kind", *RATES, "alias", "discount", "note",
          "what", "since", "until")  # fmt: skip
SAID: dict[str, Any] = {"model": "our-llama", "from": "2026-01-01", "kind": "rates", "input": "2",
                        "output": "4", "what": "unpriced"}  # fmt: skip


EDITED = {"number": None}


def preview(served: Served, said: dict[str, Any], edited: Any, claims: Claims = ADMIN) -> Any:
    """What a preview says, by part; `problem` is what is wrong, by field."""
    held = {f"{name}.value": said.get(name, "") for name in FIELDS}
    values = held | {f"{ids.PRICE_PREVIEW}.n_clicks": 1, "edited.data": edited}
    texts = [name for name in FIELDS if name not in CHOICES]
    wild = {"field": texts, "choice": CHOICES, "problem": (*FIELDS, "")}
    changed = f"{ids.PRICE_PREVIEW}.n_clicks"
    answer = served.fire(f"{ids.PRICE_PROJECTS}.rowData", claims, values, changed, wild)
    card = answered(answer)
    parts = {name: value for name, value in card.items() if not name.startswith("{")}
    keyed = {ids_of(name): value for name, value in card.items() if name.startswith("{")}
    wrong = {key[1]: one["children"] for key, one in keyed.items() if key[0] == "problem"}
    return parts | {key[1]: one for key, one in keyed.items() if key[0] == "part"} | {
        "problem": wrong}  # fmt: skip


def ids_of(name: str) -> tuple[str, str]:
    key = json.loads(name)
    what = "part" if "part" in key else "problem"
    return what, key[what]


def press(
    served: Served, said: dict[str, Any], edited: Any, previewed: Any, claims: Claims = ADMIN
) -> Any:
    values = {name: said.get(name, "") for name in FIELDS}
    return save(served, "prices", values, edited, claims, previewed)


def answered(answer: Any) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json["response"]


def table(served: Served, key: str) -> Any:
    return fill(served, key)["table"]["rowData"]


def test_the_tables_say_what_there_is(served: Served) -> None:
    for key in ("prices", "repricings"):
        parts = fill(served, key)
        assert parts["card"] == {"data-state": "empty"}
        assert parts["state"]["children"]
    (bare,) = table(served, "unpriced")
    assert (bare["model"], bare["tokens_text"], bare["provider"]) == (
        "our-llama", "1,500,000", "(none)"
    )  # fmt: skip
    post(served)
    post(served, model="gpt-*", provider="azure", alias="openai/gpt-4o", discount="12.50",
         **{"from": "2026-02-01"})  # fmt: skip
    post(served, "repricings", what="unpriced")
    prices = table(served, "prices")
    assert [(one["provider"], one["price"]) for one in prices] == [
        ("any", "$2.00 in · $4.00 out"), ("azure", "as openai/gpt-4o −12.5 %"),
    ]  # fmt: skip
    (made,) = table(served, "repricings")
    assert (made["events"], made["before_text"], made["after_text"]) == (2, "–", "$3.00")
    assert (made["state"], made["undone"]) == ("in force", False)


def test_a_price_is_set_after_a_preview_and_only_then(served: Served) -> None:
    (bare,) = table(served, "unpriced")
    opened = begin(served, "prices", "price-set", [bare], of="unpriced")
    assert opened["title"] == {"children": "Set a price"}
    assert opened["field", "model"] == {"value": "our-llama"}
    assert opened["field", "from"] == {"value": "2026-11-18"}
    edited = opened["edited"]["data"]
    refused = press(served, SAID, edited, None)
    assert "preview it again" in problems(refused)[""]
    seen = preview(served, SAID, edited)
    assert seen[ids.PRICE_CHANGES]["children"].startswith(
        "Price calls without a price. 2 calls: – → $3.00. Calls with a reported cost stay as"
    )
    assert [one["events"] for one in seen[ids.PRICE_PROJECTS]["rowData"]] == [1, 1]
    assert seen["save"] == {"disabled": False}
    previewed = seen["previewed"]["data"]
    refused = press(served, SAID | {"input": "20"}, edited, previewed)
    assert "preview it again" in problems(refused)[""]
    assert served.json("prices")["prices"] == []
    kept = press(served, SAID, edited, previewed)
    assert kept["drawer"] == {"is_open": False}
    assert served.json("prices")["unpriced"] == []
    assert [one["events"] for one in served.json("repricings")["repricings"]] == [2]


def test_a_preview_is_old_as_soon_as_a_field_changes(served: Served) -> None:
    def changed(part: str) -> Any:
        wild = {"field": ("input",), "choice": ("kind",)}
        output = '"part":"save","resource":"prices"}.disabled@'
        return answered(served.fire(output, ADMIN, {}, part, wild))

    typed = changed('{"field":"input","resource":"prices"}.value')
    save_key = '{"of":"form","part":"save","resource":"prices"}'
    assert typed == {save_key: {"disabled": True}}
    opened = changed('{"part":"edited","resource":"prices"}.data')
    assert opened[save_key] == {"disabled": True}
    assert opened[ids.PRICE_CHANGES] == {"children": ""}


def test_what_failed_after_the_price_was_kept_is_applied_again(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = preview(served, SAID, EDITED)
    with monkeypatch.context() as broken:

        def fail(*_: Any) -> None:
            raise StoreError("the disk is full")

        broken.setattr(price_form, "reprice", fail)
        parts = press(served, SAID, EDITED, seen["previewed"]["data"])
    assert problems(parts)[""] == "the disk is full"
    assert "drawer" not in parts
    (kept,) = served.json("prices")["prices"]
    again = parts["edited"]["data"], parts["previewed"]["data"]
    assert again[0]["number"] == kept["id"]
    assert press(served, SAID, *again)["drawer"] == {"is_open": False}
    assert [one["id"] for one in served.json("prices")["prices"]] == [kept["id"]]
    assert served.json("prices")["unpriced"] == []


# --- the public book


def looked_up(served: Served, claims: Claims = ADMIN, **said: str) -> Any:
    return fill(served, "public", claims, **said)


def test_the_public_price_of_a_model_is_looked_up(served: Served) -> None:
    parts = looked_up(served, model="gpt-4o", provider="openai", at="2026-11-01")
    sentence = parts["note"]["children"]
    assert sentence.startswith("openai / gpt-4o on 01 Nov 2026: $2.50 in · $1.25 cached · ")
    assert sentence.endswith(f"; public price, {INSTALLED}.")
    rows = parts["table"]["rowData"]
    exact = next(one for one in rows if (one["provider"], one["model"]) == ("openai", "gpt-4o"))
    assert (exact["input_text"], exact["input"]) == ("$2.50", 2.5)
    post(served, model="gpt-4*", **{"from": "2026-11-02"}, input="1", output="2")
    before, after = (looked_up(served, model="gpt-4o", provider="openai", at=day)
                     ["note"]["children"]
                     for day in ("2026-11-01", "2026-11-02"))  # fmt: skip
    assert before == sentence
    assert "$1.00 in" in after
    assert "own price of “gpt-4*” from 2026-11-02 ($1.00 in · $2.00 out)" in after
    assert looked_up(served, model="nobody's")["note"]["children"].endswith(
        "its calls are unpriced."
    )


def test_the_public_book_is_searched(served: Served) -> None:
    parts = looked_up(served)
    assert len(parts["table"]["rowData"]) == MOST
    assert "more words narrow it" in parts["state"]["children"]
    assert looked_up(served, model="no such")["card"] == {"data-state": "empty"}
    assert looked_up(served, at="soon")["state"]["children"].startswith("'soon' is no")
    answer = served.json("prices/public", model="gpt-4o", provider="openai", at="2026-11-01")
    assert answer["price"]["rates"]["input"] == "2.5"
    assert (answer["price"]["source"], answer["release"]) == (INSTALLED, INSTALLED)
    assert served.get("prices/public", at="soon").status_code == 400
    assert looked_up(served, model="gpt-4o")["table"]["rowData"]
    for claims in (LEADER, ANA):
        assert served.get("prices/public", claims).status_code == 403
        refused = looked_up(served, claims, model="gpt-4o")
        assert refused["table"]["rowData"] == []
        assert "administrators" in refused["state"]["children"]


def test_a_price_is_edited_and_history_follows(served: Served) -> None:
    number = post(served)["id"]
    post(served, "repricings", what="unpriced")
    opened = begin(served, "prices", "price-edit", [{"id": number}])
    assert opened["field", "input"] == {"value": "2"}
    edited = opened["edited"]["data"]
    said = SAID | {"input": "4", "what": "history", "since": "2026-11-19"}
    seen = preview(served, said, edited)
    assert "1 call: $1.00 → $2.00." in seen[ids.PRICE_CHANGES]["children"]
    assert problems(press(served, said, edited, seen["previewed"]["data"])) == {}
    assert served.json(f"prices/{number}")["input"] == "4"
    assert [one["after"] for one in served.json("repricings")["repricings"]] == [2, 3]


def test_history_alone_and_a_price_alone(served: Served) -> None:
    opened = begin(served, "prices", "price-history", of="repricings")
    assert opened["title"] == {"children": "Re-price history"}
    assert opened["choice", "kind"]["value"] == ""
    edited = opened["edited"]["data"]
    refused = preview(served, {"what": "history"}, edited)
    assert "from a day on" in refused["problem"]["since"]
    said = {"what": "history", "since": "2026-01-01", "until": "2025-01-01"}
    refused = preview(served, said, edited)
    assert "before the start" in refused["problem"]["until"]
    seen = preview(served, said | {"until": ""}, edited)
    assert seen[ids.PRICE_CHANGES]["children"] == "No stored call changes: 0 events."
    only = SAID | {"what": "nothing"}
    seen = preview(served, only, EDITED)
    assert "from now on" in seen[ids.PRICE_CHANGES]["children"]
    assert problems(press(served, only, EDITED, seen["previewed"]["data"])) == {}
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
    parts = preview(served, SAID | said, EDITED)
    shown = parts["problem"]
    assert set(shown) == {*FIELDS, ""}
    assert sentence in shown.pop(field)
    assert set(shown.values()) == {""}
    assert parts["save"] == {"disabled": True}


def test_the_fields_are_those_of_the_kind_of_price(served: Served) -> None:
    def shapes(kind: str, what: str) -> set[str]:
        parts = shape(served, "prices", kind=kind, what=what)
        return {name for name in FIELDS if not parts["box", name]["hidden"]}

    entry = {"model", "provider", "service_tier", "from", "kind", "note", "what"}
    rates = {*RATES}
    assert shapes("rates", "unpriced") == entry | rates
    assert shapes("alias", "nothing") == entry | {"alias", "discount"}
    assert shapes("public", "history") == entry | {"discount", "since", "until"}
    assert shapes("", "history") == {"what", "since", "until"}


def test_deleting_and_undoing_ask_first(served: Served) -> None:
    post(served)
    made = post(served, "repricings", what="unpriced")
    (row,) = table(served, "repricings")
    parts = click(served, "repricings", "price-undo", row)
    assert "2 calls get back what they cost before" in parts["confirm"]["message"]
    for who in (LEADER, ANA):
        refused = confirm(served, "repricings", "price-undo", row, who)
        assert refused["problem"]["children"] == "prices are for platform administrators"
    assert served.json("repricings")["repricings"][0]["reverted_at"] is None
    confirm(served, "repricings", "price-undo", row)
    (left,) = served.json("repricings")["repricings"]
    assert (left["id"], left["reverted_by"]) == (made["id"], "root")
    (undone,) = table(served, "repricings")
    assert choose(served, "repricings", [undone])["price-undo"] == {
        "disabled": True, "hidden": False,
    }  # fmt: skip
    (kept,) = table(served, "prices")
    confirm(served, "prices", "price-delete", kept, LEADER)
    assert len(served.json("prices")["prices"]) == 1
    assert "changed" in confirm(served, "prices", "price-delete", kept)
    assert served.json("prices")["prices"] == []
    for forged in ("x", None, True, 10**30):
        parts = confirm(served, "prices", "price-delete", {"id": forged})
        assert parts["problem"]["children"]


@pytest.mark.parametrize("claims", [LEADER, ANA])
def test_the_page_is_there_for_administrators_alone(served: Served, claims: Claims) -> None:
    for who, hidden in ((ADMIN, False), (claims, True)):
        assert ("section-unpriced" in body(served, "prices", who)) is not hidden
        assert link(served, "prices", who) is hidden
    post(served, model="another-llama", **{"from": "2026-01-01", "input": "2", "output": "4"})
    for key, state in (("unpriced", "ready"), ("prices", "ready"), ("repricings", "empty"),
                       ("releases", "ready")):  # fmt: skip
        shown = fill(served, key)
        assert shown["card"] == {"data-state": state}
        assert bool(shown["table"]["rowData"]) is (state == "ready")
        parts = fill(served, key, claims)
        assert parts["table"]["rowData"] == []
        assert parts["card"] == {"data-state": "failed"}
    sentence = "prices are for platform administrators"
    assert preview(served, SAID, EDITED, claims)["problem"][""] == sentence
    parts = preview(served, SAID, EDITED)
    pressed = press(served, SAID, EDITED, parts["previewed"]["data"], claims)
    assert problems(pressed)[""] == sentence
    row = {"id": post(served)["id"]}
    begin(served, "prices", "price-edit", [row], claims, status=403)
    assert len(served.json("prices")["prices"]) == 2
    assert served.json("repricings")["repricings"] == []
