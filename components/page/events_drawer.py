"""The events behind a number: a drawer with their sum, a grid that fetches as it is scrolled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import dash_ag_grid as dag
import dash_bootstrap_components as dbc
from dash import html

from components import ids
from components.page.tables import TEXT
from components.values import hover_text
from components.wiring import Store
from data.query.catalog import METRICS
from data.query.filters import PAGE_FIELDS, SINGLE
from data.query.listing import COLUMNS, column_label, column_unit

Row = dict[str, Any]
Order = Sequence[tuple[str, bool]]  # name, descending
PAGE: Final = 100
# Told on hover of the name, as everywhere.
NAMED: Final = {"user_name": "user", "project_name": "project"}
# Cells that lead to the page of what they name (assets/pages.js).
LINKS: Final = {"ts": "TimelineLink"} | dict.fromkeys((*PAGE_FIELDS, *SINGLE), "PageLink")
GRID: Final[Row] = {
    "rowHeight": 34, "headerHeight": 40, "cacheBlockSize": PAGE, "maxBlocksInCache": 20,
    "maxConcurrentDatasourceRequests": 1, "enableCellTextSelection": True, "animateRows": False,
    "tooltipShowDelay": 400,
}  # fmt: skip


def build() -> dbc.Modal:
    """The drawer, closed."""
    return dbc.Modal(
        [
            dbc.ModalHeader(dbc.ModalTitle(id=ids.EVENTS_TITLE), close_button=True),
            dbc.ModalBody(html.Div(id=ids.EVENTS_BODY, **ids.testid("events-drawer"))),
        ],
        id=ids.EVENTS, size="xl", fullscreen="lg-down", scrollable=True, is_open=False,
        class_name="events-drawer", labelledby=ids.EVENTS_TITLE,
    )  # fmt: skip


def body(
    request: Row, totals: Mapping[str, Any], window: str, href: str,
    columns: Sequence[str], order: Order,
) -> list[Any]:  # fmt: skip
    """What is in the drawer; `request` is what the grid sends back for every page, `columns` and
    `order` are how the events stand at first."""
    count = int(totals["events"])
    return [
        Store(id=ids.EVENTS_REQUEST, data=request),
        html.Div(
            [
                html.Span(
                    [f"{METRICS[name].label} ", html.B(_total_text(name, totals))],
                    **ids.testid(f"events-{name}"), **{"data-value": _exact(totals[name])},
                )
                for name in totals
            ]
            + [html.A("CSV", href=href, id=ids.EVENTS_FILE, download="", className="quiet",
                      title="All of these events as CSV", **ids.testid("events-csv"))],
            className="events-total", **ids.testid("events-total"),
        ),
        html.Div(window, className="events-window"),
        html.Div(_grid(count, totals, columns, order), **ids.testid("events-table")),
    ]  # fmt: skip


def _grid(
    count: int, totals: Mapping[str, Any], columns: Sequence[str], order: Order
) -> dag.AgGrid:
    summed = {f"{name}_text": _total_text(name, totals) for name in totals if name in COLUMNS}
    last: Row = {"ts_text": "Total"} | summed
    height = min(max(count, 1), 12) * 34 + 40 + 34 + 16
    return dag.AgGrid(
        id=ids.EVENTS_GRID, columnSize=None,
        # A person's name stands for their id.
        columnDefs=[_column(name, dict(order)) for name in columns if name not in NAMED],
        eventListeners={"modelUpdated": ["fitEvents(params)"]},
        rowModelType="infinite", dashGridOptions=GRID | {"pinnedBottomRowData": [last]},
        className="grid",
        style={"height": f"min({height}px, 58vh)", "width": "100%"},
        defaultColDef={"sortable": True, "resizable": True, "suppressHeaderMenuButton": True},
    )  # fmt: skip


def _column(name: str, order: Mapping[str, bool]) -> Row:
    numeric = column_unit(name).numeric
    return {
        "field": name, "headerName": column_label(name), "wrapHeaderText": True,
        "valueFormatter": {"function": "shown(params)"}, "tooltipField": f"{name}_tip",
        **({"cellRenderer": LINKS[name]} if name in LINKS else {}),
        **({"type": "rightAligned"} if numeric else {}),
        **({"sortingOrder": ["desc", "asc"]} if numeric or name == "ts" else {}),
        **({"sort": "desc" if order[name] else "asc"} if name in order else {}),
    }  # fmt: skip


def rows(
    found: list[Row], zone: str, stamp: Any, several: Mapping[str, tuple[str, ...]]
) -> list[Row]:
    """Events as rows of the grid; `stamp` tells an instant to the second, `several` is as in
    `Answer`."""
    return [_row(one, zone, stamp, several) for one in found]


def _row(one: Row, zone: str, stamp: Any, several: Mapping[str, tuple[str, ...]]) -> Row:
    row: Row = dict(one)
    for name in COLUMNS:
        value = stamp(one["ts"], zone) if name == "ts" else column_unit(name).text(one[name])
        row[f"{name}{TEXT}"] = value if one[name] is not None else "–"
    for name, key in NAMED.items():
        row[f"{key}{TEXT}"] = one[name] or one[key] or "–"
        row[f"{key}_tip"] = hover_text(one[key], several if key == "user" else {})
    return row


def _total_text(name: str, totals: Mapping[str, Any]) -> str:
    return METRICS[name].unit.text(totals[name])


def _exact(value: Any) -> str:
    return "" if value is None else repr(value)
