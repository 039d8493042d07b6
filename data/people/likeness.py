"""Ids and names folded, so that spellings of one name meet: ann.lee@x.com, Lee Ann, ann_lee.

Alike is not the same: what is found here is shown to somebody who knows the people.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from data.sources.format import Note, Record

BETWEEN: Final = re.compile(r"[\s._\-+,']+")
LEAST: Final = re.compile(r"[^\W\d_]{2}")
# What people add to their name for a key or a machine.
THINGS: Final = frozenset((
    *("cli", "desktop", "dev", "home", "key", "laptop", "linux", "local", "mac", "macbook"),
    *("notebook", "office", "pc", "personal", "phone", "tablet", "token", "windows", "work"),
    "workstation",
))  # fmt: skip
MOST_WATCHED: Final = 10_000
ALIKE: Final = (
    "some of the ids that came look like the same person's under another id:"
    " Settings → People suggests which, and merges none by itself"
)


def words(text: str) -> frozenset[str]:
    """The words of an id, of a name, or of an e-mail address before its @."""
    return frozenset(BETWEEN.split(_local(text))) - {""}


def letters(text: str) -> str:
    """The same in one piece, in the order it is written; "" where too short to mean anything."""
    whole = BETWEEN.sub("", _local(text))
    return whole if len(whole) > 2 and LEAST.search(whole) else ""


def name_of(found: frozenset[str]) -> str:
    """Several words as one text, in any order the same; "" where they are no name."""
    said = " ".join(sorted(found))
    return said if len(found) > 1 and LEAST.search(said) else ""


def bare(found: frozenset[str]) -> frozenset[str]:
    """The words without those of a key or a machine; none if there is no such word."""
    rest = frozenset(one for one in found - THINGS if not one.isdigit())
    return rest if found & THINGS and LEAST.search(" ".join(rest)) else frozenset()


def _local(text: str) -> str:
    folded = text.casefold().strip()
    return folded.partition("@")[0] or folded


class Watch:
    """Whether among the users of records some look alike; it looks at the first ten thousand."""

    def __init__(self) -> None:
        self._of: dict[str, str] = {}  # an id by what it folds to
        self._seen: set[str] = set()
        self.alike = False

    def over(self, records: Iterable[Record]) -> Iterator[Record]:
        """The records, looked at as they pass."""
        for record in records:
            raw = record[1]
            if isinstance(raw, dict) and not self.alike:
                self._look(raw.get("user"), raw.get("user_name"))
            yield record

    def note(self) -> list[Note]:
        return [Note(ALIKE)] if self.alike else []

    def _look(self, user: object, name: object) -> None:
        if not isinstance(user, str) or user in self._seen or len(self._seen) >= MOST_WATCHED:
            return
        self._seen.add(user)
        said = [user, *([name] if isinstance(name, str) else [])]
        for key in {key for text in said for key in (letters(text), name_of(words(text))) if key}:
            self.alike |= self._of.setdefault(key, user) != user
