"""A browser's part in a redraw of the Overview: the calls it makes, without the browser."""

from __future__ import annotations

import json
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
    kind = "part" if section.shape.has_chart else "band"
    for told in dependencies:
        triggered = {"id": ids.FILTER_STATE, "property": "data"} in told["inputs"]
        if triggered and f'"{kind}":"card"' in told["output"]:
            yield {
                "output": told["output"],
                "outputs": [_output(text, section) for text in _outputs(told["output"])],
                "inputs": [_told(item, section, question) for item in told["inputs"]],
                "state": [_told(item, section, question) for item in told["state"]],
                "changedPropIds": [f"{ids.FILTER_STATE}.data"],
            }


def _outputs(text: str) -> list[str]:
    return text.removeprefix("..").removesuffix("..").split("...")


def _output(text: str, section: Section) -> Any:
    name, _, prop = text.rpartition(".")
    key = _id(name, section)
    if isinstance(key, dict) and key.get("metric") == ["ALL"]:
        return [{"id": key | {"metric": name}, "property": prop} for name in section.metrics]
    return {"id": key, "property": prop}


def _told(item: dict[str, str], section: Section, question: Any) -> Any:
    key = _id(item["id"], section)
    if key == ids.FILTER_STATE:
        return item | {"value": question}
    return {
        "id": key,
        "property": item["property"],
        "value": key if item["property"] == "id" else "",
    }


def _id(text: str, section: Section) -> Any:
    if not text.startswith("{"):
        return text
    key = json.loads(text)
    return key | ({"section": section.key} if key.get("section") == ["MATCH"] else {})


def redraw(post: Callable[[Body], str], bodies: list[Body]) -> None:
    """Make every call; a card that failed ends the measurement."""
    for body in bodies:
        if '"failed"' in (said := post(body)):
            raise SystemExit(f"bench: a section failed: {said[-300:]}")
