"""Values as sources write them: blanks, decimals, counts; times stand in `times.py`. What is wrong
raises `EventError`, but for counts: those are unknown then, and noted (`data/events/doubts.py`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any, Final

import orjson

from data.errors import EventError
from data.events import table
from data.events.doubts import DOUBTS
from data.events.money import NANO
from data.events.reasons import no_rate
from data.sources.format import FOREIGN, NOTES, Raw
from data.sources.watched import WatchedText

CODE: Final = re.compile("[A-Z]{3}")  # of a currency
SEPARATE: Final = "{} are fewer than the cached tokens: taken as counted apart from them"
LARGEST: Final = Decimal(10) ** 15
LARGEST_INTEGER: Final = 10**15
INTEGERS: Final = {int}
MANY_DIGITS: Final = 16
NUMERIC: Final = (str, int, float, Decimal)
IMPOSSIBLE: Final = -1  # of a cost that is no amount: data/sources/events.py leaves it unknown
CENTS: Final = 100
NO_AMOUNT: Final = Decimal(IMPOSSIBLE) / NANO
THOUSANDS: Final = re.compile("[, '\u00a0\u202f]")
DOLLARS: Final = ("$", "US$", "USD")
CURRENCY: Final = r"US\$|[$€£¥]|[A-Z]{3}"
SPELLED: Final = re.compile(
    rf"(?P<sign>[-+]?)\s?(?P<before>{CURRENCY})?\s?(?P<minus>[-+]?)"
    rf"(?P<number>(?:\d{{1,3}}(?:{THOUSANDS.pattern}\d{{3}})+|\d+)(?:\.\d+)?)\s?(?P<after>{CURRENCY})?"
)
PLAIN: Final = ("default", "on_demand", "standard_only")  # the standard tier, by other names
TIERS: Final = dict.fromkeys(PLAIN, "standard") | {tier: tier for tier in table.TIERS}
ANY_TIER: Final = ("auto", "unknown", "none", "null")
MCP_NAME: Final = re.compile(r"mcp__(.+?)__(.+)", re.DOTALL)


def text(value: Any) -> str | None:
    """Text without its margins; '' and null are both unknown."""
    if isinstance(value, str):
        return value.strip() or None
    if value is None:
        return None
    raise EventError(f"{str(value)[:40]!r} is not text")


def program(name: str, version: Any) -> str:
    """A program as `client` names it, with its version where that is told: `claude-code 2.1.38`."""
    return f"{name} {version}" if isinstance(version, str) and version.strip() else name


def decimal(name: str, value: Any) -> Decimal | None:
    """The exact number of a text, an integer or a JSON number; unknown where blank."""
    if value is None:
        return None
    kind = type(value)
    if kind is not str and (kind is bool or not isinstance(value, NUMERIC)):
        raise EventError(f"{name} is not a number")
    spelled = str(value).strip() if isinstance(value, (str, float)) else value
    if spelled == "":
        return None
    try:
        number = Decimal(spelled)
    except (InvalidOperation, ValueError):
        number = Decimal(_plain(name, str(value)))
    if not number.is_finite() or number.copy_abs() > LARGEST:  # abs() can overflow
        raise EventError(f"{name} is not a number between -10^15 and 10^15")
    return number


def _plain(name: str, spelled: str) -> str:
    """The digits of a number with a dollar sign or thousands separators."""
    found = SPELLED.fullmatch(spelled.strip())
    if found is None:
        raise EventError(f"{name} is not a number")
    currency = found["before"] or found["after"] or "$"
    if currency not in DOLLARS:
        raise EventError(f"{name} is in {currency}, not in US dollars")
    return found["sign"] + found["minus"] + THOUSANDS.sub("", found["number"])


def plain_count(value: Any) -> int | None:
    """The number that this is, if it is one of digits alone."""
    if type(value) is int:
        return value if 0 <= value <= LARGEST_INTEGER else None
    if type(value) is str and len(value) < MANY_DIGITS and value.isdecimal():
        return int(value)
    return None


def are_counts(values: Sequence[Any]) -> bool:
    """Whether these are all whole numbers that can be counts, as mostly."""
    return {*map(type, values)} == INTEGERS and min(values) >= 0 and max(values) <= LARGEST_INTEGER


def whole(name: str, value: Any) -> int | None:
    """The nearest whole number (milliseconds of a measured duration)."""
    if (plain := plain_count(value)) is not None:  # as mostly
        return plain
    try:
        return nearest(name, value)
    except EventError:
        DOUBTS.unknown(name)
        return None


def nearest(name: str, value: Any) -> int | None:
    """The same; what is none raises."""
    number = decimal(name, value)
    return None if number is None else int(number.to_integral_value(ROUND_HALF_EVEN))


def nano(name: str, value: Any) -> int | None:
    """Nano-dollars of an amount in dollars; finer digits are rounded half-even. One that is not
    finite or absurd is `IMPOSSIBLE`."""
    try:
        number = decimal(name, value)
    except EventError:
        if not _is_a_number(value):
            raise
        return IMPOSSIBLE
    return None if number is None else int((number * NANO).to_integral_value(ROUND_HALF_EVEN))


def amount(name: str, value: Any, parts: int = 1) -> Decimal | None:
    """Dollars of an amount in `parts` of a dollar, every digit. One that is not finite or absurd is
    `NO_AMOUNT`, which `nano` makes `IMPOSSIBLE`."""
    try:
        number = decimal(name, value)
    except EventError:
        if not _is_a_number(value):
            raise
        return NO_AMOUNT
    return None if number is None else number / parts if parts > 1 else number


def below_zero(name: str, value: Any) -> bool:
    """Whether this is a number below zero, as of a refund."""
    if isinstance(value, str) and "-" not in value:  # as mostly
        return False
    try:
        return (decimal(name, value) or 0) < 0
    except EventError:
        return False


def _is_a_number(value: Any) -> bool:
    """Whether this is a number at all, infinite or none as it may be."""
    try:
        Decimal(str(value).strip())
    except InvalidOperation:
        return False
    return not isinstance(value, bool)


def paid(name: str, value: Any, currency: Any) -> Raw:
    """The cost of a record: in US dollars, or as it is in another currency."""
    code = (text(currency) or "USD").upper()
    if code == "USD":
        return {"cost_nano": nano(name, value)}
    if not CODE.fullmatch(code):
        raise EventError(f"currency is {code[:10]!r}, none of three letters")
    number = amount(name, value)
    if number is None or number == NO_AMOUNT:
        return {} if number is None else {"cost_nano": IMPOSSIBLE}
    return {FOREIGN: (code, number)}


def prompt_counts(
    name: str, prompt: int | None, cached: int | None, written: int | None = None
) -> Raw:
    """The three counts of a prompt that INCLUDES what is cached. Where that is more than all of
    it, the source counts it apart (of what it writes and reads the former, if that is enough), and
    a note says so."""
    fresh = None if prompt is None else prompt - (cached or 0) - (written or 0)
    separate = fresh is not None and fresh < 0
    if prompt is not None and separate:
        fresh = prompt - (cached or 0) if prompt >= (cached or 0) else prompt
    return {
        "input_tokens": fresh,
        "cached_input_tokens": cached,
        "cache_write_tokens": written,
        **({NOTES: (SEPARATE.format(name),)} if separate else {}),
    }


def count(name: str, value: Any) -> int | None:
    """A whole number that is not negative; unknown, and noted, where it is none."""
    if value is None:
        return None
    if (plain := plain_count(value)) is not None:  # as mostly
        return plain
    try:
        return exact_count(name, value)
    except EventError:
        DOUBTS.unknown(name)
        return None


def quantity(name: str, value: Any) -> Decimal | None:
    """A number, perhaps with a fraction, that is not negative; unknown, and noted, where it is
    none."""
    try:
        number = decimal(name, value)
    except EventError:
        number = NO_AMOUNT
    if number is None or number >= 0:
        return number
    DOUBTS.no_quantity(name)
    return None


def exact_count(name: str, value: Any) -> int | None:
    """The same; what is none raises."""
    number = decimal(name, value)
    if number is None:
        return None
    if number < 0:
        raise EventError(f"{name} is negative")
    if number != number.to_integral_value():
        raise EventError(f"{name} is not a whole number")
    return int(number)


def parsed(name: str, value: Any) -> Any:
    """JSON that may still be text, as in a CSV cell; None where blank."""
    if not isinstance(value, str):
        return value
    try:
        found = orjson.loads(str(value)) if value.strip() else None
    except orjson.JSONDecodeError:
        raise EventError(f"{name} is not JSON") from None
    return value.opened(found) if isinstance(value, WatchedText) else found


def fingerprint(prefix: str, *parts: Any) -> str:
    return f"{prefix}:{hashlib.sha256(_json(parts)).hexdigest()[:24]}"


def _json(value: Any) -> bytes:
    try:
        return orjson.dumps(value, default=str)
    except TypeError:
        raise EventError("a text holds a character that cannot be stored") from None


def service_tier(tier: Any) -> dict[str, str]:
    """The service tier that a vendor names; one that we have no word for has no price."""
    name = str(tier or "").strip().lower()
    if name in TIERS:
        return {"service_tier": TIERS[name]}
    return {"unpriced_reason": no_rate(name[:40])} if name and name not in ANY_TIER else {}


def tags_json(**found: Any) -> str | None:
    """What is worth keeping as tags, without what is unknown; exact numbers as text."""
    given = {name: value for name, value in found.items() if value not in (None, "")}
    return _json(given).decode() if given else None


def digest(*place: Any) -> str:
    """A stable id of what has none: of the values that make it this one."""
    parts = orjson.dumps([str(part) for part in place])
    return hashlib.blake2b(parts, digest_size=12).hexdigest()


def part(row: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The object under a name; an empty one where there is none."""
    value = row.get(name)
    return value if isinstance(value, (dict, Mapping)) else {}


def folder_name(path: Any) -> str | None:
    """The last part of a folder's path, of either kind of slashes."""
    folder = text(path)
    return folder.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1] or None if folder else None


def mcp_tool(name: str) -> tuple[str, str] | None:
    """Server and tool of a name that coding tools give what goes through MCP."""
    found = MCP_NAME.fullmatch(name)
    return (found[1], found[2]) if found else None


def called_tool(name: str) -> Raw:
    """The fields of a call of a tool: `mcp__server__tool` is an integration."""
    if through := mcp_tool(name):
        server, tool = through
        return {"kind": "integration", "integration": server, "integration_type": "mcp",
                "tool": tool}  # fmt: skip
    return {"kind": "tool", "tool": name}
