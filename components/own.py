"""Components of our own: React in `assets/`, of which Dash knows the names of their properties."""

from __future__ import annotations

from typing import Any, ClassVar

from dash.development.base_component import Component


class OwnComponent(Component):  # type: ignore[misc]  # its types are Dash's own
    """A component whose type is in `window.spendscope` in the browser."""

    _namespace: ClassVar[str] = "spendscope"
    _children_props: ClassVar[list[str]] = []
    _base_nodes: ClassVar[list[str]] = ["children"]
    _prop_names: ClassVar[list[str]] = []
    available_properties: ClassVar[list[str]] = []
    _valid_wildcard_attributes: ClassVar[list[str]] = []
    available_wildcard_properties: ClassVar[list[str]] = []

    # Dash's own looks for a package called as the namespace, each time anew.
    def __init__(self, children: Any = None, **props: Any) -> None:
        for name, value in (props if children is None else props | {"children": children}).items():
            if name not in self._prop_names:
                raise TypeError(f"{self._type} has no property {name}")
            setattr(self, name, value)
