"""A budget: how much may be spent on what, in which period. `draft` is the door: what leaves it
fits the table, and names the field that does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Self

from data.errors import Refused, excerpt
from data.events.money import NANO, in_dollars
from data.events.table import EARLIEST, LATEST, LONGEST_TEXT
from data.local_time import instant, zones
from data.state.accounts import RESERVED

KINDS: Final = {
    "everything": "Everything",
    "project": "Project",
    "user": "User",
    "model": "Model family",
}
PERIODS: Final = {
    "daily": "Daily",
    "weekly": "Weekly",
    "monthly": "Monthly",
    "days": "Every N days",
}
LIMITS: Final = {"soft": "Soft limit", "hard": "Limit"}
MOST_DAYS: Final = 366
MOST_DOLLARS: Final = 1_000_000_000
LONGEST_NUMBER: Final = 40
FIELDS: Final = ("kind", "subject", "period", "days", "zone", "start", "soft", "hard")


@dataclass(frozen=True, slots=True)
class Budget:
    """`soft` and `hard` are nano-dollars; periods count from the one that holds `start`."""

    id: int
    kind: str
    subject: str
    period: str
    days: int | None
    zone: str
    start: str
    soft: int | None
    hard: int

    @classmethod
    def of(cls, row: Any) -> Self:
        """The budget of a stored row."""
        return cls(*row)

    @property
    def since(self) -> date:
        """The local day of `start`."""
        return date.fromisoformat(self.start)

    @property
    def every(self) -> str:
        """`monthly`, or `every 10 days`."""
        if self.period != "days":
            return self.period
        return "every day" if self.days == 1 else f"every {self.days} days"

    def row(self) -> dict[str, Any]:
        """What the table keeps, without the id."""
        return {name: getattr(self, name) for name in FIELDS}

    def as_dict(self) -> dict[str, Any]:
        """The same as people and JSON say it: limits in US dollars."""
        dollars = {name: in_dollars(getattr(self, name)) for name in LIMITS}
        return self.row() | dollars


def draft(raw: Mapping[str, Any], now: int, number: int = 0) -> Budget:
    """The budget that was described; raises `Refused` naming the field that is wrong."""
    for name in raw:
        if name not in FIELDS:
            raise Refused(name[:40], f"a budget has no {excerpt(name)}; it has {', '.join(FIELDS)}")
    kind = _among("kind", "kind of budget", raw.get("kind"), KINDS)
    subject = _subject(kind, raw.get("subject"))
    hard = _money("hard", raw.get("hard"))
    soft = None if _blank(raw.get("soft")) else _money("soft", raw.get("soft"))
    if soft is not None and soft > hard:
        raise Refused("soft", "the soft limit cannot be above the limit")
    period = _among("period", "period", raw.get("period"), PERIODS)
    days = _days(raw.get("days")) if period == "days" else None
    zone = _zone(raw.get("zone"))
    start = _start(raw.get("start"), now, zone)
    return Budget(number, kind, subject, period, days, zone, start, soft, hard)


def _blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _among(field: str, what: str, value: Any, offered: Mapping[str, str]) -> str:
    if not isinstance(value, str) or value not in offered:
        problem = f"no {what}" if _blank(value) else f"{excerpt(value)} is no {what}"
        raise Refused(field, f"{problem}; use one of {', '.join(offered)}")
    return value


def _subject(kind: str, value: Any) -> str:
    if kind == "everything":
        return ""
    what = f"a {KINDS[kind].lower()}"
    if _blank(value):
        raise Refused("subject", f"name {what}")
    if not isinstance(value, str):
        raise Refused("subject", f"{what} is named by text")
    text = value.strip()
    if len(text) > LONGEST_TEXT:
        raise Refused("subject", f"{what} is named by at most {LONGEST_TEXT:,} characters")
    if text in RESERVED or not text.isprintable():
        raise Refused("subject", f"{excerpt(text)} cannot name {what}")
    return text.lower() if kind == "model" else text


def _money(field: str, value: Any) -> int:
    name = LIMITS[field].lower()
    if _blank(value):
        raise Refused(field, f"the {name} is missing: an amount in US dollars")
    number = _decimal(str(value).strip().removeprefix("$").strip())
    if number is None or isinstance(value, bool):
        raise Refused(field, f"the {name} is no number: {excerpt(value)}")
    if number > MOST_DOLLARS:
        raise Refused(field, f"the {name} is at most ${MOST_DOLLARS:,}")
    if (nano := int(number * NANO)) <= 0:
        raise Refused(field, f"the {name} must be more than $0")
    return nano


def _decimal(text: str) -> Decimal | None:
    if len(text) > LONGEST_NUMBER:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    # Bounded before any arithmetic: 1e999999 is a valid Decimal and a very long integer.
    return max(min(number, Decimal(10) ** 18), Decimal(-1)) if number.is_finite() else None


def _days(value: Any) -> int:
    text = str(value).strip()
    whole = text.isascii() and text.isdecimal() and len(text) < 6
    if not whole or not 1 <= int(text) <= MOST_DAYS:
        raise Refused("days", f"N must be a whole number of days from 1 to {MOST_DAYS}")
    return int(text)


def _zone(value: Any) -> str:
    name = "UTC" if _blank(value) else value
    if not isinstance(name, str) or name.strip() not in zones():
        raise Refused(
            "zone", f"{excerpt(name)} is no time zone; use an IANA name like Europe/Berlin"
        )
    return name.strip()


def _start(value: Any, now: int, zone: str) -> str:
    if _blank(value):
        return instant(now, zone).date().isoformat()
    try:
        day = date.fromisoformat(str(value).strip())
    except ValueError:
        raise Refused("start", f"{excerpt(value)} is no date like 2026-11-01") from None
    if not EARLIEST.year < day.year < LATEST.year - 1:
        raise Refused("start", "the start lies outside the years 2001 to 2098")
    return day.isoformat()
