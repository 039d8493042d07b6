"""A browser's part in a redraw of the Overview: the calls it makes, without the browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from components import ids
from components.sections.declared import Section, tab

PATH: Final = "/_dash-update-component"
OVERVIEW: Final = tab("overview").sections
Body = dict[str, Any]


def calls(dependencies: list[Any], question: dict[str, Any]) -> list[Body]:
    """The body of each call that a new question causes, from what Dash says of its callbacks."""
    made = [body for one in OVERVIEW for body in _calls(one, dependencies, question)]
    if len(made) != len(OVERVIEW):
        raise SystemExit("bench: the callbacks have changed; mend tests/bench/viewer.py")
    return made


def _calls(section: Section, dependencies: list[Any], question: Any) -> Iterator[Body]:
    for told in dependencies:
        if told["output"] == f"{ids.dom(ids.card(['MATCH']))}.answer":
            key = ids.card(section.key)
            yield {
                "output": told["output"],
                "outputs": {"id": key, "property": "answer"},
                "inputs": [_told(item, key, question) for item in told["inputs"]],
                "state": [_told(item, key, question) for item in told["state"]],
                "changedPropIds": [f"{ids.FILTER_STATE}.data"],
            }


def _told(item: dict[str, str], key: ids.Id, question: Any) -> Any:
    if item["id"] == ids.FILTER_STATE:
        return item | {"value": question}
    return {
        "id": key,
        "property": item["property"],
        "value": key if item["property"] == "id" else "",
    }


def redraw(post: Callable[[Body], str], bodies: list[Body]) -> None:
    """Make every call; a card that failed ends the measurement."""
    for body in bodies:
        if '"failed"' in (said := post(body)):
            raise SystemExit(f"bench: a section failed: {said[-300:]}")
