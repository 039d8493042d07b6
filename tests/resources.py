"""What a browser does on the page of a settings resource, in the words of the tests."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from components import ids
from tests.serving import ADMIN, Claims, Served

Parts = dict[Any, Any]
RECORD: Final = '"part":"record","resource":["MATCH"]}.data'


def fill(served: Served, key: str, claims: Claims = ADMIN, zone: str = "UTC", **find: Any) -> Parts:
    """What the card of a resource shows, by part: `table`, `state`, `card`, `note`, `place` …"""
    values = {f"{name}.value": value for name, value in find.items()}
    return _fire(served, key, '"part":"table","resource":["MATCH"]}.rowData', claims,
                 values | {f"{ids.ZONE}.data": zone}, ids.resource("table", key), "id",
                 find=tuple(find))  # fmt: skip


def turn(
    served: Served, key: str, which: str, offset: Any, claims: Claims = ADMIN, **find: Any
) -> Parts:
    """The same after a turn of the page, `newer` or `older`."""
    values = {"offset.data": offset, f"{which}.n_clicks": 1, f"{ids.ZONE}.data": "UTC"}
    values |= {f"{name}.value": value for name, value in find.items()}
    return _fire(served, key, '"part":"table","resource":["MATCH"]}.rowData', claims, values,
                 ids.resource(which, key), "n_clicks", find=tuple(find))  # fmt: skip


def choose(served: Served, key: str, selected: Any, claims: Claims = ADMIN) -> Parts:
    """What the choice of a row shows: `detail`, and the buttons by their keys."""
    return _fire(served, key, '"part":"detail","resource":["MATCH"]}.children...', claims,
                 {"table.selectedRows": selected}, ids.resource("table", key), "selectedRows",
                 )  # fmt: skip


def press(served: Served, key: str, button: str, row: Any = None, claims: Claims = ADMIN) -> Parts:
    """What a button does: `confirm` asks, `changed` or `problem` tell how it went."""
    values = {f"{button}.n_clicks": 1, "table.selectedRows": row and [row]}
    return _act(served, key, claims, values, ids.resource_button(button, key), "n_clicks")


def confirm(served: Served, key: str, button: str, row: Any, claims: Claims = ADMIN) -> Parts:
    """The same after the question was answered with yes."""
    values = {"confirm.submit_n_clicks": 1, "pending.data": button, "table.selectedRows": [row]}
    return _act(served, key, claims, values, ids.resource("confirm", key), "submit_n_clicks")


def begin(
    served: Served, key: str, button: str, rows: Any = None, claims: Claims = ADMIN,
    of: str = "", zone: str = "UTC", status: int = 200,
) -> Parts:  # fmt: skip
    """The form of a resource as it opens by a button, of the card `of` where it is another's."""
    values = {f"{button}.n_clicks": 1, "table.selectedRows": rows, f"{ids.ZONE}.data": zone}
    return _fire(served, key, '"part":"title","resource":["ALL"]}.children', claims, values,
                 ids.resource_button(button, of or key), "n_clicks",
                 status, button=(button,), **{"resource*": tuple({key, of or key})})  # fmt: skip


def save(
    served: Served, key: str, values: Mapping[str, Any], edited: Any = None,
    claims: Claims = ADMIN, previewed: Any = None,
) -> Parts:  # fmt: skip
    """What the form says of an attempt to save it: `problem` by field, `changed`, `secret` …"""
    typed = {f"{name}.value": value for name, value in values.items()}
    sent = typed | {"form.n_clicks": 1, "edited.data": edited, "previewed.data": previewed}
    return _fire(served, key, '"part":"drawer","resource":["MATCH"]}.is_open', claims, sent,
                 ids.resource_extra("save", key), "n_clicks")  # fmt: skip


def retype(
    served: Served, key: str, held: Mapping[str, Any], changed: Iterable[str], claims: Claims
) -> Parts:
    """What a form that saves itself does when some of its fields, which hold this, were changed."""
    values = {f"{name}.value": value for name, value in held.items()}
    names = [f"{ids.dom(ids.resource_field('live', one, key))}.value" for one in changed]
    return sent_back(served.fire(RECORD, claims, values, names[0], wild(served, key)))


