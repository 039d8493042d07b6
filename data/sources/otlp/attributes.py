"""The attributes of a span, log record or data point, and what is asked of them by many names."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any, Final

BITS: Final = count()
MASKS: Final[dict[str, int]] = {}  # a bit for each `Names` that has the spelling


SPELLINGS: Final[dict[str, str]] = {}


def own(name: str) -> str:
    """Our one copy of a name that means something here, so that many spans share it."""
    return SPELLINGS.get(name, name)


class Names(tuple[str, ...]):
    """The spellings of one thing. `bit` is its own: whether a span has any of them is asked dozens
    of times of each, and looking for every spelling took a third of the time of reading it."""

    bit: int

    def __new__(cls, *spellings: str) -> Names:
        made = super().__new__(cls, spellings)
        made.bit = 1 << next(BITS)
        for spelling in spellings:
            SPELLINGS[spelling] = spelling
            MASKS[spelling] = MASKS.get(spelling, 0) | made.bit
        return made


class Attributes(dict[str, Any]):
    """Plain values by name; `spelled` has the bits of all `Names` that are among them."""

    __slots__ = ("spelled",)

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__(values)
        spelled = 0
        for name in values:
            spelled |= MASKS.get(name, 0)
        self.spelled = spelled


def first_text(attributes: Attributes, names: Names) -> str | None:
    """The text of the first of these attributes that says something."""
    # Mostly there is none.
    return first(attributes, *names) if attributes.spelled & names.bit else None


def first(attributes: Mapping[str, Any], *names: str) -> str | None:
    """The same of a few spellings that only one program uses."""
    for name in names:
        value = attributes.get(name)
        if isinstance(value, str) and value.strip():
            return value.strip()
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
    return None


def first_known(attributes: Attributes, names: Names) -> tuple[str, Any]:
    """The first of these attributes that is there, by name; ("", None) if none is."""
    if not attributes.spelled & names.bit:
        return "", None
    for name in names:
        value = attributes.get(name)
        if value is not None and value != "":
            return name, value
    return "", None
