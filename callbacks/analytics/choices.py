"""How a choice changes: by a control, a chip, the Me button, or an address.

Pure functions from the choice before and what happened to the choice after. A control at its
default is no choice, so that an address holds only what the reader chose.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final
from urllib.parse import parse_qs, urlencode

from callbacks.analytics import conditions
from components import ids
from components.page import filter_bar
from data.events.table import ME
from data.local_time import instant
from data.query.earlier import CUSTOM, ENDS, PREVIOUS
from data.query.filters import (
    COMPARING,
    EXCLUSIONS,
    LISTS,
    NAMES,
    NOT,
    TIMES,
    Choice,
    Filters,
    read_choice,
)
from data.query.windows import DEFAULT_N, DEFAULT_PRESET, Window

Held = conditions.Held
# The default time, said in full; left out wherever nobody prefers another.
TIMELESS: Final = (*COMPARING, *LISTS)
DEFAULT: Final[Choice] = {"preset": DEFAULT_PRESET, "n": str(DEFAULT_N[DEFAULT_PRESET])}


def from_address(search: str | None) -> Choice:
    """The choice that a page's query string spells."""
    return read_choice(parse_qs((search or "").lstrip("?")))


def to_address(choice: Choice, view: Sequence[tuple[str, str]] = ()) -> str:
    """The query string of a choice, its names always in one order, and of what is chosen on
    cards."""
    chosen = [(name, choice[name]) for name in NAMES if name in choice]
    query = urlencode([*chosen, *view], doseq=True)
    return f"?{query}" if query else ""


def without(choice: Choice, parameter: str) -> Choice:
    """The choice less the part that a parameter belongs to; less everything where none does."""
    parts = (TIMES, COMPARING, *((name,) for name in LISTS))
    part = next((names for names in parts if parameter in names), NAMES)
    return {name: value for name, value in choice.items() if name not in part}


def toggle_me(choice: Choice) -> Choice:
    """The choice with "Me" in or out; other users stay."""
    users = choice.get("user", [])
    chosen = [user for user in users if user != ME] if ME in users else [ME, *users]
    return set_values(choice, "user", chosen)


def spell_default(choice: Choice, preferred: Choice) -> Choice:
    """The choice with the product's default in full where the reader prefers another, so that the
    address brings back what was chosen."""
    if not preferred or any(name in choice for name in TIMES if name != "tz"):
        return choice
    return choice | DEFAULT


def clear_chips(choice: Choice, chips: Any, undo: Any, preferred: Choice) -> Choice:
    """The choice less several chips; without a time it is the reader's own, or past that the
    product's default."""
    left = remove_chips(choice, chips, undo)
    if not preferred or spell_default(left, preferred) == left:
        return left
    return left | (DEFAULT if _chosen_in(choice, filter_bar.TIMED) == preferred else preferred)


def set_values(choice: Choice, field: str, values: list[str]) -> Choice:
    """The choice with these values of a field; none is no choice."""
    others = {name: value for name, value in choice.items() if name != field}
    return others | ({field: values} if values else {})


def remove_chip(choice: Choice, chip: dict[str, str], undo: Any = None) -> Choice:
    """The choice less what a chip stands for: the window, one value, or those it counts.

    Where a click on a chart narrowed to it, what had been chosen before comes back.
    """
    field, value = chip["chip"], chip["value"]
    before = _replaced(choice, field, undo)
    if field == filter_bar.TIMED:
        rest = {name: values for name, values in choice.items() if name in TIMELESS}
        return rest if before is None else rest | dict(before)
    if field in EXCLUSIONS:
        return set_values(choice, field, list(before or ()))
    values = choice.get(field, [])
    kept_values = [v for v in values if v != value] if value else values[: filter_bar.MOST_CHIPS]
    if value and value != ME and before is not None:
        kept_values = list(before)
    if ME in values and value != ME:
        kept_values = [ME, *(v for v in kept_values if v != ME)]
    return set_values(choice, field, kept_values)


def remove_chips(choice: Choice, chips: Any, undo: Any = None) -> Choice:
    """The choice less several chips, as the browser tells them: `{"chip", "value"}` each."""
    for chip in chips if isinstance(chips, list) else ():
        if isinstance(chip, dict) and {type(chip.get("chip")), type(chip.get("value"))} == {str}:
            flipped = chip.get("flip") is True
            choice = flip_chip(choice, chip) if flipped else remove_chip(choice, chip, undo)
    return choice


def flip_chip(choice: Choice, chip: dict[str, str]) -> Choice:
    """The choice with a chip's value left out instead of kept, or those left out kept."""
    field, value = chip["chip"], chip["value"]
    if field in EXCLUSIONS:
        base, values = EXCLUSIONS[field], _values(choice, field)
        both = [*_values(choice, base), *values]
        return set_values(set_values(choice, field, []), base, list(dict.fromkeys(both)))
    if f"{NOT}{field}" not in EXCLUSIONS or value not in _values(choice, field):
        return choice
    kept = [one for one in _values(choice, field) if one != value]
    out = [*_values(choice, f"{NOT}{field}"), value]
    return set_values(set_values(choice, field, kept), f"{NOT}{field}", list(dict.fromkeys(out)))