def problems(parts: Parts) -> dict[str, str]:
    """The sentences of a form, by field."""
    return {key[1]: one["children"] for key, one in parts.items()
            if key[0] in ("problem", "wrong") and one.get("children")}  # fmt: skip


def shape(served: Served, key: str, claims: Claims = ADMIN, **choices: str) -> Parts:
    """Which fields a form shows for these choices, and what it offers."""
    values = {f"{name}.value": value for name, value in choices.items()}
    return _fire(served, key, '{"box":["ALL"],"resource":["MATCH"]}.hidden', claims, values,
                 ids.resource("table", key), "id", choice=tuple(choices))  # fmt: skip


def link(served: Served, page: str, claims: Claims) -> bool:
    """Whether the link to a page is hidden."""
    answer = served.fire('{"nav":["ALL"]}.hidden', claims, {"url.pathname": "/"}, "url.pathname",
                         {"nav": (page,)})  # fmt: skip
    return bool(answer.json["response"][ids.dom(ids.nav(page))]["hidden"])  # type: ignore[index]


def body(served: Served, page: str, claims: Claims) -> str:
    """The page at an address of the settings."""
    place = {"url.pathname": f"/settings/{page}"}
    return served.fire("page-title", claims, place, "url.pathname").text


def _act(
    served: Served, key: str, claims: Claims, values: Parts, changed: ids.Id, prop: str
) -> Parts:
    output = '"part":"confirm","resource":["MATCH"]}.displayed'
    return _fire(served, key, output, claims, values, changed, prop)


def _fire(
    served: Served, key: str, output: str, claims: Claims, values: Parts, changed: ids.Id,
    prop: str, status: int = 200, **more: Any,
) -> Parts:  # fmt: skip
    changed_prop = f"{ids.dom(changed)}.{prop}"
    answer = served.fire(output, claims, values, changed_prop, wild(served, key) | more)
    return sent_back(answer, status)


def sent_back(answer: TestResponse, status: int = 200) -> Parts:
    """The parts that a callback wrote, by name."""
    assert answer.status_code in (status, 204), answer.text
    parts = answer.json["response"] if answer.status_code == 200 else {}  # type: ignore[index]
    return {_name(json.loads(name)): props for name, props in parts.items()}


def _name(key: dict[str, str]) -> Any:
    """A part by its name; a field's by what it is and the field, a button's by its key."""
    if "part" in key:
        return key["part"]
    what = next(name for name in key if name != "resource")
    return key[what] if what == "button" else (what, key[what])


def wild(served: Served, key: str) -> Parts:
    """What MATCH and ALL stand for in the card of a resource."""
    return {"resource": key, "of": ("form",)} | _drawn(served, key)


def _drawn(served: Served, key: str) -> Parts:
    """The names of fields and buttons that the card of a resource has."""
    one = served.resource(key).card
    fields = one.form.fields if one.form else ()
    texts = tuple(each.name for each in fields if each.kind != "choice")
    every = tuple(each.name for each in fields)
    return {
        "field": texts, "choice": tuple(name for name in every if name not in texts),
        "live": every if one.form and not one.form.save else (),
        "entry": every if one.form and one.form.save else (),
        "wrong": (*every, "") if one.form else (),
        "box": every, "label": every, "problem": (*every, "") if one.form else (),
        "offered": tuple(each.name for each in fields if each.suggests),
        "button": tuple(each.key for each in one.buttons),
        "find": tuple(each.name for each in one.search),
    }  # fmt: skip


def change_own(served: Served, client: FlaskClient, **typed: str) -> dict[str, str]:
    """What the card of the profile says of an attempt, by field, or as `saved`."""
    client.get("/settings/profile", headers={"Accept": "text/html"})
    cookie = client.get_cookie("_csrf_token")
    assert cookie
    values = {f"{name}.value": value for name, value in typed.items()} | {"form.n_clicks": 1}
    clicked = f"{ids.dom(ids.resource_extra('submit', 'password'))}.n_clicks"
    sent = served.request_of(RECORD, values, clicked, wild(served, "password"))
    answer = client.post(
        "/_dash-update-component", json=sent, headers={"X-CSRFToken": cookie.value}
    )
    parts = sent_back(answer)
    saved = {"saved": parts["saved"]["children"]} if "saved" in parts else {}
    return {name: one for name, one in (problems(parts) | saved).items() if one}
