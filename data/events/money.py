"""Money: integer nano-dollars, so that sums are exact on every engine."""

from __future__ import annotations

from typing import Final

NANO: Final = 1_000_000_000


def in_dollars(nano: int | None) -> float | None:
    return None if nano is None else nano / NANO
