"""Patterns of names: `*` stands for anything, case does not matter."""

from __future__ import annotations


def matches(name: str, pattern: str) -> bool:
    """Whether a whole name is as the pattern says; without `*` they must be the same."""
    glob, given = pattern.lower(), name.lower()
    if "*" not in glob:
        return given == glob
    first, *middle, last = glob.split("*")
    if not given.startswith(first):
        return False
    place = len(first)
    for part in middle:
        place = given.find(part, place) + len(part)
        if place < len(part):
            return False
    return len(given) - place >= len(last) and given.endswith(last)
