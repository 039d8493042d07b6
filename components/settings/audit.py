"""The audit trail as a page: one row a change, newest first."""

from __future__ import annotations

from typing import Any, Final

import dash_ag_grid as dag
from dash import dcc, html

from components import ids
from components.page.cards import GRID
from data.query.units import DASH, moment
from data.state.audit import Entry

COLUMNS: Final = (
    ("at", "When"), ("who", "Who"), ("action", "Action"), ("thing", "To"),
    ("changes", "What it was and is"),
)  # fmt: skip
WIDTHS: Final = {"changes": 360, "at": 210, "thing": 160}
WIDE: Final = {"changes": 6, "at": 3, "who": 2}
DONE: Final = {"create": "created", "edit": "edited", "delete": "deleted"}


def page() -> html.Section:
    """The page, empty: a callback fills the table."""
    buttons = [
        html.Button(label, id=key, className="quiet", disabled=True)
        for key, label in ((ids.AUDIT_NEWER, "Newer"), (ids.AUDIT_OLDER, "Older"))
    ]
    place = html.Span(id=ids.AUDIT_PLACE, className="help", role="status",
                      **ids.testid("audit-place"))  # fmt: skip
    head = html.Div([html.H2("Every change"), place])
    return html.Section(
        [
            dcc.Store(id=ids.AUDIT_OFFSET, data=0),
            html.Header([head, html.Div(buttons, className="tools")], className="card-head"),
            html.Div(_grid(), className="budgets-grid"),
        ],
        className="card-section audit-page", **ids.testid("audit"), **{"aria-label": "Audit"},
    )  # fmt: skip


def _grid() -> dag.AgGrid:
    columns = [
        {"field": field, "headerName": label, "flex": WIDE.get(field, 1),
         "minWidth": WIDTHS.get(field, 90), "tooltipField": field,
         "wrapText": field == "changes", "autoHeight": field == "changes"}
        for field, label in COLUMNS
    ]  # fmt: skip
    return dag.AgGrid(
        id=ids.AUDIT, columnDefs=columns, rowData=[], columnSize=None, className="grid",
        dashGridOptions=GRID | {"pagination": False, "domLayout": "autoHeight"},
        defaultColDef={"sortable": False, "resizable": True, "suppressHeaderMenuButton": True},
        style={"width": "100%"},
    )  # fmt: skip


def row(entry: Entry, zone: str) -> dict[str, Any]:
    """An entry as its row reads."""
    changes = [f"{name}: {_change(entry, old, new)}" for name, old, new in entry.changes()]
    who = entry.name if entry.name == entry.who else f"{entry.name} ({entry.who})"
    return {
        "id": entry.id, "at": f"{moment(entry.at, zone)} {zone}", "who": who,
        "action": DONE[entry.action], "thing": entry.thing, "changes": " · ".join(changes),
    }  # fmt: skip


def _change(entry: Entry, old: Any, new: Any) -> str:
    if entry.before is None or entry.after is None:
        return _value(new if entry.before is None else old)
    return f"{_value(old)} → {_value(new)}"


def _value(value: Any) -> str:
    if value is None or value == "":
        return DASH
    return f"{value:,.2f}" if isinstance(value, float) else str(value)
