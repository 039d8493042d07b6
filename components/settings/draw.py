"""How a settings resource looks: page, card, table and form, empty; callbacks fill what has an id.

Every part is in the tree of every card, as a missing one would silence the callback that fills it;
what only some cards have (fields, buttons, a drawer) is found by a key of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final

import dash_ag_grid as dag
import dash_bootstrap_components as dbc
from dash import html

from components import ids
from components.controls import SMALL_LIST, Graph, Input, Select
from components.page.cards import GRAPH, GRID
from components.settings.resource import Card, Column, Field, Form, Row
from components.wiring import Confirmation, Store

SELECTABLE: Final[Row] = {
    "rowSelection": {"mode": "singleRow", "checkboxes": False, "enableClickSelection": True}
}


def page(key: str, cards: Iterable[Any], before: list[Any], after: list[Any]) -> html.Div:
    """A page of them, and what stands before and after."""
    return html.Div(
        [*before, *cards, *after],
        className=f"settings-page budgets-page {key}-page", **ids.testid(key),
    )  # fmt: skip


def plain(key: str, text: str, help_: str, body: list[Any]) -> html.Section:
    """A card beside them, without a table."""
    return html.Section(
        [html.Header([_title(text, help_)], className="card-head"), *body],
        className="card-section", **ids.testid(f"section-{key}"),
        **{"aria-label": text, "data-state": "ready"},
    )  # fmt: skip


def record(one: Card, values: Mapping[str, Any]) -> html.Section:
    """The card of one record, with what its fields hold."""
    form, saved = one.form or Form(()), ids.resource_extra("saved", one.key)
    state = html.Span(id=saved, className="saved", role="status",
                      **ids.testid(f"{one.mark or one.key}-saved"))  # fmt: skip
    return html.Section(
        [
            html.Header([_title(one.title, one.help)], className="card-head"),
            *(_entry(one, form, each, values) for each in form.fields),
            _problem(one, "", "wrong"),
            html.Div([*([_save(one, form, "submit")] if form.save else []), state],
                     className="save"),
        ],
        className="card-section record", **ids.testid(f"section-{one.key}"),
        **{"aria-label": one.title, "data-state": "ready"},
    )  # fmt: skip


def _entry(one: Card, form: Form, each: Field, values: Mapping[str, Any]) -> html.Div:
    """A field of it. Its parts have ids of their own: those of a form beside a table would call
    what reads that table."""
    key = ids.resource_field("entry" if form.save else "live", each.name, one.key)
    value = str(values.get(each.name, each.initial))
    wait = {} if form.save or each.kind == "choice" else {"debounce": 400}
    return html.Div(
        [html.Label(each.label, htmlFor=ids.dom(key)), control(each, key, value, **wait),
         _problem(one, each.name, "wrong")],
        className="field", **ids.testid(f"{one.mark or one.key}-{each.name}"),
    )  # fmt: skip


def card(one: Card) -> html.Section:
    """The card, empty."""
    form = one.form and (_drawer(one, one.form) if one.form.drawer else _in_card(one, one.form))
    table = _grid(one)
    body = (
        _chart_or_table(partial(_body_part, one), table, one.title)
        if one.chart
        else _table(one, table)
    )
    return html.Section(
        [
            *_stores(one.key),
            html.Header([_title(one.title, one.help), _tools(one)], className="card-head"),
            *_search(one),
            html.P(id=_part(one, "note"), className="price-seen", role="status",
                   **ids.testid(f"{one.key}-found")),
            html.Div(id=_part(one, "problem"), className="problem", role="alert"),
            body,
            *([form] if form else []),
            *([_secret(one, one.form.once)] if one.form and one.form.once else []),
            html.P(id=_part(one, "detail"), className="import-detail", role="status",
                   **ids.testid(f"{one.one}-detail")),
            *one.below(),
        ],
        id=_part(one, "card"), className="card-section", **ids.testid(f"section-{one.key}"),
        **{"aria-label": one.title, "data-state": "loading"},
    )  # fmt: skip


def _table(one: Card, grid: dag.AgGrid) -> html.Div:
    sentence = html.P(id=_part(one, "state"), className="table-state", role="status",
                      **ids.testid("state"))  # fmt: skip
    return html.Div([sentence, html.Div(grid, className="budgets-grid", **ids.testid("table"))])


def _body_part(one: Card, name: str) -> ids.Id:
    return _part(one, name) if name == "state" else ids.resource_extra(name, one.key, "chart")


def _part(one: Card, name: str) -> ids.Id:
    return ids.resource(name, one.key)


def _stores(key: str) -> list[Any]:
    names = ("changed", "pending", "edited", "previewed")
    stores = [Store(id=ids.resource(name, key)) for name in names]
    offset = Store(id=ids.resource("offset", key), data=0)
    return [*stores, offset, Confirmation(id=ids.resource("confirm", key))]


def _tools(one: Card) -> html.Div:
    place = html.Span(id=_part(one, "place"), className="help place", role="status",
                      **ids.testid(f"{one.key}-place"))  # fmt: skip
    turns = [
        html.Button(name.capitalize(), id=_part(one, name), className="quiet turn", disabled=True,
                    hidden=not one.page_size, **ids.testid(f"{one.key}-{name}"))
        for name in ("newer", "older")
    ]  # fmt: skip
    buttons = [
        html.Button(each.label, id=ids.resource_button(each.key, one.key), className="quiet",
                    disabled=each.needs is not None, hidden=each.hides, **ids.testid(each.key))
        for each in one.buttons
    ]  # fmt: skip
    mode = [_modes(partial(_body_part, one), one.title)] if one.chart else []
    file = [_file_link(ids.resource_extra(form, one.key, "file"), form)
            for form, there in (("csv", one.file), ("json", one.json)) if there]  # fmt: skip
    return html.Div(
        [*one.tools(), place, *turns, *buttons, *_choices(one), *mode, *file], className="tools"
    )


def _choices(one: Card) -> list[Any]:
    return [
        html.Label([
            html.Span(each.label, className="visually-hidden"),
            control(each, ids.resource_find(each.name, one.key), each.initial, name=each.label,
                    className=f"choice {SMALL_LIST}"),
        ], className="choice-label")
        for each in one.search if each.kind == "choice"
    ]  # fmt: skip


def options(known: Mapping[str, str]) -> list[dict[str, str]]:
    """A select's options of keys and labels."""
    return [{"value": key, "label": label} for key, label in known.items()]


