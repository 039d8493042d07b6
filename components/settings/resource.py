"""What a settings resource shows: a card with a table, its buttons, a form. Declared as data;
`components/settings/draw.py` draws it, the same for all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as default
from typing import Any, Literal

from data.errors import Unknown
from data.query.units import DASH, TEXT, Unit

Row = dict[str, Any]


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
        return pair(self.field, text if self.unit.dtype == "object" else value, text)


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a form, or of a search; `when` are the choices under which it is there, `along`
    the fields without which it means nothing. A text that `suggests` offers values, which arrive
    with the states of the fields; a search's choice stands in the head."""

    name: str
    label: str
    kind: Literal["text", "numeric", "decimal", "date", "choice", "password"] = "text"
    hint: str = ""
    options: Mapping[str, str] = default(default_factory=dict)
    when: Mapping[str, tuple[str, ...]] = default(default_factory=dict)
    along: tuple[str, ...] = ()
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
    reveals: bool = False  # what its action makes is shown once, as after saving
    hides: bool = False  # where it is not for the reader or the chosen row, it is not there

    @property
    def form_title(self) -> str:
        """What the form is called that it opens."""
        return self.title or self.label.removesuffix("…")


@dataclass(frozen=True, slots=True)
class Form:
    """Fields and a button that saves them, in the card or in a drawer; without a button, a field is
    saved as soon as it is changed. One that is `previewed` is saved just as it was looked at.
    `once` is the sentence beside what is shown once after saving, `saved` what the form of a card
    without a table says then."""

    fields: tuple[Field, ...]
    save: str = ""
    save_key: str = ""
    drawer: bool = False
    previewed: bool = False
    once: str = ""
    saved: str = "Saved"
    buttons: Callable[[], list[Any]] = list  # before the one that saves
    more: Callable[[], list[Any]] = list  # below the buttons

    @property
    def blank(self) -> dict[str, str]:
        """What the fields hold at first."""
        return {one.name: one.initial for one in self.fields}

    def together(self, changed: Iterable[str]) -> set[str]:
        """The fields that are saved when some were changed."""
        names = set(changed)
        return names.union(*(one.along for one in self.fields if one.name in names))

    def present(self, values: Mapping[str, Any]) -> dict[str, bool]:
        """Which fields are there, as the choices are."""
        return {
            one.name: all(values.get(name) in among for name, among in one.when.items())
            for one in self.fields
        }


@dataclass(frozen=True, slots=True)
class Card:
    """What a resource shows. `key` is its address in the page, `one` what a record is called;
    `search` are fields above the table that narrow it. Without columns there is no table: it is one
    record, and its form holds it."""

    key: str
    one: str
    title: str
    help: str
    columns: tuple[Column, ...] = ()
    empty: str = ""
    buttons: tuple[Button, ...] = ()
    form: Form | None = None
    search: tuple[Field, ...] = ()
    page_size: int = 0  # rows that the server sends at a time; 0: all of them
    chart: bool = False  # it is a chart or a table, at a click
    file: bool = False  # all rows come as CSV, too
    json: bool = False  # and as JSON
    by: str = ""  # the field that a record is found by, where it has no number
    named: str = ""  # the field by which the table knows a row again
    mark: str = ""  # what the test ids of its fields begin with, where that is not its key
    tools: Callable[[], list[Any]] = list  # in the head, before the buttons
    below: Callable[[], list[Any]] = list

    @property
    def single(self) -> bool:
        """Whether it is one record, without a table."""
        return not self.columns

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


def pair(field: str, value: Any, text: str = "") -> Row:
    """A value to sort by and how it reads; a text reads as it is."""
    return {field: value, f"{field}_text": text or value}
