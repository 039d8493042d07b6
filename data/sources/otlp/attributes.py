"""The attributes of a span or log record, found by any of the names of what they tell.

The first name that says something counts; `none`, `unknown` and `_OTHER` say nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from data.prices.provider_names import PLACEHOLDERS
from data.sources.fields import quantity
from data.sources.otlp.names import KINDS_OF_COUNTS, MASKS, PROVIDER, Names

ENDPOINT: Final = re.compile(r"\.(?:chat|responses|messages|completion|embedding|generative-ai)$")
# Where counts stand, and what their names say: programs spell them as they like.
COUNT_PREFIXES: Final = ("gen_ai.usage.", "llm.usage.", "llm.anthropic.usage.", "llm.token_count.")
WORD: Final = re.compile(r"[A-Z]?[a-z0-9]+")
NO_COUNT: Final = frozenset({
    *("cost", "price", "rate", "miss", "misses", "saved", "limit", "5m"),
    *("audio", "image", "text", "video"),
})  # fmt: skip
CACHE: Final = frozenset({"cache", "cached"})
MADE: Final = frozenset({"write", "writes", "written", "creation", "created"})
THOUGHT: Final = frozenset({"reasoning", "thinking", "thoughts", "thought"})


@lru_cache(4_096)
def usual_name(name: str) -> str | None:
    """The usual spelling of a count of cached, written or reasoning tokens."""
    prefix = next(each for each in COUNT_PREFIXES if name.startswith(each))
    words = {word.lower() for word in WORD.findall(name.removeprefix(prefix))}
    if words & NO_COUNT:
        return None
    if words & CACHE and words & {"1h", "hour"}:
        return "gen_ai.usage.cache_creation_1h_input_tokens"
    if words & CACHE:
        kind = "creation" if words & MADE else "read"
        return f"gen_ai.usage.cache_{kind}.input_tokens"
    return "gen_ai.usage.reasoning.output_tokens" if words & THOUGHT else None


class Attributes(dict[str, Any]):
    """Plain values by name, counts under their usual one, too; `spelled` has the bits of all
    `Names` that are among them."""

    __slots__ = ("spelled",)

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__(values)
        spelled, others = 0, False
        for name in values:
            if name in MASKS:
                spelled |= MASKS[name]
            else:
                others = others or name.startswith(COUNT_PREFIXES)
        self.spelled = spelled
        if others:
            self._spell_as_usual()

    def _spell_as_usual(self) -> None:
        """Give counts their usual names, too, where no name that is known tells the same."""
        for name in [
            name for name in self if name.startswith(COUNT_PREFIXES) and name not in MASKS
        ]:
            usual = usual_name(name)
            if usual and not self.spelled & MASKS[usual] & KINDS_OF_COUNTS:
                self[usual] = self[name]
                self.spelled |= MASKS[usual]


def first_text(attributes: Attributes, names: Names) -> str | None:
    """The text of the first of these attributes that says something."""
    # Mostly there is none.
    return _first(attributes, names) if attributes.spelled & names.bit else None


def first(attributes: Mapping[str, Any], *names: str) -> str | None:
    """The same of a few spellings that only one program uses."""
    return _first(attributes, names)


def _first(attributes: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    for name in names:
        if (value := attributes.get(name)) is None:
            continue
        if isinstance(value, str):
            if (text := value.strip()) and text not in PLACEHOLDERS:
                return text
        elif isinstance(value, int) and not isinstance(value, bool):
            return str(value)
    return None


def first_known(attributes: Attributes, names: Names) -> tuple[str, Any]:
    """The first of these attributes that is there, by name; ("", None) if none is."""
    if not attributes.spelled & names.bit:
        return "", None
    for name in names:
        value = attributes.get(name)
        if (
            value is not None
            and value != ""
            and not (isinstance(value, str) and value in PLACEHOLDERS)
        ):
            return name, value
    return "", None


def genai_names(attributes: Mapping[str, Any]) -> list[str]:
    """The attributes that are of the GenAI conventions by their prefix, sorted."""
    return sorted(name for name in attributes if name.startswith("gen_ai."))


def provider_of(attributes: Attributes) -> str | None:
    """The provider by name, in lower case; `openai.chat` is openai."""
    return ENDPOINT.sub("", (first_text(attributes, PROVIDER) or "").lower()) or None


def milliseconds(name: str, value: Any, unit: int = 1) -> int | None:
    """Whole milliseconds of a number of `unit` milliseconds each; unknown, and noted, where it is
    none."""
    number = quantity(name, value)
    return None if number is None else int(number * unit)
