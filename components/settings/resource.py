"""How a settings resource looks: a card with a table, its buttons, a form. Declared as data; drawn
here, the same for all of them, empty: callbacks fill what has an id.

Every part is in the tree of every card, as a missing one would silence the callback that fills it;
what only some cards have (fields, buttons, a drawer) is found by a key of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as default
from functools import partial
from typing import Any, Final, Literal

import dash_ag_grid as dag
import dash_bootstrap_components as dbc
from dash import dcc, html

from components import ids
from components.page.cards import GRID, chart_or_table, csv_link, modes, title
from data.errors import Unknown
from data.query.units import DASH, TEXT, Unit

Row = dict[str, Any]
SELECTABLE: Final[Row] = {
    "rowSelection": {"mode": "singleRow", "checkboxes": False, "enableClickSelection": True}
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table: an attribute of the record, by its name, or what `of` makes of it.
    A row has its value in its `unit`, to sort by, and how that reads, as `<field>_text`; what there
    is not reads `blank`."""

    field: str
    label: str
    width: int = 104  # the least
    flex: int = 1
    unit: Unit = TEXT
    of: Callable[[Any], Any] | None = None
    blank: str = DASH
    help: str = ""
    tip: str = "text"  # `<field>_<tip>` is what is read on hover
    more: Mapping[str, Any] = default(default_factory=dict)

    def cell(self, record: Any, zone: str) -> Row:
        """What a row says of a record in this column."""
        value = self.of(record) if self.of else getattr(record, self.field)
        if value is not None and self.unit.scale != 1:
            value /= self.unit.scale
        text = self.blank if value in (None, "") else self.unit.text(value, zone)
        return pair(self.field, text if self.unit is TEXT else value, text)


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a form, or of a search; `when` are the choices under which it is there. A text
    that `suggests` offers values, which arrive with the states of the fields; a search's choice
    stands in the head."""

    name: str
    label: str
    kind: Literal["text", "decimal", "date", "choice"] = "text"
    hint: str = ""
    options: Mapping[str, str] = default(default_factory=dict)
    when: Mapping[str, tuple[str, ...]] = default(default_factory=dict)
    suggests: bool = False
    initial: str = ""
    class_name: str = ""


@dataclass(frozen=True, slots=True)
class Button:
    """A button of the head. `needs` says whether the chosen row allows it (None: it needs none),
    `confirm` what is asked before. What it `does` is to open a form ("new", "edit"; of another card
    with `form`), to "remove" a record, or an action of its key, which is its test id: see
    `callbacks/settings/resource.py`."""

    key: str
    label: str
    does: Literal["new", "edit", "remove", "action"] = "action"
    needs: Callable[[Row], bool] | None = None
    confirm: Callable[[Row], str] | None = None
    form: str = ""
    title: str = ""  # of the form that it opens, where that is not its label
    hides: bool = False  # where it is not for the reader or the chosen row, it is not there

    @property
    def form_title(self) -> str:
        """What the form is called that it opens."""
        return self.title or self.label.removesuffix("…")


@dataclass(frozen=True, slots=True)
class Form:
    """Fields and a button that saves them, in the card or in a drawer. One that is `previewed` is
    saved just as it was looked at. `once` is the sentence beside what is shown once after
    saving."""

    fields: tuple[Field, ...]
    save: str
    save_key: str
    drawer: bool = False
    previewed: bool = False
    once: str = ""
    buttons: Callable[[], list[Any]] = list  # before the one that saves
    more: Callable[[], list[Any]] = list  # below the buttons

    @property
    def blank(self) -> dict[str, str]:
        """What the fields hold at first."""
        return {one.name: one.initial for one in self.fields}

    def present(self, values: Mapping[str, Any]) -> dict[str, bool]:
        """Which fields are there, as the choices are."""
        return {
            one.name: all(values.get(name) in among for name, among in one.when.items())
            for one in self.fields
        }


@dataclass(frozen=True, slots=True)
class Card:
    """What a resource shows. `key` is its address in the page, `one` what a record is called;
    `search` are fields above the table that narrow it."""

    key: str
    one: str
    title: str
    help: str
    columns: tuple[Column, ...]
    empty: str
    buttons: tuple[Button, ...] = ()
    form: Form | None = None
    search: tuple[Field, ...] = ()
    page_size: int = 0  # rows that the server sends at a time; 0: all of them
    chart: bool = False  # it is a chart or a table, at a click
    file: bool = False  # all rows come as CSV, too
    by: str = ""  # the field that a record is found by, where it has no number
    named: str = ""  # the field by which the table knows a row again
    tools: Callable[[], list[Any]] = list  # in the head, before the buttons
    below: Callable[[], list[Any]] = list

    @property
    def a_record(self) -> str:
        """What a record is called, with its article."""
        return f"{'an' if self.one[0] in 'aeiou' else 'a'} {self.one}"

    def button(self, key: Any) -> Button | None:
        """The button of a key that came back from a browser."""
        return next((one for one in self.buttons if one.key == key), None)

    def number(self, value: Any) -> Any:
        """The number of a record that came from outside, and so may be anything."""
        if self.by:
            return str(value)
        if not isinstance(value, int) or isinstance(value, bool):
            raise Unknown(self.one, f"that is no {self.one} of this page")
        return value

    def number_of(self, row: Row) -> Any:
        """The number of the record of a row, which came from outside, too."""
        return self.number(row.get(self.by or "id"))

    def row(self, record: Any, zone: str) -> Row:
        """What the columns say of a record, and its number, where it has one."""
        number = {"id": record.id} if hasattr(record, "id") else {}
        return number | cells(self.columns, record, zone)


def cells(columns: Iterable[Column], record: Any, zone: str = "UTC") -> Row:
    """What columns say of a record."""
    return {name: part for one in columns for name, part in one.cell(record, zone).items()}


def page(key: str, cards: Iterable[Card], before: list[Any], after: list[Any]) -> html.Div:
    """A page of them, and what stands before and after."""
    return html.Div(
        [*before, *(card(one) for one in cards), *after],
        className=f"settings-page budgets-page {key}-page", **ids.testid(key),
    )  # fmt: skip


def plain(key: str, text: str, help_: str, body: list[Any]) -> html.Section:
    """A card beside them, without a table."""
    return html.Section(
        [html.Header([title(text, help_)], className="card-head"), *body],
        className="card-section", **ids.testid(f"section-{key}"),
        **{"aria-label": text, "data-state": "ready"},
    )  # fmt: skip


def card(one: Card) -> html.Section:
    """The card, empty."""
    form = one.form and (_drawer(one, one.form) if one.form.drawer else _in_card(one, one.form))
    table = _grid(one)
    body = chart_or_table(partial(_body_part, one), table) if one.chart else _table(one, table)
    return html.Section(
        [
            *_stores(one.key),
            html.Header([title(one.title, one.help), _tools(one)], className="card-head"),
            *_search(one),
            html.P(id=_part(one, "note"), className="price-seen", role="status",
                   **ids.testid(f"{one.key}-found")),
            html.Div(id=_part(one, "problem"), className="problem", role="alert"),
            body,
            *([form] if form else []),
            html.P(id=_part(one, "detail"), className="import-detail", role="status",
                   **ids.testid(f"{one.one}-detail")),
            *one.below(),
        ],
        id=_part(one, "card"), className="card-section", **ids.testid(f"section-{one.key}"),
        **{"aria-label": one.title, "data-state": "loading"},
    )  # fmt: skip


def _table(one: Card, grid: dag.AgGrid) -> html.Div:
    sentence = html.P(id=_part(one, "state"), className="budgets-said", role="status",
                      **ids.testid("state"))  # fmt: skip
    return html.Div([sentence, html.Div(grid, className="budgets-grid", **ids.testid("table"))])


def _body_part(one: Card, name: str) -> ids.Id:
    return _part(one, name) if name == "state" else ids.resource_extra(name, one.key, "chart")


def _part(one: Card, name: str) -> ids.Id:
    return ids.resource(name, one.key)


def _stores(key: str) -> list[Any]:
    names = ("changed", "pending", "edited", "previewed")
    stores = [dcc.Store(id=ids.resource(name, key)) for name in names]
    offset = dcc.Store(id=ids.resource("offset", key), data=0)
    return [*stores, offset, dcc.ConfirmDialog(id=ids.resource("confirm", key))]


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
    mode = [modes(partial(_body_part, one), one.title)] if one.chart else []
    file = [csv_link(ids.resource_extra("file", one.key, "file"))] if one.file else []
    return html.Div(
        [*one.tools(), place, *turns, *buttons, *_choices(one), *mode, *file], className="tools"
    )


def _choices(one: Card) -> list[Any]:
    return [
        dbc.Select(id=ids.resource_find(each.name, one.key), value=each.initial, size="sm",
                   options=options(each.options), class_name="choice", html_size=None,
                   name=each.label)
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
            dbc.Input(id=ids.resource_find(each.name, one.key), value=each.initial,
                      type="date" if each.kind == "date" else "text", placeholder=each.hint,
                      debounce=0.4, autocomplete="off"),
        ])
        for each in one.search if each.kind != "choice"
    ]  # fmt: skip
    return [html.Div(fields, className="key-form")] if fields else []


# --- the form


def _in_card(one: Card, form: Form) -> html.Div:
    row = html.Div([*_fields(one, form), *form.buttons(), _save(one, form)], className="key-form")
    secret = [_secret(one, form.once)] if form.once else []
    return html.Div([row, _problem(one, ""), *secret, *form.more()])


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
        [label, control, _problem(one, each.name),
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


def _problem(one: Card, name: str) -> html.Div:
    return html.Div(id=ids.resource_field("problem", name, one.key), className="problem",
                    role="alert", **ids.testid(f"{one.one}-problem-{name}"))  # fmt: skip


def _secret(one: Card, sentence: str) -> html.Div:
    key = ids.resource_extra("secret", one.key)
    code = html.Code(id=key, **ids.testid(f"{one.one}-secret"))
    copy = dcc.Clipboard(target_id=key, title="Copy it", className="quiet")
    return html.Div([html.P(sentence), code, copy], className="key-shown", role="status")


def pair(field: str, value: Any, text: str = "") -> Row:
    """A value to sort by and how it reads; a text reads as it is."""
    return {field: value, f"{field}_text": text or value}
