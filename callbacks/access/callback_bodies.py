"""What a browser sends to have a callback called, looked at before Dash takes it apart.

Dash trusts it: a body of another shape would be an error inside Dash. So a body names a callback
that there is, with the components that the callback was declared with, each of which says its own
`id`; addresses are texts, and all text is Unicode. What the values of other properties mean, each
callback finds out for itself; they too may be anything.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from dash import Dash
from flask import request

from data.errors import Refused

PATH: Final = "/_dash-update-component"
ALL: Final = ["ALL"]
MATCH: Final = ["MATCH"]
TEXTS: Final = frozenset({"pathname", "search", "href", "search_value"})
DEEPEST: Final = 64
PLAIN: Final = (str, int, float, bool)
FORGED: Final = "this is not what the page sends: load it again"
log: Final = logging.getLogger("spendscope")


def attach(app: Dash) -> None:
    """Refuse forged bodies at a server, with one line in its log."""

    @app.server.before_request
    def check() -> None:
        if request.path != PATH or request.method != "POST":
            return
        if problem := _problem(_body(), app.callback_map):
            log.warning("a forged callback was refused: %s", problem)
            raise Refused("body", FORGED)


def _body() -> Any:
    try:
        return request.get_json(silent=True)
    except RecursionError:
        return None


def _problem(body: Any, callbacks: Mapping[str, Any]) -> str:
    """What a body says that no page does."""
    if not isinstance(body, dict):
        return "the body is no object"
    name, changed = body.get("output"), body.get("changedPropIds", [])
    declared = callbacks.get(name) if isinstance(name, str) else None
    if declared is None:
        return "there is no such callback"
    if not isinstance(changed, list) or not all(isinstance(one, str) for one in changed):
        return "changedPropIds are no texts"
    for part, key in (("inputs", "inputs"), ("state", "state")):
        if not _are(body.get(part, []), declared[key]):
            return f"{part} are not those of the callback"
    if not _outputs_are(body.get("outputs"), str(name)):
        return "outputs are not those of the callback"
    return "" if _is_readable(body) else "it is nested too deep, or holds text that is no Unicode"


def _are(sent: Any, declared: Sequence[Mapping[str, str]]) -> bool:
    if not isinstance(sent, list) or len(sent) != len(declared):
        return False
    pairs = zip(sent, declared, strict=True)
    return all(_fits(one, of["id"], of["property"]) for one, of in pairs)


def _outputs_are(sent: Any, name: str) -> bool:
    if sent is None:
        return True
    several = name.startswith("..")
    parts = name.strip(".").split("...") if several else [name]
    places = [part.partition("@")[0].rsplit(".", 1) for part in parts]
    if len(places[0]) == 1:  # of a callback without outputs
        return sent in ([], {})
    listed = sent if several else [sent]
    return isinstance(listed, list) and len(listed) == len(places) and all(
        _fits(one, key, prop) for one, (key, prop) in zip(listed, places, strict=True)
    )  # fmt: skip


def _fits(sent: Any, declared: str, prop: str) -> bool:
    """Whether this is the property of a component, or of the components, of a declared id."""
    pattern = _pattern(declared)
    if isinstance(pattern, dict) and ALL in pattern.values():
        return isinstance(sent, list) and all(_is(one, pattern, prop) for one in sent)
    return _is(sent, pattern, prop)


def _is(sent: Any, pattern: Any, prop: str) -> bool:
    # Of several callbacks that write a property, each has a mark of its own behind its name.
    if not isinstance(sent, dict) or str(sent.get("property")).partition("@")[0] != prop:
        return False
    key, value = sent.get("id"), sent.get("value")
    if prop == "id" and isinstance(key, dict) and value != key:
        return False
    if prop in TEXTS and not isinstance(value, str | None):
        return False
    if not isinstance(pattern, dict):
        return bool(key == pattern)
    return isinstance(key, dict) and key.keys() == pattern.keys() and all(
        isinstance(key[name], PLAIN) if one in (ALL, MATCH) else key[name] == one
        for name, one in pattern.items()
    )  # fmt: skip


@lru_cache(512)
def _pattern(declared: str) -> Any:
    return json.loads(declared) if declared.startswith("{") else declared


def _is_readable(value: Any, deep: int = 0) -> bool:
    if deep > DEEPEST:
        return False
    if isinstance(value, str):
        return value.isascii() or not any("\ud800" <= one <= "\udfff" for one in value)
    if isinstance(value, dict):
        return all(_is_readable(k) and _is_readable(v, deep + 1) for k, v in value.items())
    return not isinstance(value, list) or all(_is_readable(one, deep + 1) for one in value)
