"""What pickers hold, a condition a field: an operator, and values or a text. Pure functions between
that and a choice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from data.query.filters import CONTAINS, MORE_FIELDS, NOT, OPERATORS, PICKER_FIELDS, Choice

BETWEEN: Final = ","


class Held(NamedTuple):
    """What the controls of a field hold; several texts stand in one, with commas between."""

    field: str
    operator: str
    values: list[str]
    text: str

    @property
    def name(self) -> str:
        """The list of a choice that they speak of."""
        return f"{self.operator}{self.field}"


def held(operators: Sequence[Any], values: Sequence[Any], texts: Sequence[Any]) -> list[Held]:
    """What came back from a browser, and so may be anything, by field."""
    typed = dict(zip(MORE_FIELDS, texts, strict=True))
    return [
        Held(
            field,
            operator if operator in offered(field) else "",
            [one for one in chosen if isinstance(one, str)] if isinstance(chosen, list) else [],
            text if isinstance(text := typed.get(field), str) else "",
        )
        for field, operator, chosen in zip(PICKER_FIELDS, operators, values, strict=True)
    ]


def offered(field: str) -> tuple[str, ...]:
    """The operators of a field's controls; people are looked for in their list."""
    return tuple(OPERATORS) if field in MORE_FIELDS else ("", NOT)


def lists(choice: Choice, controls: Sequence[Held], turned: str = "") -> Iterator[tuple[str, Any]]:
    """`(name, values)` of what the controls say; where the operator of a field was just `turned`,
    what was chosen goes along, from "is" to "is not" and back. An operator that nothing is chosen
    by was turned a moment before, and the answer to that has not come."""
    for one in controls:
        used = _used(choice, one.field)
        if one.field == turned:
            yield from _exclusively(one, _values(choice, one))
        elif used and one.operator not in used:
            yield from _exclusively(one, one.values)
        else:
            yield one.name, _texts(one.text) if one.operator == CONTAINS else one.values


def _used(choice: Choice, field: str) -> list[str]:
    """The operators by which something is chosen."""
    return [one for one in offered(field) if choice.get(f"{one}{field}")]


def _values(choice: Choice, one: Held) -> list[str]:
    return list(choice.get(one.field) or choice.get(f"{NOT}{one.field}") or [])


def _exclusively(one: Held, values: list[str]) -> Iterator[tuple[str, list[str]]]:
    """The condition of a field, and no other beside it."""
    wanted = _texts(one.text) if one.operator == CONTAINS else values
    for operator in offered(one.field):
        yield f"{operator}{one.field}", wanted if operator == one.operator else []


def _texts(typed: str) -> list[str]:
    parts = (part.strip() for part in typed.split(BETWEEN))
    return list(dict.fromkeys(part for part in parts if part))


def operators(choice: Choice, controls: Sequence[Held] = ()) -> dict[str, str]:
    """The operator to show of each field: the one of what is chosen, else the one that stands."""
    shown = {one.field: one.operator for one in controls}
    return {field: _operator(choice, field, shown.get(field, "")) for field in PICKER_FIELDS}


def _operator(choice: Choice, field: str, shown: str) -> str:
    used = _used(choice, field)
    return shown if shown in used or not used else used[0]


def picked(choice: Choice, shown: Mapping[str, str]) -> list[list[str]]:
    """The values to show of each field under these operators."""
    names = (f"{'' if one == CONTAINS else one}{field}" for field, one in shown.items())
    return [list(choice.get(name, [])) for name in names]


def typed(choice: Choice, controls: Sequence[Held] = ()) -> list[str | None]:
    """The text to show of each field that has one; None where what is typed means the same, so that
    nobody is interrupted."""
    shown = {one.field: _texts(one.text) for one in controls}
    chosen = {field: choice.get(f"{CONTAINS}{field}", []) for field in MORE_FIELDS}
    return [
        None if shown.get(field) == texts else f"{BETWEEN} ".join(texts)
        for field, texts in chosen.items()
    ]
