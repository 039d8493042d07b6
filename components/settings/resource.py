"""How a settings resource looks: a card with a table, its buttons, a form. Declared as data; drawn
here, the same for all of them, empty: callbacks fill what has an id.

Every part is in the tree of every card, as a missing one would silence the callback that fills it;
what only some cards have (fields, buttons, a drawer) is found by a key of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as default
from typing import Any, Final, Literal

import dash_ag_grid as dag
import dash_bootstrap_components as dbc
from dash import dcc, html

from components import ids
from components.page.cards import GRAPH, GRID

Row = dict[str, Any]
Kind = Literal["text", "decimal", "date", "choice"]
SELECTABLE: Final[Row] = {
    "rowSelection": {"mode": "singleRow", "checkboxes": False, "enableClickSelection": True}
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table: a row's `field`, read as its `<field>_text` where it has one."""

    field: str
    label: str
    width: int = 104  # the least
    flex: int = 1
    number: bool = False
    help: str = ""
    tip: str = "text"  # `<field>_<tip>` is what is read on hover; "" for the value itself
    wraps: bool = False
    more: Mapping[str, Any] = default(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a form, or of a search. A text that `suggests` offers values, which arrive by the
    form's shape; a search's choice stands in the head."""

    name: str
    label: str
    kind: Kind = "text"
    hint: str = ""
    options: Mapping[str, str] = default(default_factory=dict)
    suggests: bool = False
    initial: str = ""
    class_name: str = ""


@dataclass(frozen=True, slots=True)
class Button:
    """A button of the head. `needs` says whether the chosen row allows it (None: it needs none),
    `confirm` what is asked before. What it does is found by its `key`, which is its test id: see
    `callbacks/settings/resource.py`."""

    key: str
    label: str
    needs: Callable[[Row], bool] | None = None
    confirm: Callable[[Row], str] | None = None
    title: str = ""  # of the form that it opens, where that is not its label
    hides: bool = False  # where it is not for the reader or the chosen row, it is not there


@dataclass(frozen=True, slots=True)
class Form:
    """Fields and a button that saves them, in the card or in a drawer. One that `follows` the
    chosen row changes its record, and is there while that can be; one that is `previewed` is saved
    just as it was looked at. `once` is the sentence beside what is shown once after saving."""

    fields: tuple[Field, ...]
    save: str
    save_key: str
    drawer: str = ""  # the title of the drawer at first; empty: the form stands in the card
    class_name: str = "key-form"
    follows: bool = False
    previewed: bool = False
    once: str = ""
    buttons: Callable[[], list[Any]] = list  # before the one that saves
    more: Callable[[], list[Any]] = list  # below the buttons

    @property
    def blank(self) -> dict[str, str]:
        """What the fields hold at first."""
        return {one.name: one.initial for one in self.fields}


@dataclass(frozen=True, slots=True)
class Card:
    """What a resource shows. `key` is its address in the page, `one` what a record is called in
    ids; `search` are fields above the table that narrow it."""

    key: str
    one: str
    title: str
    help: str
    columns: tuple[Column, ...]
    empty: str
    buttons: tuple[Button, ...] = ()
    form: Form | None = None
    search: tuple[Field, ...] = ()
    detail: str = ""  # the test id of what the chosen row shows, where it is not `<one>-detail`
    page_size: int = 0  # rows that the server sends at a time; 0: all of them
    chart: bool = False  # it is a chart or a table, at a click
    file: str = ""  # the address of all rows as CSV
    named: str = ""  # the field by which the table knows a row again
    tools: Callable[[], list[Any]] = list  # in the head, before the buttons
    below: Callable[[], list[Any]] = list

    def button(self, key: Any) -> Button | None:
        """The button of a key that came back from a browser."""
        return next((one for one in self.buttons if one.key == key), None)


def page(key: str, cards: Iterable[Card], before: list[Any], after: list[Any]) -> html.Div:
    """A page of them, and what stands before and after."""
    return html.Div(
        [*before, *(card(one) for one in cards), *after],
        className=f"settings-page budgets-page {key}-page", **ids.testid(key),
    )  # fmt: skip


def plain(key: str, title: str, help_: str, body: list[Any]) -> html.Section:
    """A card beside them, without a table."""
    head = html.Div([html.H2(title), html.Span(help_, className="help")])
    return html.Section(
        [html.Header([head], className="card-head"), *body], className="card-section",
        **ids.testid(f"section-{key}"), **{"aria-label": title, "data-state": "ready"},
    )  # fmt: skip


def card(one: Card) -> html.Section:
    """The card, empty."""
    form = one.form and (_drawer(one, one.form) if one.form.drawer else _in_card(one, one.form))
    return html.Section(
        [
            *_stores(one.key),
            html.Header([_title(one), _tools(one)], className="card-head"),
            *_search(one),
            html.P(id=_part(one, "note"), className="price-seen", role="status",
                   **ids.testid(f"{one.key}-found")),
            html.Div(id=_part(one, "problem"), className="problem", role="alert"),
            *(_chart_or_table(one) if one.chart else _table(one)),
            *([form] if form else []),
            html.P(id=_part(one, "detail"), className="import-detail", role="status",
                   **ids.testid(one.detail or f"{one.one}-detail")),
            *one.below(),
        ],
        id=_part(one, "card"), className="card-section", **ids.testid(f"section-{one.key}"),
        **{"aria-label": one.title, "data-state": "loading"},
    )  # fmt: skip


def _table(one: Card) -> list[Any]:
    said = html.P(id=_part(one, "state"), className="budgets-said", role="status",
                  **ids.testid("state"))  # fmt: skip
    return [said, html.Div(_grid(one), className="budgets-grid", **ids.testid("table"))]


def _chart_or_table(one: Card) -> list[Any]:
    def part(name: str) -> ids.Id:
        return ids.resource_extra(name, one.key, "chart")

    chart = dcc.Graph(id=part("chart"), config=GRAPH, responsive=True)
    body = [
        html.Div(chart, id=part("frame"), className="as-chart", **ids.testid("chart")),
        html.Div(_grid(one), className="as-table", **ids.testid("table")),
        html.Div(id=_part(one, "state"), className="state", role="status", **ids.testid("state")),
        html.Button("Retry", id=part("retry"), className="retry quiet"),
    ]
    return [html.Div(body, className="card-body")]


def _part(one: Card, name: str) -> ids.Id:
    return ids.resource(name, one.key)


def _stores(key: str) -> list[Any]:
    names = ("changed", "asked", "edited", "previewed")
    stores = [dcc.Store(id=ids.resource(name, key)) for name in names]
    offset = dcc.Store(id=ids.resource("offset", key), data=0)
    return [*stores, offset, dcc.ConfirmDialog(id=ids.resource("confirm", key))]


def _title(one: Card) -> html.Div:
    return html.Div([html.H2(one.title), html.Span(one.help, className="help")])


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
    return html.Div(
        [*one.tools(), place, *turns, *buttons, *_choices(one), *_modes(one), *_file(one)],
        className="tools",
    )


def _choices(one: Card) -> list[Any]:
    return [
        dbc.Select(id=ids.resource_find(each.name, one.key), value=each.initial, size="sm",
                   options=options(each.options), class_name="choice", html_size=None,
                   name=each.label)
        for each in one.search if each.kind == "choice"
    ]  # fmt: skip


def _modes(one: Card) -> list[Any]:
    buttons = [
        html.Button(
            label, id=ids.resource_extra(name, one.key, "chart"), className=f"mode {name}",
            **ids.testid(name), **{"aria-pressed": str(name == "mode-chart").lower()},
        )
        for name, label in (("mode-chart", "Chart"), ("mode-table", "Table"))
    ]  # fmt: skip
    group = {"aria-label": f"Show {one.title} as"}
    return [html.Div(buttons, className="modes", role="group", **group)] if one.chart else []


def _file(one: Card) -> list[Any]:
    link = html.A(
        "CSV", id=ids.resource_extra("file", one.key, "file"), href=one.file, className="quiet",
        download="", title="All rows as CSV", **ids.testid("export-csv"),
    )  # fmt: skip
    return [link] if one.file else []


def options(known: Mapping[str, str]) -> list[dict[str, str]]:
    """A select's options of keys and labels."""
    return [{"value": key, "label": label} for key, label in known.items()]


def _grid(one: Card) -> dag.AgGrid:
    turned = bool(one.page_size)
    return dag.AgGrid(
        id=_part(one, "table"), columnDefs=[_column(each) for each in one.columns], rowData=[],
        columnSize=None, className="grid", style={"width": "100%"},
        dashGridOptions=GRID | {"domLayout": "autoHeight"}
        | ({"pagination": False} if turned else SELECTABLE),
        defaultColDef={"sortable": not turned, "resizable": True, "suppressHeaderMenuButton": True},
        **({"getRowId": f"params.data.{one.named}"} if one.named else {}),
    )  # fmt: skip


def _column(one: Column) -> Row:
    column: Row = {
        "field": one.field, "headerName": one.label, "minWidth": one.width, "flex": one.flex,
        "wrapHeaderText": True, "headerTooltip": one.help or one.label,
        "tooltipField": f"{one.field}_{one.tip}" if one.tip else one.field,
        "valueFormatter": {"function": "shown(params)"},
    }  # fmt: skip
    if one.number:
        column["type"] = "rightAligned"
    if one.wraps:
        column |= {"wrapText": True, "autoHeight": True}
    return column | dict(one.more)


def _search(one: Card) -> list[Any]:
    fields = [
        html.Div([
            html.Label(each.label, htmlFor=ids.dom(ids.resource_find(each.name, one.key))),
            dbc.Input(id=ids.resource_find(each.name, one.key), value=each.initial,
                      type="date" if each.kind == "date" else "text", placeholder=each.hint,
                      debounce=0.4, autocomplete="off"),
        ])
        for each in one.search if each.kind != "choice"
    ]  # fmt: skip
    return [html.Div(fields, className="key-form")] if fields else []


# --- the form


def _in_card(one: Card, form: Form) -> html.Div:
    fields = [_field(one, each) for each in form.fields]
    row = html.Div([*fields, *form.buttons(), _save(one, form)], hidden=form.follows,
                   id=ids.resource_extra("form", one.key), className=form.class_name)  # fmt: skip
    secret = [_secret(one, form.once)] if form.once else []
    return html.Div([row, _problem(one, "", f"{one.one}-problem"), *secret, *form.more()])


def _drawer(one: Card, form: Form) -> dbc.Offcanvas:
    title = ids.resource_extra("title", one.key)
    buttons = html.Div([*form.buttons(), _save(one, form)], className="price-buttons")
    return dbc.Offcanvas(
        [*(_field(one, each) for each in form.fields), _problem(one, "", f"{one.one}-problem-"),
         buttons, *form.more()],
        id=ids.resource_extra("drawer", one.key), labelledby=ids.dom(title),
        title=html.Span(form.drawer, id=title), placement="end", is_open=False,
        class_name=f"budget-form {form.class_name}", scrollable=True,
    )  # fmt: skip


def _save(one: Card, form: Form) -> html.Button:
    return html.Button(
        form.save, id=ids.resource_extra("save", one.key), className="toggle",
        disabled=form.previewed, **ids.testid(form.save_key), **{"aria-pressed": "true"},
    )  # fmt: skip


def _field(one: Card, each: Field) -> html.Div:
    control = _control(one, each)
    label = html.Label(each.label, htmlFor=ids.dom(control.id),
                       id=ids.resource_field("label", each.name, one.key))  # fmt: skip
    offered = ids.resource_field("offered", each.name, one.key)
    return html.Div(
        [label, control, _problem(one, each.name, f"{one.one}-problem-{each.name}"),
         *([html.Datalist(id=offered)] if each.suggests else [])],
        id=ids.resource_field("box", each.name, one.key), className=f"field {each.class_name}",
        **ids.testid(f"{one.key}-{each.name}"),
    )  # fmt: skip


def _control(one: Card, each: Field) -> Any:
    if each.kind == "choice":
        return dbc.Select(id=ids.resource_field("choice", each.name, one.key), value=each.initial,
                          options=options(each.options))  # fmt: skip
    offered = ids.dom(ids.resource_field("offered", each.name, one.key))
    return dbc.Input(
        id=ids.resource_field("field", each.name, one.key), value=each.initial,
        type="date" if each.kind == "date" else "text", placeholder=each.hint, autocomplete="off",
        inputmode="decimal" if each.kind == "decimal" else "text",
        **({"list": offered} if each.suggests else {}),
    )  # fmt: skip


def _problem(one: Card, name: str, testid: str) -> html.Div:
    return html.Div(id=ids.resource_field("problem", name, one.key), className="problem",
                    role="alert", **ids.testid(testid))  # fmt: skip


def _secret(one: Card, sentence: str) -> html.Div:
    key = ids.resource_extra("secret", one.key)
    code = html.Code(id=key, **ids.testid(f"{one.one}-secret"))
    copy = dcc.Clipboard(target_id=key, title="Copy it", className="quiet")
    return html.Div([html.P(sentence), code, copy], className="key-shown", role="status",
                    id=ids.resource_extra("shown", one.key), hidden=True)  # fmt: skip


def pair(field: str, value: Any, text: str) -> Row:
    """A value to sort by and how it reads."""
    return {field: value, f"{field}_text": text}


def pairs(**texts: str) -> Row:
    """Values that read as they are."""
    return {k: v for name, text in texts.items() for k, v in pair(name, text, text).items()}
