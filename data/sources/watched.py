"""Mappings that remember which of their keys were asked for, however deep.

An object that is a text, as in a cell of a table, remembers once it is read. A reader that goes
through all of a mapping has asked for all of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson

# What was said: keys below these are anybody's.
CONTENT: Final = frozenset({
    "content", "messages", "text", "prompt", "completion", "arguments", "args", "parameters",
    "toolUseResult", "tool_input", "functionCall", "functionResponse", "inputBodyJson",
    "outputBodyJson", "instructions", "tools", "schema", "headers",
})  # fmt: skip
# Cells that hold what was said, as text.
CONVERSATION: Final = frozenset(
    {"input", "output", "request", "response", "body", "proxy_server_request"}
)
LONGEST_TEXT: Final = 20_000  # characters; a longer one is content


class Watched(dict[str, Any]):
    """A mapping that remembers which of its keys were asked for."""

    __slots__ = ("_above", "_asked")

    def __init__(self, values: Mapping[str, Any], above: str, asked: set[str]) -> None:
        super().__init__(values)
        self._above, self._asked = above, asked

    def __getitem__(self, name: str) -> Any:
        self._asked.add(f"{self._above}{name}")
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self._asked.add(f"{self._above}{name}")
        return super().get(name, default)

    def __iter__(self) -> Iterator[str]:
        self._ask_all()
        return super().__iter__()

    def keys(self) -> Any:
        self._ask_all()
        return super().keys()

    def values(self) -> Any:
        self._ask_all()
        return super().values()

    def items(self) -> Any:
        self._ask_all()
        return super().items()

    def __or__(self, other: Any) -> Any:
        self._ask_all()
        return super().__or__(other)

    def __ror__(self, other: Any) -> Any:
        self._ask_all()
        return super().__ror__(other)

    def _ask_all(self) -> None:
        self._asked.update(f"{self._above}{name}" for name in dict.keys(self))


class WatchedText(str):
    """The text of an object, which remembers what is asked for of it once it is read."""

    __slots__ = ("above", "asked")
    above: str
    asked: set[str]

    def opened(self, value: Any) -> Any:
        """The object that was read out of it."""
        return watched(value, self.above, self.asked)


def unwatched(row: Mapping[str, Any]) -> Any:
    """The items of a row for who looks at their names alone: that asks for nothing."""
    return dict.items(row) if isinstance(row, dict) else row.items()


def watched(value: Any, above: str, asked: set[str]) -> Any:
    """A value whose mappings note in `asked` the paths that they are asked for, below `above`."""
    if type(value) is list:
        return [watched(each, above, asked) for each in value]
    if type(value) is not dict:
        return value
    inner = {name: each if name in CONTENT else _item(name, each, above, asked)
             for name, each in value.items()}  # fmt: skip
    return Watched(inner, above, asked)


def _item(name: str, value: Any, above: str, asked: set[str]) -> Any:
    if type(value) is str and object_in(name, value) is not value:
        text = WatchedText(value)
        text.above, text.asked = f"{above}{name}.", asked
        return text
    return watched(value, f"{above}{name}.", asked)


def object_in(name: str, value: Any) -> Any:
    """The object that a text is, unless it is what was said; anything else as it is."""
    if (
        type(value) is not str
        or value[:1] != "{"
        or name in CONVERSATION
        or len(value) > LONGEST_TEXT
    ):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value
