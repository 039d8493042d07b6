"""The first visit: shown around once, remembered for the account; of the demo's personas, who are
many people, by each browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from dash import ClientsideFunction, Dash, Input, Output
from dash.exceptions import PreventUpdate

from callbacks.access.session import current_person
from callbacks.access.viewing import require_own_view
from callbacks.stores import Stores
from components import ids
from components.page.first_visit import steps
from data.people import first_visit

ENDED: Final = "ended"


def arrive(stores: Stores) -> Iterator[tuple[Any, str, Any]]:
    """`(id, property, value)` of what to show, if anything; who looks as somebody else is shown
    nothing."""
    person = current_person()
    if person.viewer is not None:
        return
    if not person.is_demo and first_visit.is_over(stores.state, *person.ids):
        return
    shown = {"steps": steps(person.scope.manages_platform), "byBrowser": person.is_demo}
    yield ids.FIRST_VISIT, "data", shown


def register(app: Dash, stores: Stores) -> None:
    """It begins in the browser, and ends here."""
    app.clientside_callback(
        ClientsideFunction("firstVisit", "begin"), Input(ids.FIRST_VISIT, "data")
    )

    @app.callback(
        Output(ids.FIRST_VISIT, "data"),
        Input(ids.FIRST_VISIT_ENDED, "data"),
        prevent_initial_call=True,
    )
    def end(told: Any) -> None:
        person = current_person()
        require_own_view()
        if told != ENDED or person.is_demo:
            raise PreventUpdate
        first_visit.end(stores.state, stores.settings.now(), *person.ids)
