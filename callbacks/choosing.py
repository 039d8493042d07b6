"""How a choice changes: by a control, a chip, the Me button, or an address.

Pure functions from the choice before and what happened to the choice after. A control at its
default is no choice, so that an address holds only what the reader chose.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlencode

from components import filter_bar, ids
from data.filters import LISTS, ME, NAMES, Choice, choose
from data.local_time import instant
from data.windows import DEFAULT_N, DEFAULT_PRESET, Window


def from_address(search: str | None) -> Choice:
    """The choice that a page's query string spells."""
    return choose(parse_qs((search or "").lstrip("?")))


def to_address(choice: Choice) -> str:
    """The query string of a choice, its names always in one order."""
    chosen: Choice = {name: choice[name] for name in NAMES if name in choice}
    said = urlencode(chosen, doseq=True)
    return f"?{said}" if said else ""


def toggled(choice: Choice) -> Choice:
    """The choice with "Me" in or out; other users stay."""
    users = choice.get("user", [])
    kept = [user for user in users if user != ME] if ME in users else [ME, *users]
    return listed(choice, "user", kept)


def listed(choice: Choice, field: str, values: list[str]) -> Choice:
    """The choice with these values of a field; none is no choice."""
    kept = {name: value for name, value in choice.items() if name != field}
    return kept | ({field: values} if values else {})


def without(choice: Choice, chip: dict[str, str]) -> Choice:
    """The choice less what a chip stands for: the window, one value, or those it counts."""
    field, value = chip["chip"], chip["value"]
    if field == filter_bar.TIMED:
        return {name: values for name, values in choice.items() if name in LISTS}
    values = choice.get(field, [])
    kept = [v for v in values if v != value] if value else values[: filter_bar.MOST_CHIPS]
    return listed(choice, field, kept)


def controlled(choice: Choice, trigger: Any, controls: tuple[Any, ...], last: Window) -> Choice:
    """The choice the controls say: preset, N, from, to, zone, users, projects, in this order."""
    preset, n, start, end, tz, users, projects = controls
    if trigger == ids.PRESET:
        n, start, end = None, None, None
    kept = {name: value for name, value in choice.items() if name in LISTS}
    me = [ME] if ME in kept.get("user", []) else []
    kept = listed(listed(kept, "user", me + (users or [])), "project", projects or [])
    return _timed(preset or DEFAULT_PRESET, n, start, end, last) | ({"tz": tz} if tz else {}) | kept


def _timed(preset: str, n: Any, start: Any, end: Any, last: Window) -> Choice:
    if preset == "custom":
        return {"preset": preset, "from": start or local(last.start, last.zone),
                "to": end or local(last.end, last.zone)}  # fmt: skip
    if preset not in DEFAULT_N:
        return {"preset": preset}
    n = str(DEFAULT_N[preset]) if n is None else str(n).strip() or "0"
    if (preset, n) == (DEFAULT_PRESET, str(DEFAULT_N[DEFAULT_PRESET])):
        return {}
    return {"preset": preset, "n": n}


def local(us: int, zone: str) -> str:
    """An instant as a date-and-time field holds it."""
    return f"{instant(us, zone):%Y-%m-%dT%H:%M}"
