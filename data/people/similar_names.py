"""Ids and names folded, so that spellings of one name meet: ann.lee@x.com, Lee Ann, ann_lee.

Alike is not the same: what is found here is shown to somebody who knows the people.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from data.sources.format import Note, Record

SEPARATORS: Final = re.compile(r"[\s._\-+,']+")
TWO_LETTERS: Final = re.compile(r"[^\W\d_]{2}")
# What people add to their name for a key or a machine.
DEVICE_WORDS: Final = frozenset((
    *("cli", "desktop", "dev", "home", "key", "laptop", "linux", "local", "mac", "macbook"),
    *("notebook", "office", "pc", "personal", "phone", "tablet", "token", "windows", "work"),
    "workstation",
))  # fmt: skip
MOST_WATCHED: Final = 10_000
SIMILAR_USERS: Final = (
    "some of the ids that came look like the same person's under another id:"
    " Settings → People suggests which, and merges none by itself"
)


def words(text: str) -> frozenset[str]:
    """The words of an id, of a name, or of an e-mail address before its @."""
    return frozenset(SEPARATORS.split(_local(text))) - {""}


def letters_only(text: str) -> str:
    """The same in one piece, in the order it is written; "" where too short to mean anything."""
    whole = SEPARATORS.sub("", _local(text))
    return whole if len(whole) > 2 and TWO_LETTERS.search(whole) else ""


def sorted_words(found: frozenset[str]) -> str:
    """Several words as one text, in any order the same; "" where they are no name."""
    name = " ".join(sorted(found))
    return name if len(found) > 1 and TWO_LETTERS.search(name) else ""


def without_device_words(found: frozenset[str]) -> frozenset[str]:
    """The words without those of a key or a machine; none if there is no such word."""
    rest = frozenset(one for one in found - DEVICE_WORDS if not one.isdigit())
    return rest if found & DEVICE_WORDS and TWO_LETTERS.search(" ".join(rest)) else frozenset()


def _local(text: str) -> str:
    folded = text.casefold().strip()
    return folded.partition("@")[0] or folded


class SimilarUsers:
    """Whether some users of records look alike; of more than `MOST_WATCHED`, the first."""

    def __init__(self) -> None:
        self._user_by_name: dict[str, str] = {}
        self._users: set[str] = set()
        self._found = False
        self._last: object = None

    def watched(self, records: Iterable[Record]) -> Iterator[Record]:
        """The records, looked at as they pass."""
        for record in records:
            raw = record[1]
            if isinstance(raw, dict) and (user := raw.get("user")) and user != self._last:
                self._last = user
                self.look(user, raw.get("user_name"))
            yield record

    def notes(self) -> list[Note]:
        """What a report says of them."""
        return [Note(SIMILAR_USERS)] if self._found else []

    def look(self, user: object, user_name: object) -> None:
        """Look at one more user, and what it is called."""
        if (
            self._found
            or not isinstance(user, str)
            or user in self._users
            or len(self._users) >= MOST_WATCHED
        ):
            return
        self._users.add(user)
        spellings = [user, *([user_name] if isinstance(user_name, str) else [])]
        ways = [(letters_only(text), sorted_words(words(text))) for text in spellings]
        for name in {name for way in ways for name in way if name}:
            self._found |= self._user_by_name.setdefault(name, user) != user
