"""One set of callbacks for every settings resource: link, table, selection, buttons, form.

Which one is meant is the `resource` of the id that matched. The browser calls nothing whose first
output is nowhere on the page: so the first is a part of every card, or one of those with a form
where it is about that. What a browser says of a selection, a
record or a button may be anything: it is answered with a sentence, or not at all.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final, TypeVar
from urllib.parse import urlencode
from uuid import uuid4

from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, html, no_update
from dash.exceptions import PreventUpdate

from callbacks.access.session import current_scope
from callbacks.settings.resource import (
    Context,
    Found,
    HalfSaved,
    Opening,
    Page,
    Resource,
    Stores,
    by_key,
    context,
)
from components import ids
from components.settings.resource import Button, Card, Row, options
from data.access.scope import Scope
from data.errors import Forbidden, Refused, SpendscopeError, Unknown

A = TypeVar("A")
log = logging.getLogger("spendscope")
FURTHEST: Final = 10**9
AGAIN: Final = "something was changed since the preview: preview it again"
# What a function of a row raises for a row that its table never had.
FORGED: Final = (KeyError, TypeError, ValueError, AttributeError, IndexError)
Known = Callable[[Any], Resource[Any]]
Wired = list[dict[str, Any]]


def register(app: Dash, stores: Stores, pages: tuple[Page, ...]) -> None:
    """All of them."""
    resources = by_key(pages)

    def known(key: Any) -> Resource[Any]:
        found = resources.get(str(key.get("resource"))) if isinstance(key, dict) else None
        if found is None:
            raise Unknown("resource", "there is no such table")
        return found

    _links(app, pages)
    _changed(app)
    _modes(app)
    _filling(app, stores, known)
    _choosing(app, stores, known)
    _acting(app, stores, known)
    _opening(app, stores, resources)
    _shaping(app, stores, known)
    _saving(app, stores, known)


# --- the link and the table


def _links(app: Dash, pages: tuple[Page, ...]) -> None:
    for_some = {one.key: one for one in pages}

    @app.callback(Output(ids.nav(ALL), "hidden"), Input(ids.URL, "pathname"))
    def link(_: Any) -> list[bool]:
        scope, wanted = current_scope(), [one["id"]["nav"] for one in ctx.outputs_list]
        return [key in for_some and not for_some[key].is_for(scope) for key in wanted]


def _changed(app: Dash) -> None:
    """A change of one resource is a change to all: by an id of its own, as MATCH would have only
    the tables follow that are of the resource which changed."""
    app.clientside_callback(
        ClientsideFunction("page", "latest"),
        Output(ids.SETTINGS_CHANGED, "data"),
        Input(ids.resource("changed", ALL), "data"),
        prevent_initial_call=True,
    )


def _modes(app: Dash) -> None:
    """Chart or table, by what serves every section (assets/page.js); the wires are their own, as
    those of the sections take a card with all that a section has."""
    chart, table = (
        partial(ids.resource_extra, name, of=ALL) for name in ("mode-chart", "mode-table")
    )
    app.clientside_callback(
        ClientsideFunction("page", "choose"),
        Output(ids.MODES, "data", allow_duplicate=True),
        Input(chart(ALL), "n_clicks"),
        Input(table(ALL), "n_clicks"),
        State(ids.ALL_MODES, "n_clicks"),
        State(ids.MODES, "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("page", "showCard"),
        Output(ids.resource("card"), "data-mode"),
        Output(chart(), "aria-pressed"),
        Output(table(), "aria-pressed"),
        Input(ids.MODES, "data"),
        Input(chart(), "id"),
    )


def _filling(app: Dash, stores: Stores, known: Known) -> None:
    part, extra = ids.resource, ids.resource_extra

    @app.callback(
        output={
            "rows": Output(part("table"), "rowData"),
            "selected": Output(part("table"), "selectedRows"),
            "said": Output(part("state"), "children"),
            "state": Output(part("card"), "data-state"),
            "note": Output(part("note"), "children"),
            "place": Output(part("place"), "children"),
            "offset": Output(part("offset"), "data"),
            "newer": Output(part("newer"), "disabled"),
            "older": Output(part("older"), "disabled"),
            "figure": Output(extra("chart", of=ALL), "figure"),
            # Of what is around the chart: one that is drawn anew itself forgets that it was drawn.
            "style": Output(extra("frame", of=ALL), "style"),
            "file": Output(extra("file", of=ALL), "href"),
        },
        inputs={
            "key": Input(part("table"), "id"),
            "_changed": Input(ids.SETTINGS_CHANGED, "data"),
            "_turned": (Input(part("newer"), "n_clicks"), Input(part("older"), "n_clicks")),
            "_retried": Input(extra("retry", of=ALL), "n_clicks"),
            "search": Input(ids.resource_find(), "value"),
        },
        state={
            "names": State(ids.resource_find(), "id"),
            "offset": State(part("offset"), "data"),
            "zone": State(ids.ZONE, "data"),
        },
    )
    def fill(key: Any, search: Any, names: Any, offset: Any, zone: Any, **_: Any) -> dict[str, Any]:
        resource, size = known(key), known(key).card.page_size
        words = {name: str(one) for name, one in named(names, search, "find").items()
                 if one is not None}  # fmt: skip
        start = _start(offset, size)
        asking = context(stores, zone, limit=size or None, offset=start, search=words)
        wired, shown = ctx.outputs_grouping, _tried(resource, asking)
        every = {"file": _file(resource.card, words)} | shown
        return shown | {
            name: [every.get(name, no_update) for _ in wired[name]]
            for name in ("figure", "style", "file")
        }


def _tried(resource: Resource[Any], asking: Context) -> dict[str, Any]:
    """What the card shows; one that fails says so, and leaves its neighbour alone."""
    size = resource.card.page_size
    try:
        resource.allow(asking.scope)
        found, start = _read(resource, asking)
        rows = resource.shown(asking, found.records)
        drawn = found.draw(rows) if found.draw else (no_update, no_update)
    except SpendscopeError as error:
        return _shown([], str(error), "failed", Found([]), 0, size)
    except Exception:
        number = uuid4().hex[:8]
        log.exception("request %s failed", number)
        broken = f"Something broke here (request {number})."
        return _shown([], broken, "failed", Found([]), 0, size)
    state, said = ("ready", found.said) if rows else ("empty", found.said or resource.card.empty)
    told = _shown(rows, said, state, found, start, size)
    return told | {"figure": drawn[0], "style": drawn[1]}


def _file(card: Card, words: Mapping[str, str]) -> str:
    """The address of the rows that are searched for, as a file."""
    initial = {one.name: one.initial for one in card.search}
    query = urlencode({name: one for name, one in words.items() if one != initial.get(name)})
    return f"{card.file}?{query}" if query else card.file


def _read(resource: Resource[Any], asking: Context) -> tuple[Found[Any], int]:
    """The records and where they begin: on the last page where the wanted one is beyond it."""
    found = resource.read(asking)
    if found.records or not (found.count and asking.offset and asking.limit):
        return found, asking.offset
    last = (found.count - 1) // asking.limit * asking.limit
    return resource.read(replace(asking, offset=last)), last


def _shown(
    rows: list[Row], said: str, state: str, found: Found[Any], start: int, size: int
) -> dict[str, Any]:
    count = found.count if found.count is not None else len(rows)
    end = start + len(rows)
    place = f"{start + 1}–{end} of {count:,}" if size and rows else ""
    return {
        "rows": rows, "selected": [], "said": said, "state": state, "note": found.note,
        "place": place, "offset": start, "newer": start == 0, "older": end >= count,
    }  # fmt: skip


def _start(offset: Any, size: int) -> int:
    """Where the page begins; whatever else happened than turning, the newest are shown first."""
    turned = ctx.triggered_id.get("part") if isinstance(ctx.triggered_id, dict) else None
    step = {"newer": -size, "older": size}.get(str(turned), 0)
    here = offset if isinstance(offset, int) and 0 <= offset <= FURTHEST else 0
    return max(0, here + step) if step else 0


# --- the chosen row and the buttons


def _choosing(app: Dash, stores: Stores, known: Known) -> None:
    @app.callback(
        output={
            "detail": Output(ids.resource("detail"), "children"),
            "disabled": Output(ids.resource_button(), "disabled"),
            "hidden": Output(ids.resource_button(), "hidden"),
            "edited": Output(ids.resource("edited"), "data"),
            "values": Output(ids.resource_field("field"), "value"),
            "form": Output(ids.resource_extra("form", of=ALL), "hidden"),
        },
        inputs={"selected": Input(ids.resource("table"), "selectedRows")},
        state={"key": State(ids.resource("table"), "id"), "zone": State(ids.ZONE, "data")},
        prevent_initial_call=True,
    )
    def choose(selected: Any, key: Any, zone: Any) -> dict[str, Any]:
        resource, row, asking = known(key), _chosen(selected), context(stores, zone)
        wired = ctx.outputs_grouping
        buttons = [resource.card.button(one["id"].get("button")) for one in wired["disabled"]]
        usable = [
            one is not None and _usable(one, row) and _is_for(resource, one, asking.scope)
            for one in buttons
        ]
        hidden = [bool(one and one.hides and not can)
                  for one, can in zip(buttons, usable, strict=True)]  # fmt: skip
        opened = _followed(resource, asking, row)
        same = not row and resource.told  # it says what became of the one before
        return {
            "detail": no_update if same else _detail(resource, asking, row),
            "disabled": [not can for can in usable], "hidden": hidden,
            "edited": no_update if opened is None else _edited("", opened),
            "values": _spread(wired["values"], "field", None if opened is None else opened.values),
            "form": [no_update if opened is None else opened.fixed for _ in wired["form"]],
        }  # fmt: skip


def _chosen(selected: Any) -> Row:
    """The row that is chosen, if one is."""
    row = selected[0] if isinstance(selected, list) and selected else None
    return row if isinstance(row, dict) else {}


def _usable(button: Button, row: Row) -> bool:
    if button.needs is None:
        return True
    return bool(row) and _of_row(lambda: bool(button.needs and button.needs(row)), False)


def _is_for(resource: Resource[Any], button: Button, scope: Scope) -> bool:
    right = resource.rights.get(button.key)
    return right is None or right(scope)


def _of_row(made: Callable[[], A], forged: A) -> A:
    """What is made of a row, which may be one that its table never had."""
    try:
        return made()
    except FORGED:
        return forged


def _detail(resource: Resource[Any], asking: Context, row: Row) -> str:
    if resource.detail is None or not row:
        return ""
    try:
        resource.allow(asking.scope)
        return resource.detail(asking, row)
    except SpendscopeError as error:
        return str(error)
    except FORGED:
        return ""


def _followed(resource: Resource[Any], asking: Context, row: Row) -> Opening | None:
    """The form that follows the chosen row; of none it cannot be saved."""
    opening, form = resource.opening, resource.card.form
    if opening is None or form is None or not form.follows:
        return None
    nothing = Opening("", values=form.blank, fixed=True)
    return _of_row(lambda: opening(asking, "", row), nothing) if row else nothing


def _acting(app: Dash, stores: Stores, known: Known) -> None:
    part = ids.resource

    @app.callback(
        output={
            "displayed": Output(part("confirm"), "displayed"),
            "message": Output(part("confirm"), "message"),
            "asked": Output(part("asked"), "data"),
            "changed": Output(part("changed"), "data"),
            "problem": Output(part("problem"), "children"),
        },
        inputs={
            "_clicks": Input(ids.resource_button(), "n_clicks"),
            "_confirmed": Input(part("confirm"), "submit_n_clicks"),
        },
        state={
            "key": State(part("table"), "id"),
            "selected": State(part("table"), "selectedRows"),
            "asked": State(part("asked"), "data"),
        },
        prevent_initial_call=True,
    )
    def act(_clicks: Any, _confirmed: Any, key: Any, selected: Any, asked: Any) -> dict[str, Any]:
        resource, row = known(key), _chosen(selected)
        trigger = _clicked()
        sure = trigger.get("part") == "confirm"
        button = resource.card.button(asked if sure else trigger.get("button"))
        if button is None or (button.needs and not row):
            raise PreventUpdate
        same = dict.fromkeys(("displayed", "message", "asked", "changed", "problem"), no_update)
        try:
            if button.confirm and not sure:
                question = _question(resource, button, row)
                return same | {"displayed": True, "message": question, "asked": button.key}
            _run(resource, button, context(stores), row)
        except SpendscopeError as error:
            return same | {"problem": str(error)}
        return same | {"changed": uuid4().hex, "problem": ""}


def _clicked() -> dict[str, Any]:
    """What was clicked. A button that has just been drawn triggers too, without a click."""
    if not isinstance(ctx.triggered_id, dict) or not any(one["value"] for one in ctx.triggered):
        raise PreventUpdate
    return dict(ctx.triggered_id)


def _question(resource: Resource[Any], button: Button, row: Row) -> str:
    question = _of_row(lambda: button.confirm(row) if button.confirm else "", "")
    if not question:
        raise Unknown(resource.card.one, f"that is no {resource.card.one} of this page")
    return question


def _run(resource: Resource[Any], button: Button, asking: Context, row: Row) -> None:
    resource.allow(asking.scope)
    if button.key == resource.removes and resource.remove:
        resource.remove(asking, resource.record(row.get(resource.named)))
    elif button.key in resource.actions:
        resource.actions[button.key](asking, row)
    else:
        raise PreventUpdate


# --- the form


def _opening(app: Dash, stores: Stores, resources: Mapping[str, Resource[Any]]) -> None:
    """One for all forms of a page at once: a button may open the form of another card."""
    part, extra, field = ids.resource, ids.resource_extra, ids.resource_field

    @app.callback(
        output={
            "edited": Output(part("edited", ALL), "data", allow_duplicate=True),
            "problem": Output(field("problem", ALL, ALL), "children"),
            "drawer": Output(extra("drawer", ALL, ALL), "is_open"),
            "title": Output(extra("title", ALL, ALL), "children"),
            "field": Output(field("field", ALL, ALL), "value", allow_duplicate=True),
            "choice": Output(field("choice", ALL, ALL), "value"),
            "options": Output(field("choice", ALL, ALL), "options"),
        },
        inputs={"_clicks": Input(ids.resource_button(ALL, ALL), "n_clicks")},
        state={
            "tables": State(part("table", ALL), "id"),
            "selected": State(part("table", ALL), "selectedRows"),
            "zone": State(ids.ZONE, "data"),
        },
        prevent_initial_call=True,
    )
    def begin(_clicks: Any, tables: Any, selected: Any, zone: Any) -> dict[str, list[Any]]:
        trigger = _clicked()
        button = str(trigger.get("button"))
        resource = next((one for one in resources.values() if button in one.opens), None)
        if resource is None:
            raise PreventUpdate
        row = _chosen(named(tables, selected, "resource").get(str(trigger.get("resource"))))
        opened = _opened(resource, context(stores, zone), button, row)
        told = {
            "edited": _edited(button, opened), "problem": "", "drawer": True,
            "title": opened.title, "field": opened.values, "choice": opened.values,
            "options": _options(opened),
        }  # fmt: skip
        return {
            what: [_of_form(resource.key, what, one["id"], told[what]) for one in wired]
            for what, wired in ctx.outputs_grouping.items()
        }


def _of_form(key: str, what: str, wired: dict[str, Any], told: Any) -> Any:
    """What a part of this form becomes; those of others stay as they are."""
    if wired.get("resource") != key:
        return no_update
    if what in ("field", "choice", "options"):
        return told.get(wired.get("choice" if what == "options" else what), no_update)
    return told


def _opened(resource: Resource[Any], asking: Context, button: str, row: Row) -> Opening:
    resource.allow(asking.scope)
    if resource.opening:
        return resource.opening(asking, button, row)
    form, title = resource.card.form, resource.title(button)
    blank = form.blank if form else {}
    if resource.opens[button] == "new" or resource.one is None or resource.values is None:
        return Opening(title, values=blank)
    number = resource.record(row.get(resource.named))
    return Opening(title, number, blank | dict(resource.values(resource.one(asking, number))))


def _edited(button: str, opened: Opening) -> dict[str, Any]:
    return {"button": button, "number": opened.number}


def _options(opened: Opening) -> dict[str, list[dict[str, str]]]:
    return {name: options(offered) for name, offered in opened.options.items()}


def _shaping(app: Dash, stores: Stores, known: Known) -> None:
    @app.callback(
        output={
            "hidden": Output(ids.resource_field("box"), "hidden"),
            "labels": Output(ids.resource_field("label"), "children"),
            "offered": Output(ids.resource_field("offered"), "children"),
        },
        inputs={
            "key": Input(ids.resource("table"), "id"),
            "choices": Input(ids.resource_field("choice"), "value"),
            "edited": Input(ids.resource("edited"), "data"),
            "_changed": Input(ids.resource("changed"), "data"),
        },
        state={"names": State(ids.resource_field("choice"), "id")},
    )
    def shape(key: Any, choices: Any, edited: Any, _changed: Any, names: Any) -> dict[str, Any]:
        resource, wired = known(key), ctx.outputs_grouping
        if resource.shape is None:
            raise PreventUpdate
        asking = context(stores)
        resource.allow(asking.scope)
        shapes = resource.shape(asking, named(names, choices, "choice"), _button(edited))
        labels = {name: one.label for name, one in shapes.items() if one.label is not None}
        offered = {name: [html.Option(label, value=value) for value, label in one.offered]
                   for name, one in shapes.items()}  # fmt: skip
        hidden = {name: one.hidden for name, one in shapes.items()}
        return {
            "hidden": _spread(wired["hidden"], "box", hidden),
            "labels": _spread(wired["labels"], "label", labels),
            "offered": _spread(wired["offered"], "offered", offered),
        }


def _saving(app: Dash, stores: Stores, known: Known) -> None:
    part, extra, field = ids.resource, ids.resource_extra, ids.resource_field

    @app.callback(
        output={
            "problems": Output(field("problem"), "children", allow_duplicate=True),
            "open": Output(extra("drawer", of=ALL), "is_open", allow_duplicate=True),
            "secret": Output(extra("secret", of=ALL), "children"),
            "shown": Output(extra("shown", of=ALL), "hidden"),
            "changed": Output(part("changed"), "data", allow_duplicate=True),
            "values": Output(field("field"), "value", allow_duplicate=True),
            "detail": Output(part("detail"), "children", allow_duplicate=True),
            "edited": Output(part("edited"), "data", allow_duplicate=True),
            "previewed": Output(part("previewed"), "data", allow_duplicate=True),
        },
        inputs={
            "_clicks": Input(extra("save", of=ALL), "n_clicks"),
            "_submits": Input(field("field"), "n_submit"),
        },
        state={
            "key": State(part("table"), "id"),
            "typed": (State(field("field"), "id"), State(field("field"), "value")),
            "chosen": (State(field("choice"), "id"), State(field("choice"), "value")),
            "edited": State(part("edited"), "data"),
            "previewed": State(part("previewed"), "data"),
        },
        prevent_initial_call=True,
    )
    def save(
        _clicks: Any, _submits: Any, key: Any, typed: Any, chosen: Any, edited: Any, previewed: Any
    ) -> dict[str, Any]:
        resource, wired = known(key), ctx.outputs_grouping
        _clicked()
        values = named(typed[0], typed[1], "field") | named(chosen[0], chosen[1], "choice")
        try:
            _refuse_unseen(resource, values, edited, previewed)
            made = _saved(resource, stores, edited, values)
        except HalfSaved as half:
            now = _edited(_button(edited), Opening("", half.number))
            told = {"changed": uuid4().hex, "edited": now, "previewed": seen(values, now)}
            return _refused(resource, wired, half) | told
        except SpendscopeError as error:
            return _refused(resource, wired, error)
        secret = resource.once(made) if resource.once else ""
        form = resource.card.form
        blank = form.blank if form and not form.follows else None
        return {
            "open": [False for _ in wired["open"]],
            "secret": [secret for _ in wired["secret"]], "shown": [False for _ in wired["shown"]],
            "changed": uuid4().hex, "values": _spread(wired["values"], "field", blank),
            "problems": ["" for _ in wired["problems"]],
            "detail": resource.told(made) if resource.told else no_update,
            "edited": no_update, "previewed": no_update,
        }  # fmt: skip


def _saved(resource: Resource[Any], stores: Stores, edited: Any, values: dict[str, Any]) -> Any:
    asking = context(stores, button=_button(edited))
    resource.allow(asking.scope)
    number = edited.get("number") if isinstance(edited, dict) else None
    number = None if number is None else resource.record(number)
    if resource.save:
        return resource.save(asking, number, values)
    if number is None and resource.create and not _follows(resource):
        return resource.create(asking, values)
    if number is None or resource.change is None:
        raise PreventUpdate
    return resource.change(asking, number, values)


def _follows(resource: Resource[Any]) -> bool:
    return bool(resource.card.form and resource.card.form.follows)


def _button(edited: Any) -> str:
    """The button that opened a form."""
    return str(edited.get("button", "")) if isinstance(edited, dict) else ""


def seen(values: Mapping[str, Any], edited: Any) -> dict[str, Any]:
    """What a preview was of: nothing is saved that was not looked at just so."""
    return {"values": dict(values), "edited": edited}


def _refuse_unseen(
    resource: Resource[Any], values: Mapping[str, Any], edited: Any, previewed: Any
) -> None:
    form = resource.card.form
    if form and form.previewed and previewed != seen(values, edited):
        raise Refused("", AGAIN)


def _refused(
    resource: Resource[Any], wired: Mapping[str, Wired], error: SpendscopeError
) -> dict[str, Any]:
    """No field changes; what was shown once is gone."""
    return {
        "open": [no_update for _ in wired["open"]], "secret": [no_update for _ in wired["secret"]],
        "shown": [True for _ in wired["shown"]], "changed": no_update,
        "values": [no_update for _ in wired["values"]],
        "problems": problem_beside(wired["problems"], error, resource.blames),
        "detail": no_update, "edited": no_update, "previewed": no_update,
    }  # fmt: skip


def problem_beside(wired: Wired, error: SpendscopeError, blames: str = "") -> list[str]:
    """The sentence beside the field that it is about, or below the form."""
    names = [one["id"].get("problem") for one in wired]
    field = blames if isinstance(error, Forbidden) else ""
    if isinstance(error, Refused) and error.parameter in names:
        field = error.parameter
    return [str(error) if name == field else "" for name in names]


def named(keys: Any, values: Any, name: str) -> dict[str, Any]:
    """What several components hold, by the name in their ids."""
    pairs = zip(keys or (), values or (), strict=False)
    return {str(key.get(name)): value for key, value in pairs if isinstance(key, dict)}


def _spread(wired: Wired, name: str, values: Mapping[str, Any] | None) -> list[Any]:
    """The same the other way; what has no value stays as it is."""
    held = values or {}
    return [held.get(one["id"].get(name), no_update) for one in wired]
