"""What readers type and choose in, and look at (`assets/controls.js`, `assets/graph.js`)."""

from __future__ import annotations

from typing import ClassVar, Final

from components.own import OwnComponent

# Their looks in a row with others.
SMALL: Final = "form-control-sm"
SMALL_LIST: Final = "form-select-sm"


class Input(OwnComponent):
    """A line to type in. `debounce` is how many milliseconds it waits for more keys; `n_submit`
    counts the times that Return was pressed."""

    _type: ClassVar[str] = "Input"
    _prop_names: ClassVar[list[str]] = [
        "id", "value", "n_submit", "debounce", "type", "inputMode", "name", "placeholder",
        "autoComplete", "maxLength", "step", "list", "className",
    ]  # fmt: skip
    available_properties: ClassVar[list[str]] = _prop_names


class Select(OwnComponent):
    """One of several `options`, each with its `value` and `label`."""

    _type: ClassVar[str] = "Select"
    _prop_names: ClassVar[list[str]] = ["id", "value", "options", "name", "className"]
    available_properties: ClassVar[list[str]] = _prop_names


class Graph(OwnComponent):
    """A `figure` of Plotly's. `clickData` has the `points` that were clicked, as Dash's own has
    them, with the `customdata` of each."""

    _type: ClassVar[str] = "Graph"
    _prop_names: ClassVar[list[str]] = ["id", "figure", "config", "clickData"]
    available_properties: ClassVar[list[str]] = _prop_names
