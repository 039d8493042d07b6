"""Trees of components as a browser is sent them, `Markup` taken apart again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from plotly.utils import PlotlyJSONEncoder

from components.page.markup import HTML

Tree = Any  # of JSON


def tree_of(component: Any) -> Tree:
    """What is sent of it."""
    return json.loads(json.dumps(component, cls=PlotlyJSONEncoder))


def elements(tree: Tree) -> Iterator[dict[str, Any]]:
    """Every component from it downwards."""
    for one in _listed(tree):
        if isinstance(one, dict):
            yield one
            yield from elements(one["props"].get("children"))


def expanded(tree: Tree) -> Tree:
    """The same with an element each, and with children in lists."""
    made = [each for one in _listed(tree) for each in _expanded(one)]
    return made[0] if len(made) == 1 and not isinstance(tree, list) else made


def _expanded(one: Tree) -> list[Tree]:
    if not isinstance(one, dict) or "props" not in one:
        return [one if isinstance(one, dict) else str(one)]
    children = one["props"].get("children")
    if one["type"] == "Markup":
        return [_node(each, _listed(children)) for each in one["props"]["tree"]]
    return [one | {"props": one["props"] | {"children": _all(_listed(children))}}]


def _node(node: Tree, parts: list[Tree]) -> Tree:
    if isinstance(node, int):
        return _expanded(parts[node])[0]
    if isinstance(node, str):
        return node
    name, props, within = node
    return {
        "namespace": HTML, "type": name.capitalize(),
        "props": props | {"children": [_node(each, parts) for each in within]},
    }  # fmt: skip


def _all(parts: list[Tree]) -> list[Tree]:
    return [each for one in parts for each in _expanded(one)]


def _listed(children: Any) -> list[Any]:
    if children is None:
        return []
    return children if isinstance(children, list) else [children]