def _grid(one: Card) -> dag.AgGrid:
    turned = bool(one.page_size)
    more = {"pagination": False} if turned else SELECTABLE
    known = {"getRowId": f"params.data.{one.named}"} if one.named else {}
    return grid(_part(one, "table"), one.columns, more, sortable=not turned, **known)


def grid(
    key: Any, columns: Iterable[Column], options: Row, sortable: bool = True, **more: Any
) -> dag.AgGrid:
    """A table of some columns, empty."""
    return dag.AgGrid(
        id=key, columnDefs=[_column(one) for one in columns], rowData=[], columnSize=None,
        dashGridOptions=GRID | {"domLayout": "autoHeight"} | options,
        defaultColDef={"sortable": sortable, "resizable": True, "suppressHeaderMenuButton": True},
        className="grid", style={"width": "100%"}, **more,
    )  # fmt: skip


def _column(one: Column) -> Row:
    column: Row = {
        "field": one.field, "headerName": one.label, "minWidth": one.width, "flex": one.flex,
        "wrapHeaderText": True, "headerTooltip": one.help or one.label,
        "tooltipField": f"{one.field}_{one.tip}", "valueFormatter": {"function": "shown(params)"},
    }  # fmt: skip
    if one.unit.numeric:
        column["type"] = "rightAligned"
    return column | dict(one.more)


def _search(one: Card) -> list[Any]:
    fields = [
        html.Div([
            html.Label(each.label, htmlFor=ids.dom(ids.resource_find(each.name, one.key))),
            control(each, ids.resource_find(each.name, one.key), each.initial, debounce=400),
        ])
        for each in one.search if each.kind != "choice"
    ]  # fmt: skip
    return [html.Div(fields, className="key-form")] if fields else []


# --- the form


def _in_card(one: Card, form: Form) -> html.Div:
    row = html.Div([*_fields(one, form), *form.buttons(), _save(one, form)], className="key-form")
    return html.Div([row, _problem(one, ""), *form.more()])


def _drawer(one: Card, form: Form) -> dbc.Offcanvas:
    heading = ids.resource_extra("title", one.key)
    buttons = html.Div([*form.buttons(), _save(one, form)], className="price-buttons")
    return dbc.Offcanvas(
        [*_fields(one, form), _problem(one, ""), buttons, *form.more()],
        id=ids.resource_extra("drawer", one.key), labelledby=ids.dom(heading),
        title=html.Span(id=heading), placement="end", is_open=False,
        class_name=f"budget-form {one.key}-form", scrollable=True,
    )  # fmt: skip