def drill_down(choice: Choice, drill: Any) -> Choice:
    """The choice narrowed to what was clicked: values of fields, or all but some, a stretch of
    time, or both."""
    if not isinstance(drill, dict):
        return choice
    values, start, end = (drill.get(name) for name in ("values", "from", "to"))
    for field, value in values.items() if isinstance(values, dict) else ():
        if field in EXCLUSIONS:
            left_out = [*_values(choice, field), *(value if _are_texts(value) else ())]
            choice = set_values(choice, field, list(dict.fromkeys(left_out)))
        elif field in LISTS and isinstance(value, str) and value:
            me = [ME] if ME in _values(choice, field) else []
            choice = set_values(choice, field, [*me, value])
    if isinstance(start, str) and isinstance(end, str):
        rest = {name: v for name, v in choice.items() if name in (*TIMELESS, "tz")}
        choice = rest | {"preset": "custom", "from": start, "to": end}
    return choice


def _values(choice: Choice, field: str) -> list[str]:
    """What was chosen of a field, where the browser tells a list."""
    return values if isinstance(values := choice.get(field), list) else []


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def update_undo(undo: Any, before: Choice, after: Choice, drill: bool) -> dict[str, Any]:
    """What each narrowing replaced, as long as it stands: by field, `[was, is]`."""
    earlier = dict(undo) if isinstance(undo, dict) else {}
    for part in (filter_bar.TIMED, *LISTS):
        was, now = _chosen_in(before, part), _chosen_in(after, part)
        if drill and was != now:
            earlier[part] = [was, now]
        elif part in earlier and _replaced(after, part, earlier) is None:
            del earlier[part]
    return {part: earlier[part] for part in earlier if part in (filter_bar.TIMED, *LISTS)}


def _chosen_in(choice: Choice, part: str) -> Any:
    if part == filter_bar.TIMED:
        return {name: choice[name] for name in TIMES if name in choice}
    return choice.get(part, [])


def _replaced(choice: Choice, part: str, undo: Any) -> Any:
    """What was chosen before the narrowing that this choice still shows; None if it does not."""
    entry = undo.get(part) if isinstance(undo, dict) else None
    if not isinstance(entry, list) or len(entry) != 2 or entry[1] != _chosen_in(choice, part):
        return None
    return entry[0] if isinstance(entry[0], type(entry[1])) else None


def from_controls(
    choice: Choice, trigger: Any, controls: tuple[Any, ...], held: Sequence[Held], last: Filters
) -> Choice:
    """The choice the controls say: preset, N, from, to, zone, comparison, from, to; what those of
    fields hold; ranges begin with the `last` dates."""
    preset, n, start, end, tz, compare, *ends = controls
    if trigger == ids.PRESET:
        n, start, end = None, None, None
    if trigger == ids.COMPARE:
        ends = [None, None]
    lists = {name: value for name, value in choice.items() if name in LISTS}
    turned = trigger["pick"] if isinstance(trigger, dict) and "of" in trigger else ""
    operated = turned and trigger == ids.operator(turned)
    for name, values in conditions.lists(choice, held, turned if operated else ""):
        lists = set_values(lists, name, values)
    time = _time_choice(preset or DEFAULT_PRESET, n, start, end, last.window)
    compared = _comparison(compare or PREVIOUS, ends, last.compared or last.window)
    return time | ({"tz": tz} if tz else {}) | compared | lists


def choose_time(choice: Choice, chosen: Any, since: Callable[[], int]) -> Choice:
    """The choice with the time that the menu says: `{"preset", "n", "from", "to"}`, or of
    `everything` as many days as there are `since` the first event."""
    if not isinstance(chosen, dict):
        return choice
    rest = {name: value for name, value in choice.items() if name in (*TIMELESS, "tz")}
    if chosen.get("everything"):
        chosen = {"preset": "last_n_days", "n": since()}
    preset, n = str(chosen.get("preset")), chosen.get("n")
    start, end = (str(chosen.get(name) or "") for name in ("from", "to"))
    return rest | _time_choice(preset, n, start, end, None)


def _comparison(compare: str, ends: list[Any], last: Window) -> Choice:
    """What the comparison's controls say; the previous period goes without saying."""
    if compare == PREVIOUS:
        return {}
    if compare != CUSTOM:
        return {"compare": compare}
    named = zip(ENDS, ends, local_ends(last), strict=True)
    return {"compare": compare} | {name: end or date for name, end, date in named}


def _time_choice(preset: str, n: Any, start: Any, end: Any, last: Window | None) -> Choice:
    """A range that is not said in full begins with the `last` dates."""
    if preset == "custom":
        dates = local_ends(last) if last else (None, None)
        return {"preset": preset, "from": start or dates[0], "to": end or dates[1]}
    if preset not in DEFAULT_N:
        return {"preset": preset}
    n = str(DEFAULT_N[preset]) if n is None else str(n).strip() or "0"
    made = {"preset": preset, "n": n}
    return {} if made == DEFAULT else made


def local_ends(window: Window) -> tuple[str, str]:
    """The two instants of a window as date-and-time fields hold them."""
    return datetime_local(window.start, window.zone), datetime_local(window.end, window.zone)


def datetime_local(us: int, zone: str) -> str:
    """An instant as a date-and-time field holds it."""
    return f"{instant(us, zone):%Y-%m-%dT%H:%M}"
