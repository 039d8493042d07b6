"""One set of callbacks for the tables of all settings resources: link, rows, selection, buttons.

The browser calls nothing whose first output is nowhere on the page: so the first is a part of
every card.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final, TypeVar
from urllib.parse import urlencode
from uuid import uuid4

from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx
from dash.exceptions import PreventUpdate

from callbacks.access.request_log import request_id
from callbacks.access.session import current_scope
from callbacks.access.viewing import require_own_view
from callbacks.settings.browser import (
    FORGED,
    Find,
    answer,
    clicked,
    finder,
    selected_row,
    states,
    values_by_name,
)
from callbacks.settings.resource import (
    Context,
    File,
    Found,
    Page,
    Resource,
    current_context,
)
from callbacks.stores import Stores
from components import ids
from components.settings.resource import Button, Card, Row
from data.access.scope import Scope
from data.errors import SpendscopeError, Unknown

A = TypeVar("A")
log = logging.getLogger("spendscope")
FURTHEST: Final = 10**9
part, extra = ids.resource, partial(ids.resource_extra, of=ALL)


def register(app: Dash, stores: Stores, pages: tuple[Page, ...]) -> None:
    """All of them."""
    find = finder(pages)
    _links(app, pages)
    _changes(app)
    _modes(app)
    _rows(app, stores, find)
    _selection(app, stores, find)
    _buttons(app, stores, find)


def _links(app: Dash, pages: tuple[Page, ...]) -> None:
    @app.callback(
        Output(ids.nav(ALL), "hidden"), Input(ids.URL, "pathname"), prevent_initial_call=True
    )
    def link(_: Any) -> list[bool]:
        hidden = {key["nav"]: value for key, _, value in arrive(pages)}
        return [hidden.get(one["id"]["nav"], False) for one in ctx.outputs_list]


def arrive(pages: tuple[Page, ...]) -> Iterator[tuple[Any, str, Any]]:
    """`(id, property, value)` of the links to pages that not everybody has."""
    for one in pages:
        yield ids.nav(one.key), "hidden", not one.is_for(current_scope())


def _changes(app: Dash) -> None:
    """A change of one resource is a change to all: by an id of its own, as MATCH would have only
    the tables follow that are of the resource which changed."""
    app.clientside_callback(
        ClientsideFunction("page", "latest"),
        Output(ids.SETTINGS_CHANGED, "data"),
        Input(part("changed", ALL), "data"),
        prevent_initial_call=True,
    )


def _modes(app: Dash) -> None:
    """Chart or table, remembered beside those of the sections (assets/page.js)."""
    chart, table = (partial(extra, name) for name in ("mode-chart", "mode-table"))
    app.clientside_callback(
        ClientsideFunction("page", "choose"),
        Output(ids.MODES, "data", allow_duplicate=True),
        Input(chart(ALL), "n_clicks"),
        Input(table(ALL), "n_clicks"),
        State(ids.MODES, "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("page", "showCard"),
        Output(part("card"), "data-mode"),
        Output(chart(), "aria-pressed"),
        Output(table(), "aria-pressed"),
        Input(ids.MODES, "data"),
        Input(chart(), "id"),
    )


# --- the rows


ROW_PARTS: Final = {
    "rows": Output(part("table"), "rowData"),
    "selected": Output(part("table"), "selectedRows"),
    "sentence": Output(part("state"), "children"),
    "state": Output(part("card"), "data-state"),
    "note": Output(part("note"), "children"),
    "place": Output(part("place"), "children"),
    "offset": Output(part("offset"), "data"),
    "newer": Output(part("newer"), "disabled"),
    "older": Output(part("older"), "disabled"),
    "figure": Output(extra("chart"), "figure"),
    # Of what is around the chart: one that is drawn anew itself forgets that it was drawn.
    "style": Output(extra("frame"), "style"),
    "summary": Output(extra("summary"), "children"),
    "csv": Output(extra("csv"), "href"),
    "json": Output(extra("json"), "href"),
}


def _rows(app: Dash, stores: Stores, find: Find) -> None:
    @app.callback(
        output=ROW_PARTS,
        inputs={
            "key": Input(part("table"), "id"),
            "_changed": Input(ids.SETTINGS_CHANGED, "data"),
            "_turned": (Input(part("newer"), "n_clicks"), Input(part("older"), "n_clicks")),
            "_retried": Input(extra("retry"), "n_clicks"),
            "search": Input(ids.resource_find(), "value"),
        },
        state={"names": State(ids.resource_find(), "id")} | states("offset", "zone"),
    )
    def fill(key: Any, search: Any, names: Any, offset: Any, zone: Any, **_: Any) -> dict[str, Any]:
        resource, size = find(key), find(key).card.page_size
        words = {name: str(one) for name, one in values_by_name(names, search).items()
                 if one is not None}  # fmt: skip
        paged = {"limit": size or None, "offset": _start(offset, size)}
        parts = _shown(resource, current_context(stores, zone, search=words, **paged))
        return answer(**_files(resource.file, resource.card, words), **parts)


def _start(offset: Any, size: int) -> int:
    """Where the page begins; whatever else happened than turning, the newest are shown first."""
    turned = ctx.triggered_id.get("part") if isinstance(ctx.triggered_id, dict) else None
    step = {"newer": -size, "older": size}.get(str(turned), 0)
    here = offset if isinstance(offset, int) and 0 <= offset <= FURTHEST else 0
    return max(0, here + step) if step else 0


def _files(file: File[Any] | None, card: Card, words: Mapping[str, str]) -> dict[str, str]:
    """The addresses of the rows that are searched for, as files."""
    if file is None:
        return {"csv": "", "json": ""}
    initial = {one.name: one.initial for one in card.search}
    query = urlencode({name: one for name, one in words.items() if one != initial.get(name)})
    return {form: f"{path}?{query}" if query else path
            for form, path in (("csv", file.path), ("json", file.json))}  # fmt: skip


def _shown(resource: Resource[Any], context: Context) -> dict[str, Any]:
    """What the card shows; one that fails says so, and leaves its neighbour alone."""
    try:
        resource.allow(context.scope)
        found, start = _read(resource, context)
        rows = resource.rows_of(context, found.records)
        drawn = found.draw(rows) if found.draw else {}
    except SpendscopeError as error:
        return _failed(str(error))
    except Exception:
        log.exception("a card failed")
        return _failed(f"Something broke here (request {request_id()}).")
    sentence = found.sentence or ("" if rows else resource.card.empty)
    parts = {"rows": rows, "selected": [], "sentence": sentence, "note": found.note, "summary": ""}
    place = _place(start, len(rows), found.count, resource.card.page_size)
    return parts | {"state": "ready" if rows else "empty"} | place | drawn


def _read(resource: Resource[Any], context: Context) -> tuple[Found[Any], int]:
    """The records and where they begin: on the last page where the wanted one is beyond it."""
    found = resource.read(context)
    if found.records or not (found.count and context.offset and context.limit):
        return found, context.offset
    last = (found.count - 1) // context.limit * context.limit
    return resource.read(replace(context, offset=last)), last


def _failed(sentence: str) -> dict[str, Any]:
    parts = {"rows": [], "selected": [], "sentence": sentence, "note": "", "state": "failed"}
    return parts | _place(0, 0, 0, 0)


def _place(start: int, rows: int, count: int | None, size: int) -> dict[str, Any]:
    """Which page of the rows it is."""
    end, count = start + rows, rows if count is None else count
    text = f"{start + 1}–{end} of {count:,}" if size and rows else ""
    return {"place": text, "offset": start, "newer": start == 0, "older": end >= count}


# --- the chosen row


def _selection(app: Dash, stores: Stores, find: Find) -> None:
    @app.callback(
        output={
            "detail": Output(part("detail"), "children"),
            "disabled": Output(ids.resource_button(), "disabled"),
            "hidden": Output(ids.resource_button(), "hidden"),
        },
        inputs={"selected": Input(part("table"), "selectedRows")},
        state=states("key", "zone"),
        prevent_initial_call=True,
    )
    def select(selected: Any, key: Any, zone: Any) -> dict[str, Any]:
        resource, row, context = find(key), selected_row(selected), current_context(stores, zone)
        every = resource.card.buttons
        usable = {one.key: _usable(resource, one, row, context.scope) for one in every}
        return answer(
            disabled={key: not can for key, can in usable.items()},
            hidden={one.key: one.hides and not usable[one.key] for one in every},
            detail=_detail(resource, context, row),
        )


def _usable(resource: Resource[Any], button: Button, row: Row, scope: Scope) -> bool:
    right, needs = resource.rights.get(button.key), button.needs
    if right and not right(scope):
        return False
    return needs is None or (bool(row) and _of_row(lambda: bool(needs(row)), False))


def _of_row(made: Callable[[], A], forged: A) -> A:
    """What is made of a row, which may be one that its table never had."""
    try:
        return made()
    except FORGED:
        return forged


def _detail(resource: Resource[Any], context: Context, row: Row) -> str:
    """What the choice of a row shows: what the resource says of it, or the row itself."""
    detail = resource.detail
    if detail is None or not row:
        return str(row.get("detail", ""))
    try:
        resource.allow(context.scope)
        return _of_row(lambda: detail(context, row), "")
    except SpendscopeError as error:
        return str(error)


# --- the buttons


BUTTON_PARTS: Final = {
    "displayed": Output(part("confirm"), "displayed"),
    "message": Output(part("confirm"), "message"),
    "pending": Output(part("pending"), "data"),
    "changed": Output(part("changed"), "data"),
    "problem": Output(part("problem"), "children"),
    "secret": Output(ids.resource_extra("secret", of=ALL), "children", allow_duplicate=True),
}


def _buttons(app: Dash, stores: Stores, find: Find) -> None:
    @app.callback(
        output=BUTTON_PARTS,
        inputs={
            "_clicks": Input(ids.resource_button(), "n_clicks"),
            "_confirmed": Input(part("confirm"), "submit_n_clicks"),
        },
        state=states("key", "selected", "pending"),
        prevent_initial_call=True,
    )
    def press(key: Any, selected: Any, pending: Any, **_: Any) -> dict[str, Any]:
        resource, row, trigger = find(key), selected_row(selected), clicked()
        confirmed = trigger.get("part") == "confirm"
        button = resource.card.button(pending if confirmed else trigger.get("button"))
        if button is None or (button.needs and not row):
            raise PreventUpdate
        try:
            require_own_view()
            if button.confirm and not confirmed:
                question = _question(resource, button, row)
                return answer(displayed=True, message=question, pending=button.key)
            made = _run(resource, button, current_context(stores), row)
        except SpendscopeError as error:
            return answer(problem=str(error), secret="")
        secret = resource.secret(made) if button.reveals and resource.secret else ""
        return answer(changed=uuid4().hex, problem="", secret=secret)


def _question(resource: Resource[Any], button: Button, row: Row) -> str:
    question = _of_row(lambda: button.confirm(row) if button.confirm else "", "")
    if not question:
        raise Unknown(resource.card.one, f"that is no {resource.card.one} of this page")
    return question


def _run(resource: Resource[Any], button: Button, context: Context, row: Row) -> Any:
    """What comes of what a button does; one that opens a form has a callback of its own."""
    resource.allow(context.scope)
    resource.require_changes(context.scope)
    if button.does == "remove" and resource.remove:
        return resource.remove(context, resource.card.number_of(row))
    if button.key in resource.actions:
        return resource.actions[button.key](context, row)
    raise PreventUpdate
