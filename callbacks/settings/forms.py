"""One set of callbacks for the forms of all settings resources: opened, adapted to what is chosen,
saved with problems beside the fields, by a button or as soon as a field is changed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final
from uuid import uuid4

from dash import ALL, Dash, Input, Output, State, ctx, html
from dash.exceptions import PreventUpdate

from callbacks.access.viewing import require_own_view
from callbacks.settings.browser import (
    Find,
    answer,
    clicked,
    finder,
    form_values,
    problems,
    selected_row,
    states,
    values_by_name,
)
from callbacks.settings.resource import (
    Context,
    HalfSaved,
    Opening,
    Page,
    Resource,
    Values,
    current_context,
)
from callbacks.stores import Stores
from components import ids
from components.settings.draw import options
from components.settings.resource import Button, Card, Form, Row
from data.errors import Refused, SpendscopeError

part, field, extra = ids.resource, ids.resource_field, partial(ids.resource_extra, of=ALL)
OUTDATED: Final = "something was changed since the preview: preview it again"


def register(app: Dash, stores: Stores, pages: tuple[Page, ...]) -> None:
    """All of them."""
    find = finder(pages)
    _opening(app, stores, find)
    _fields(app, stores, find)
    _saving(app, stores, find)
    _record(app, stores, find)


# --- opened


OPENED_PARTS: Final = {
    "edited": Output(part("edited", ALL), "data", allow_duplicate=True),
    "problem": Output(field("problem", ALL, ALL), "children"),
    "drawer": Output(extra("drawer", ALL), "is_open"),
    "title": Output(extra("title", ALL), "children"),
    "field": Output(field("field", ALL, ALL), "value", allow_duplicate=True),
    "choice": Output(field("choice", ALL, ALL), "value"),
    "options": Output(field("choice", ALL, ALL), "options"),
}


def _opening(app: Dash, stores: Stores, find: Find) -> None:
    """One for all forms of a page at once: a button may open the form of another card."""

    @app.callback(
        output=OPENED_PARTS,
        inputs={"_clicks": Input(ids.resource_button(ALL, ALL), "n_clicks")},
        state={
            "tables": State(part("table", ALL), "id"),
            "selected": State(part("table", ALL), "selectedRows"),
            "zone": State(ids.ZONE, "data"),
        },
        prevent_initial_call=True,
    )
    def begin(_clicks: Any, tables: Any, selected: Any, zone: Any) -> dict[str, Any]:
        trigger = clicked()
        button = find(trigger).card.button(trigger.get("button"))
        if button is None or button.does not in ("new", "edit"):
            raise PreventUpdate
        resource = find({"resource": button.form}) if button.form else find(trigger)
        row = _row_of(trigger, tables, selected)
        form, opened = _opened(resource, current_context(stores, zone), button, row)
        values = _typed(form, opened.values)
        return answer(
            resource.key, edited=_edited(opened.number), problem=problems(form),
            drawer=True, title=button.form_title, field=values, choice=values,
            options={name: options(offered) for name, offered in opened.options.items()},
        )  # fmt: skip


def _row_of(trigger: Mapping[str, Any], tables: Any, selected: Any) -> Row:
    """The row that is chosen in the table of the button."""
    pairs = zip(tables or (), selected or (), strict=False)
    of_table = (rows for key, rows in pairs if key.get("resource") == trigger.get("resource"))
    return selected_row(next(of_table, None))


def _opened(
    resource: Resource[Any], context: Context, button: Button, row: Row
) -> tuple[Form, Opening]:
    resource.allow(context.scope)
    resource.require_changes(context.scope)
    if resource.card.form is None:
        raise PreventUpdate
    opening = resource.opening(context, button.key, row) if resource.opening else Opening()
    return resource.card.form, opening


def _typed(form: Form, values: Values) -> dict[str, str]:
    """What the fields of a form hold at first, as one would type it."""
    return form.blank | {name: _text(values[name]) for name in form.blank if name in values}


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.9f}".rstrip("0").rstrip(".")
    return "" if value is None else str(value)


def _edited(number: Any) -> dict[str, Any]:
    return {"number": number}


def number_edited(card: Card, edited: Any) -> Any:
    """The number of the record that a form changes, None for a new one."""
    number = edited.get("number") if isinstance(edited, dict) else None
    return None if number is None else card.number(number)


# --- adapted


def _fields(app: Dash, stores: Stores, find: Find) -> None:
    @app.callback(
        output={
            "hidden": Output(field("box"), "hidden"),
            "label": Output(field("label"), "children"),
            "offered": Output(field("offered"), "children"),
        },
        inputs={
            "key": Input(part("table"), "id"),
            "choices": Input(field("choice"), "value"),
            "_changed": Input(part("changed"), "data"),
        },
        state={"names": State(field("choice"), "id")},
    )
    def adapt(key: Any, choices: Any, names: Any, **_: Any) -> dict[str, Any]:
        resource, form, context = find(key), find(key).card.form, current_context(stores)
        if form is None:
            raise PreventUpdate
        resource.allow(context.scope)
        values = values_by_name(names, choices)
        fields = resource.fields(context, values) if resource.fields else {}
        return answer(
            hidden={name: not there for name, there in form.present(values).items()},
            label={name: one.label for name, one in fields.items() if one.label is not None},
            offered={name: [html.Option(label, value=value) for value, label in one.offered]
                     for name, one in fields.items()},
        )  # fmt: skip


# --- saved


SAVED_PARTS: Final = {
    "problem": Output(field("problem"), "children", allow_duplicate=True),
    "drawer": Output(extra("drawer"), "is_open", allow_duplicate=True),
    "secret": Output(extra("secret"), "children"),
    "changed": Output(part("changed"), "data", allow_duplicate=True),
    "field": Output(field("field"), "value", allow_duplicate=True),
    "edited": Output(part("edited"), "data", allow_duplicate=True),
    "previewed": Output(part("previewed"), "data", allow_duplicate=True),
}


def _saving(app: Dash, stores: Stores, find: Find) -> None:
    @app.callback(
        output=SAVED_PARTS,
        inputs={
            "_clicks": Input(extra("save"), "n_clicks"),
            "_submits": Input(field("field"), "n_submit"),
        },
        state=states("key", "fields", "edited", "previewed"),
        prevent_initial_call=True,
    )
    def save(key: Any, fields: Any, edited: Any, previewed: Any, **_: Any) -> dict[str, Any]:
        clicked()
        resource, form, values = find(key), find(key).card.form, form_values(fields)
        try:
            _refuse_unseen(form, values, edited, previewed)
            made = _saved(resource, stores, edited, values)
        except HalfSaved as half:
            now = _edited(half.number)
            return answer(problem=problems(form, half), changed=uuid4().hex, edited=now,
                          previewed=preview_of(values, now))  # fmt: skip
        except SpendscopeError as error:
            return answer(problem=problems(form, error), secret="")
        return answer(
            drawer=False, problem=problems(form), field=form.blank if form else {},
            secret=resource.secret(made) if resource.secret else "", changed=uuid4().hex,
        )  # fmt: skip


def _saved(resource: Resource[Any], stores: Stores, edited: Any, values: dict[str, Any]) -> Any:
    require_own_view()
    context, number = current_context(stores), number_edited(resource.card, edited)
    resource.allow(context.scope)
    resource.require_changes(context.scope)
    if resource.save:
        return resource.save(context, number, values)
    if number is None and resource.create:
        return resource.create(context, values)
    if number is None or resource.change is None:
        raise PreventUpdate
    return resource.change(context, number, values)


def preview_of(values: Mapping[str, Any], edited: Any) -> dict[str, Any]:
    """What a preview is of: nothing is saved that was not looked at just so."""
    return {"values": dict(values), "edited": edited}


def _refuse_unseen(
    form: Form | None, values: Mapping[str, Any], edited: Any, previewed: Any
) -> None:
    if form and form.previewed and previewed != preview_of(values, edited):
        raise Refused("", OUTDATED)


# --- a card that is one record


RECORD_PARTS: Final = {
    "wrong": Output(field("wrong"), "children"),
    "saved": Output(extra("saved"), "children"),
    "typed": Output(field("entry"), "value"),
    "record": Output(extra("record"), "data"),
}


RECORD_FIELDS: Final = {
    "typed": State(field("entry"), "value"),
    "names": (State(field("live"), "id"), State(field("entry"), "id")),
}


def _record(app: Dash, stores: Stores, find: Find) -> None:
    """Of a form without a button only what was changed is saved, so a late request undoes nothing
    that came before it."""

    @app.callback(
        output=RECORD_PARTS,
        inputs={
            "live": Input(field("live"), "value"),
            "_clicks": Input(extra("submit"), "n_clicks"),
            "_submits": Input(field("entry"), "n_submit"),
        },
        state=RECORD_FIELDS,
        prevent_initial_call=True,
    )
    def save(live: Any, typed: Any, names: Any, **_: Any) -> dict[str, Any]:
        # Where the record is on a page, its card need not be.
        keys, trigger = [*names[0], *names[1]], ctx.triggered_id
        if not keys or not isinstance(trigger, dict):
            raise PreventUpdate
        resource, values = find(keys[0]), values_by_name(keys, [*live, *typed])
        form = resource.card.form
        if form is None or resource.save is None:
            raise PreventUpdate
        try:
            changed = {name: values[name] for name in _changed(form) if name in values}
            return _kept(resource, form, current_context(stores), changed)
        except SpendscopeError as error:
            return answer(wrong=problems(form, error), saved="")


def _changed(form: Form) -> set[str]:
    """The fields that are saved: those that were changed, or all of them by a button."""
    if form.save:
        clicked()
        return set(form.blank)
    keys = (one for one in ctx.triggered_prop_ids.values() if isinstance(one, dict))
    return form.together(str(one.get("live")) for one in keys)


def _kept(
    resource: Resource[Any], form: Form, context: Context, changed: dict[str, Any]
) -> dict[str, Any]:
    require_own_view()
    resource.allow(context.scope)
    resource.require_changes(context.scope)
    record = resource.save(context, None, changed) if resource.save else None
    if record is None:
        return answer(wrong=problems(form))
    return answer(wrong=problems(form), saved=form.saved, typed=form.blank, record=record)
