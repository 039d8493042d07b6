"""Markup that no callback reaches, many elements in one component (`assets/markup.js`): a component
of Dash is asked at every change of any other, and half of a page's are never changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, Final

from dash.development.base_component import Component

from components.own import OwnComponent

HTML: Final = "dash_html_components"


class Markup(OwnComponent):
    """`tree` holds texts, elements as `[name, properties, tree]`, and numbers, which stand for the
    `children`: what callbacks do reach."""

    _type: ClassVar[str] = "Markup"
    _prop_names: ClassVar[list[str]] = ["children", "tree"]
    available_properties: ClassVar[list[str]] = _prop_names

    def __init__(self, parts: Iterable[Any]) -> None:
        self.children: list[Component] = []
        self.tree = [self._node(part) for part in parts]

    def _node(self, part: Any) -> Any:
        if not isinstance(part, Component):
            return str(part)
        if not _is_markup(part):
            self.children.append(joined(part))
            return len(self.children) - 1
        props = part.to_plotly_json()["props"]
        props.pop("children", None)
        return [part._type.lower(), props, [self._node(one) for one in _parts(part)]]


def joined(tree: Any) -> Any:
    """The same page, in which what has no id is part of a `Markup`."""
    if not isinstance(tree, Component):
        return tree
    if _is_markup(tree):
        return Markup([tree])
    parts = list(_parts(tree))
    if not any(isinstance(one, Component) for one in parts):
        return tree
    if tree._namespace == HTML and any(map(_is_markup, parts)):
        tree.children = Markup(parts)
    else:
        tree.children = [joined(one) for one in parts]
    return tree


def _is_markup(part: Any) -> bool:
    is_element = isinstance(part, Component) and part._namespace == HTML
    return is_element and not hasattr(part, "id")


def _parts(one: Component) -> Iterator[Any]:
    children = getattr(one, "children", None)
    if children is not None:
        yield from children if isinstance(children, list | tuple) else [children]
