"""A settings resource is a declaration: page, link, table, form, confirmation and addresses follow
from it, and no callback is registered for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import pytest

from callbacks.settings.pages import PAGES
from callbacks.settings.resource import (
    Context,
    FieldState,
    Found,
    Opening,
    Page,
    Resource,
    Route,
    Values,
    by_key,
)
from components import ids
from components.settings.resource import Button, Card, Column, Field, Form, Row
from data.access.scope import Scope
from data.errors import Forbidden, Refused, Unknown
from data.query.units import COUNT, DASH, INSTANT, USD
from tests.resources import (
    begin,
    body,
    choose,
    confirm,
    fill,
    link,
    press,
    problems,
    save,
    shape,
)
from tests.serving import ADMIN, Claims, Served, serving

OTHERS: Final[tuple[Claims, ...]] = ({"sub": "ana"}, {"sub": "lena", "applications_admin": "web"})
# link, chart or table, changes, table, selection, buttons, opening, shape, saving, saving itself,
# and what a browser does by preferences
WIRES: Final = 10
WORDS: Final = ('"resource":["', '"nav"', ids.SETTINGS_CHANGED)
LARGE: Final = "a plant takes at most 64 KB"
CARD: Final = Card(
    "plants", "plant", "Plants", "What grows on the sill.",
    columns=(Column("name", "Name", 150, of=lambda one: one[1]),),
    empty="Nothing grows here yet.",
    buttons=(
        Button("plant-new", "New plant", "new"),
        Button("plant-edit", "Edit", "edit", needs=bool, title="Edit plant"),
        Button("plant-remove", "Remove", "remove", needs=lambda row: not row["old"],
               confirm=lambda row: f"Remove “{row['name']}”?"),
        Button("plant-water", "Water", needs=bool),
    ),
    form=Form(
        fields=(
            Field("name", "Name"),
            Field("kind", "Kind", "choice", options={"tree": "Tree", "herb": "Herb"},
                  initial="herb"),
            Field("pot", "Pot", when={"kind": ("herb",)}, suggests=True),
        ),
        save="Save", save_key="plant-save", drawer=True,
    ),
    search=(Field("like", "Named like"),),
)  # fmt: skip


@dataclass
class Plants:
    """Where they are kept: numbers and names."""

    held: dict[int, str] = field(default_factory=lambda: {1: "fern", 2: "oak"})

    def read(self, context: Context) -> Found[tuple[int, str]]:
        like = context.search.get("like", "")
        found = [one for one in sorted(self.held.items()) if like in one[1]]
        return Found(found, note=f"{len(found)} of them")

    def one(self, _: Context, number: int) -> tuple[int, str]:
        if number not in self.held:
            raise Unknown("plant", "there is no such plant")
        return number, self.held[number]

    def create(self, context: Context, values: Values) -> tuple[int, str]:
        if not values.get("name"):
            raise Refused("name", "give it a name")
        return self.change(context, len(self.held) + 1, values)

    def change(self, _: Context, number: int, values: Values) -> tuple[int, str]:
        self.held[number] = str(values["name"])
        return number, self.held[number]

    def remove(self, context: Context, number: int) -> None:
        del self.held[self.one(context, number)[0]]

    def opening(self, context: Context, button: str, row: Row) -> Opening:
        if button == "plant-new":
            return Opening()
        number, name = self.one(context, CARD.number_of(row))
        return Opening(number, {"name": name, "kind": "tree"})

    def water(self, context: Context, row: Row) -> None:
        number, name = self.one(context, row["id"])
        self.held[number] = f"{name}, wet"


def allow(scope: Scope) -> None:
    if not scope.manages_platform:
        raise Forbidden("plants are for gardeners")


def plants(kept: Plants) -> Resource[tuple[int, str]]:
    return Resource(
        CARD, allow=allow, read=kept.read, one=kept.one, create=kept.create, change=kept.change,
        remove=kept.remove, actions={"plant-water": kept.water}, opening=kept.opening,
        row=lambda one, zone: {"id": one[0], "old": one[1] == "oak"},
        fields=lambda _, values: {"pot": FieldState(f"A pot for a {values['kind']}",
                                                    [("p1", "Clay")])},
        detail=lambda _, row: f"{row['name']} is green",
        route=Route("/api/v1/plants", "plants", lambda one: {"id": one[0], "name": one[1]}),
    )  # fmt: skip


@pytest.fixture
def kept() -> Plants:
    return Plants()


@pytest.fixture
def served(tmp_path: Path, kept: Plants) -> Iterator[Served]:
    garden = Page("garden", "Garden", (plants(kept),))
    with serving(tmp_path, pages=(*PAGES, garden)) as one:
        yield one


def wires(served: Served) -> list[str]:
    asked = served.client.get("/_dash-dependencies", headers=served.headers(ADMIN))
    assert asked.json
    return [one["output"] for one in asked.json]


def test_more_resources_need_no_more_callbacks(tmp_path: Path, served: Served) -> None:
    with serving(tmp_path / "few", pages=()) as few:
        bare = wires(few)
    assert wires(served) == bare
    assert len([one for one in bare if any(word in one for word in WORDS)]) == WIRES


def test_a_page_and_its_link_are_there_for_whom_they_are(served: Served) -> None:
    assert '"data-testid":"section-plants"' in body(served, "garden", ADMIN)
    assert link(served, "garden", ADMIN) is False
    for claims in OTHERS:
        assert "There is no such page" in body(served, "garden", claims)
        assert link(served, "garden", claims) is True


def test_the_table_is_filled_narrowed_and_says_when_it_is_empty(
    served: Served, kept: Plants
) -> None:
    parts = fill(served, "plants")
    assert [row["name"] for row in parts["table"]["rowData"]] == ["fern", "oak"]
    assert (parts["card"]["data-state"], parts["note"]["children"]) == ("ready", "2 of them")
    narrowed = fill(served, "plants", like="oa")
    assert [row["name"] for row in narrowed["table"]["rowData"]] == ["oak"]
    kept.held.clear()
    parts = fill(served, "plants")
    assert (parts["card"]["data-state"], parts["state"]["children"]) == (
        "empty", "Nothing grows here yet.",
    )  # fmt: skip


def test_the_buttons_are_those_of_the_chosen_row(served: Served) -> None:
    young, old = fill(served, "plants")["table"]["rowData"]
    for rows, usable in (([], [True, False, False, False]), ([young], [True] * 4),
                         ([old], [True, True, False, True])):  # fmt: skip
        parts = choose(served, "plants", rows)
        assert [not parts[one.key]["disabled"] for one in CARD.buttons] == usable
    assert choose(served, "plants", [young])["detail"]["children"] == "fern is green"


def test_a_form_opens_saves_and_says_what_is_wrong_beside_the_field(
    served: Served, kept: Plants
) -> None:
    opened = begin(served, "plants", "plant-new")
    assert opened["title"]["children"] == "New plant"
    assert opened["choice", "kind"]["value"] == "herb"
    edited = opened["edited"]["data"]
    refused = save(served, "plants", {"name": "", "kind": "herb"}, edited)
    assert problems(refused) == {"name": "give it a name"}
    done = save(served, "plants", {"name": "moss", "kind": "herb"}, edited)
    assert (problems(done), done["drawer"]["is_open"]) == ({}, False)
    assert kept.held[3] == "moss"
    row = fill(served, "plants")["table"]["rowData"][0]
    opened = begin(served, "plants", "plant-edit", [row])
    assert (opened["title"]["children"], opened["field", "name"]["value"]) == ("Edit plant", "fern")
    save(served, "plants", {"name": "fern!", "kind": "herb"}, opened["edited"]["data"])
    assert kept.held[1] == "fern!"


def test_a_form_has_the_fields_of_its_choices(served: Served) -> None:
    parts = shape(served, "plants", kind="tree")
    assert (parts["box", "pot"]["hidden"], parts["label", "pot"]["children"]) == (
        True, "A pot for a tree",
    )  # fmt: skip
    assert parts["offered", "pot"]["children"][0]["props"]["value"] == "p1"
    assert shape(served, "plants", kind="herb")["box", "pot"]["hidden"] is False


def test_removing_asks_first_and_a_plain_action_does_not(served: Served, kept: Plants) -> None:
    row = fill(served, "plants")["table"]["rowData"][0]
    asked = press(served, "plants", "plant-remove", row)
    assert asked["confirm"] == {"displayed": True, "message": "Remove “fern”?"}
    assert 1 in kept.held
    assert "data" in confirm(served, "plants", asked["pending"]["data"], row)["changed"]
    assert 1 not in kept.held
    assert "data" in press(served, "plants", "plant-water", {"id": 2})["changed"]
    assert kept.held[2] == "oak, wet"


@pytest.mark.parametrize("row", [{}, {"id": "1"}, {"id": True}, {"id": 9}, {"id": [1]}, 7, "x"])
def test_a_forged_row_is_answered_with_a_sentence_and_changes_nothing(
    served: Served, kept: Plants, row: Any
) -> None:
    before = dict(kept.held)
    assert choose(served, "plants", [row])["plant-remove"]["disabled"] is True
    assert choose(served, "plants", [row])["detail"]["children"] == ""
    for told in (press(served, "plants", "plant-remove", row),
                 confirm(served, "plants", "plant-remove", row)):  # fmt: skip
        assert "changed" not in told
    assert problems(save(served, "plants", {"name": "x"}, {"number": "1"}))
    assert "no" in refused(served, "plant-edit", row).split()
    assert kept.held == before


def refused(served: Served, button: str, row: Any) -> str:
    """What is said of a form that is opened for a row which is none."""
    values = {f"{button}.n_clicks": 1, "table.selectedRows": [row]}
    answer = served.fire(
        '"part":"title","resource":["ALL"]}.children', ADMIN, values,
        f'{{"button":"{button}","resource":"plants"}}.n_clicks',
        {"resource": "plants", "button": (button,)},
    )  # fmt: skip
    assert answer.status_code in (400, 404)
    return str(answer.json["error"]["message"])  # type: ignore[index]


def test_a_table_that_nobody_declared_is_refused(served: Served) -> None:
    answer = served.fire('"part":"table","resource":["MATCH"]}.rowData', ADMIN, {},
                         '{"part":"table","resource":"x"}.id', {"resource": "x"})  # fmt: skip
    assert answer.status_code == 404
    assert answer.json["error"]["message"] == "there is no such table"  # type: ignore[index]


@pytest.mark.parametrize("claims", OTHERS)
def test_every_door_asks_for_the_same_right(served: Served, kept: Plants, claims: Claims) -> None:
    before = dict(kept.held)
    parts = fill(served, "plants", claims)
    assert (parts["table"]["rowData"], parts["card"]["data-state"]) == ([], "failed")
    row = {"id": 1, "name": "fern", "old": False}
    sentence = "plants are for gardeners"
    assert choose(served, "plants", [row], claims)["detail"]["children"] == sentence
    assert press(served, "plants", "plant-water", row, claims)["problem"]["children"] == sentence
    gone = confirm(served, "plants", "plant-remove", row, claims)
    assert gone["problem"]["children"] == sentence
    assert problems(save(served, "plants", {"name": "x"}, claims=claims)) == {"": sentence}
    for method, path in (("get", ""), ("get", "/1"), ("post", ""), ("put", "/1"),
                         ("delete", "/1")):  # fmt: skip
        answer = getattr(served.client, method)(
            f"/api/v1/plants{path}", json={"name": "x"}, headers=served.headers(claims)
        )
        assert (answer.status_code, answer.json["error"]["message"]) == (403, sentence)
    assert kept.held == before


def test_its_addresses_follow_from_its_route(served: Served, kept: Plants) -> None:
    def ask(method: str, path: str = "", **sent: Any) -> Any:
        return served.ask(method, f"plants{path}", **sent)

    assert served.json("plants")["plants"] == [{"id": 1, "name": "fern"}, {"id": 2, "name": "oak"}]
    made = ask("post", json={"name": "moss"})
    assert (made.status_code, made.json) == (201, {"id": 3, "name": "moss"})
    assert ask("put", "/3", json={"name": "ivy"}).json == {"id": 3, "name": "ivy"}
    assert served.json("plants/3")["name"] == "ivy"
    assert (ask("delete", "/3").status_code, ask("delete", "/3").status_code) == (204, 404)
    wanted = "send an object with the fields of a plant"
    for sent, sentence in ((b"[]", wanted), (b"{", wanted), (b" " * 66_000, LARGE)):
        answer = ask("post", data=sent)
        assert (answer.status_code, answer.json["error"]["message"]) == (400, sentence)
    assert ask("get", "?colour=red").status_code == 400
    assert served.client.get("/api/v1/plants").status_code == 401


def test_a_form_may_open_in_its_own_way(tmp_path: Path, kept: Plants) -> None:
    from dataclasses import replace

    def opening(_: Context, button: str, row: Row) -> Opening:
        return Opening(7, {"name": f"{button}!"}, {"kind": {"vine": "Vine"}})

    own = replace(plants(kept), opening=opening)
    with serving(tmp_path, pages=(Page("garden", "Garden", (own,)),)) as served:
        opened = begin(served, "plants", "plant-new")
    assert (opened["title"]["children"], opened["field", "name"]["value"]) == (
        "New plant",
        "plant-new!",
    )
    assert opened["choice", "kind"]["options"] == [{"value": "vine", "label": "Vine"}]
    assert opened["edited"]["data"] == {"number": 7}


@pytest.mark.parametrize(("column", "value", "text"), [
    (Column("name", "Name"), "fern", "fern"),
    (Column("note", "Note"), DASH, DASH),
    (Column("note", "Note", blank="any"), "any", "any"),
    (Column("cost", "Cost", unit=USD), 1.25, "$1.25"),
    (Column("at", "When", unit=INSTANT), 0, "1 Jan 1970 01:00"),
    (Column("gone", "Gone", unit=INSTANT, blank="never"), None, "never"),
    (Column("size", "Size", unit=COUNT, of=lambda one: len(one.name) * 1_000), 4_000, "4,000"),
])  # fmt: skip
def test_a_column_reads_a_record_in_its_unit(column: Column, value: Any, text: str) -> None:
    record = SimpleNamespace(name="fern", note="", cost=1_250_000_000, at=0, gone=None)
    field = column.field
    assert column.cell(record, "Europe/Berlin") == {field: value, f"{field}_text": text}


def test_two_resources_cannot_have_one_key(kept: Plants) -> None:
    page = Page("garden", "Garden", (plants(kept), plants(kept)))
    with pytest.raises(ValueError, match="one key"):
        by_key((page,))
