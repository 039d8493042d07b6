"""Settings → Data: its link, its two tables, what an import's choice shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dash import Dash, Input, Output, State

from callbacks.access.session import current_scope
from components import ids
from components.settings import imports
from data.engines.protocol import EventStore
from data.errors import SpendscopeError
from data.ingest.import_log import LiveImports, list_imports
from data.ingest.sources import detail, sources
from data.local_time import zones
from data.sources import formats
from data.state.store import State as Store

Rows = list[dict[str, Any]]


def page() -> Any:
    """The page with the formats there are."""
    return imports.page({name: one.label for name, one in formats().items()})


def register(app: Dash, state: Store, store: EventStore, tally: LiveImports) -> None:
    """The tables."""

    _choosing(app, state, store)

    def imported(zone: str) -> Rows:
        tally.flush()
        return [imports.import_row(one, zone) for one in list_imports(state, current_scope())]

    def known(zone: str) -> Rows:
        tally.flush()
        found = sources(state, current_scope(), store)
        return [imports.source_row(one, zone) for one in found]

    for key, read in {"sources": known, "imports": imported}.items():
        filled(app, key, Input(ids.house("reload"), "n_clicks"), read, imports.EMPTY[key])


def _choosing(app: Dash, state: Store, store: EventStore) -> None:
    @app.callback(
        Output(ids.house("import-detail"), "children"),
        Input(ids.house("imports-table"), "selectedRows"),
    )
    def choose(selected: Any) -> str:
        return str(selected[0].get("detail", "")) if selected else ""

    @app.callback(
        Output(ids.house("source-detail"), "children"),
        Input(ids.house("sources-table"), "selectedRows"),
    )
    def choose_source(selected: Any) -> str:
        if not selected:
            return ""
        name = str(selected[0].get("name"))
        try:
            return imports.source_detail(name, detail(state, current_scope(), store, name))
        except SpendscopeError as error:
            return str(error)


def filled(app: Dash, key: str, again: Input, read: Callable[[str], Rows], empty: str) -> None:
    """Fill a table when it appears and `again`; one that fails leaves its neighbours alone."""

    @app.callback(
        Output(ids.house(f"{key}-table"), "rowData"),
        Output(ids.house(f"{key}-said"), "children"),
        Output(ids.house(f"{key}-card"), "data-state"),
        Output(ids.house(f"{key}-table"), "selectedRows"),
        Input(ids.house(f"{key}-table"), "id"),
        again,
        State(ids.ZONE, "data"),
    )
    def fill(_: Any, _again: Any, zone: Any) -> Any:
        try:
            found = read(zone if isinstance(zone, str) and zone in zones() else "UTC")
        except SpendscopeError as error:
            return [], str(error), "failed", []
        return (found, "", "ready", []) if found else ([], empty, "empty", [])
