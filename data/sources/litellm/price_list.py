"""The part of LiteLLM's price list that every row of its spend logs carries, most of the row's
text: it is cut out of a line before that is parsed, as nothing of it is read.

A line is cut only where its list stands word for word as in an earlier one, which was parsed to
know where it ends. All else is left as it is.
"""

from __future__ import annotations

from typing import Final

from data.sources.entries import SCAN

NAME: Final = "model_map_information"
EMPTY: Final = "{}"
BEGINNING: Final = 200  # characters: the model's name is among them
MOST_LISTS: Final = 1_000  # that are parsed: where each row has another, none is cut


class PriceLists:
    """Cuts lines in which a quote is written as `quote`."""

    def __init__(self, quote: str) -> None:
        self._quote = quote
        self._start = f"{quote}{NAME}{quote}: {{"
        self._known: dict[str, str] = {}
        self._parsed = 0
        self._inside = False  # a quoted cell that the last line left open

    def cut_row(self, line: str) -> str:
        """A line of CSV; shorter only inside a quoted cell."""
        found = self._find(line)
        if found >= 0 and self._inside ^ line.count('"', 0, found) % 2:
            line = self._without(line, found)
        self._inside ^= bool(line.count('"') % 2)
        return line

    def cut(self, line: str) -> str:
        """A line that has no rules of its own for quotes."""
        found = self._find(line)
        return line if found < 0 else self._without(line, found)

    def _find(self, line: str) -> int:
        found = line.find(self._start)
        return found if found < 0 else found + len(self._start) - 1

    def _without(self, line: str, start: int) -> str:
        beginning = line[start : start + BEGINNING]
        known = self._known.get(beginning)
        if known is None or not line.startswith(known, start):
            known = self._learn(line, start)
            if known is None:
                return line
            self._known[beginning] = known
        return line[:start] + EMPTY + line[start + len(known) :]

    def _learn(self, line: str, start: int) -> str | None:
        """The text of the list that begins here; None where it is not plain, or none any more."""
        if self._parsed == MOST_LISTS:
            return None
        self._parsed += 1
        text = line[start:].replace(self._quote, '"')
        try:
            _, end = SCAN(text, 0)
        except (ValueError, StopIteration, RecursionError):
            return None
        spelled = text[:end].replace('"', self._quote)
        plain = spelled.isascii() and "\\" not in spelled and line.startswith(spelled, start)
        return spelled if plain else None