def _fields(one: Card, form: Form) -> list[html.Div]:
    return [_field(one, each) for each in form.fields]


def _save(one: Card, form: Form, what: str = "save") -> html.Button:
    return html.Button(
        form.save, id=ids.resource_extra(what, one.key), className="toggle",
        disabled=form.previewed, **ids.testid(form.save_key), **{"aria-pressed": "true"},
    )  # fmt: skip


def _field(one: Card, each: Field) -> html.Div:
    what = "choice" if each.kind == "choice" else "field"
    key = ids.resource_field(what, each.name, one.key)
    label = html.Label(each.label, htmlFor=ids.dom(key),
                       id=ids.resource_field("label", each.name, one.key))  # fmt: skip
    offered = ids.resource_field("offered", each.name, one.key)
    suggestions = {"list": ids.dom(offered)} if each.suggests else {}
    return html.Div(
        [label, control(each, key, each.initial, **suggestions), _problem(one, each.name),
         *([html.Datalist(id=offered)] if each.suggests else [])],
        id=ids.resource_field("box", each.name, one.key), className=f"field {each.class_name}",
        **ids.testid(f"{one.key}-{each.name}"),
    )  # fmt: skip


def control(each: Field, key: ids.Id, value: str, **more: Any) -> Any:
    """What a field is typed or chosen in."""
    if each.kind == "choice":
        return Select(id=key, value=value, options=options(each.options), **more)
    mode = each.kind if each.kind in ("decimal", "numeric") else "text"
    return Input(
        id=key, value=value, type=each.kind if each.kind in ("date", "password") else "text",
        inputMode=mode, placeholder=each.hint, autoComplete="off", **more,
    )  # fmt: skip


def _problem(one: Card, name: str, what: str = "problem") -> html.Div:
    return html.Div(id=ids.resource_field(what, name, one.key), className="problem",
                    role="alert", **ids.testid(f"{one.one}-problem-{name}"))  # fmt: skip


def _secret(one: Card, sentence: str) -> html.Div:
    key = ids.resource_extra("secret", one.key)
    code = html.Code(id=key, **ids.testid(f"{one.one}-secret"))
    copy = html.Button("Copy", type="button", className="quiet copy-text", title="Copy it")
    return html.Div([html.P(sentence), code, copy], className="key-shown", role="status")


def _title(text: str, help_: str) -> html.Div:
    """What a card is called, and what it is about."""
    return html.Div([html.H2(text), html.Span(help_, className="help")])


def _chart_or_table(part: Callable[[str], ids.Id], grid: dag.AgGrid, text: str) -> html.Div:
    """The chart with the sentence made of its numbers, the table, and what stands there instead;
    `part` makes their ids."""
    chart, summary = Graph(id=part("chart"), config=GRAPH), part("summary")
    described = {"aria-label": f"{text}: a chart", "aria-describedby": ids.dom(summary)}
    return html.Div(
        [
            html.Div(chart, id=part("frame"), className="as-chart", role="img",
                     **ids.testid("chart"), **described),
            html.P(id=summary, className="summary", **ids.testid("summary")),
            html.Div(grid, className="as-table", **ids.testid("table")),
            html.Div(id=part("state"), className="state", role="status", **ids.testid("state")),
            html.Button("Retry", id=part("retry"), className="retry quiet"),
        ],
        className="card-body",
    )  # fmt: skip


def _modes(part: Callable[[str], ids.Id], text: str) -> html.Div:
    """The buttons for chart or table."""
    return html.Div(
        [
            html.Button(
                label, id=part(name), className=f"mode {name}", **ids.testid(name),
                title=f"Show {text} as {label.lower()}",
                **{"aria-pressed": "true" if label == "Chart" else "false"},
            )
            for name, label in (("mode-chart", "Chart"), ("mode-table", "Table"))
        ],
        className="modes", role="group", **{"aria-label": f"Show {text} as"},
    )  # fmt: skip


def _file_link(key: ids.Id, form: str) -> html.A:
    """All rows as a file; a callback knows the address."""
    name = form.upper()
    return html.A(name, id=key, className="quiet", download="", title=f"All rows as {name}",
                  **ids.testid(f"export-{form}"))  # fmt: skip
