"""What a Langfuse observation took and cost, in its exports and in spans that carry them.

tokens   usageDetails are disjoint as Langfuse stores them: `input` EXCLUDES cache reads and
         writes, `output` EXCLUDES output_reasoning, which our output includes. Where input +
         output alone make the total, its sender counted them inside: they are taken off.
         The older `usage` where there are no details, if its unit is tokens
cost     what Langfuse calculated or was sent: costDetails.total, calculatedTotalCost or
         totalCost; `reported`. A bare 0 beside tokens had no price there: our book's
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from data.errors import EventError
from data.events.doubts import DOUBTS
from data.sources.fields import NO_AMOUNT, amount, count, nano, parsed, text
from data.sources.format import Raw

APART: Final = "usageDetails: parts are more than the input or output: taken as counted apart"
OLDER: Final = {
    "input": ("input", "promptTokens", "prompt_tokens"),
    "output": ("output", "completionTokens", "completion_tokens"),
    "total": ("total", "totalTokens", "total_tokens"),
}
COLUMNS: Final = {
    "input": ("inputtokens", "prompttokens"), "output": ("outputtokens", "completiontokens"),
    "total": ("totaltokens",),
}  # fmt: skip
READS: Final = ("cached", "cache_read")
WRITES: Final = ("cache_creation", "cache_write")
OF_WHICH: Final = {
    "cache_write_1h_tokens": ("1h", "written"),
    "input_audio_tokens": ("audio", "input"),
    "output_audio_tokens": ("audio", "output"),
    "input_image_tokens": ("image", "input"),
    "output_image_tokens": ("image", "output"),
}
OUT: Final = {"output", "reasoning"}
Row = Mapping[str, Any]


def tokens(row: Row) -> Raw:
    """Our disjoint counts; {} where the observation tells none."""
    used = _details(row) or _older(row)
    if not used:
        return {}
    sums = {"input": 0, "cached": 0, "written": 0, "output": 0, "reasoning": 0}
    for name, number in used.items():
        if name != "total":
            sums[_side(name)] += number
    _make_disjoint(sums, used.get("total"))
    sides = {_side(name) for name in used if name != "total"}
    return {
        "input_tokens": sums["input"] if "input" in sides else None,
        "cached_input_tokens": sums["cached"] if "cached" in sides else None,
        "cache_write_tokens": sums["written"] if "written" in sides else None,
        "output_tokens": sums["output"] + sums["reasoning"] if OUT & sides else None,
        "reasoning_tokens": sums["reasoning"] or None,
        **_of_which(used),
    }


def _of_which(used: Mapping[str, int]) -> Raw:
    """Parts of the counts that have prices of their own, by the words of their names."""
    return {
        field: sum(n for name, n in used.items() if word in name and _side(name) == side) or None
        for field, (word, side) in OF_WHICH.items()
    }


def _side(name: str) -> str:
    """Where a usage type belongs: Langfuse reads `output` in a name as output, all else as input.

    Anthropic's and OpenAI's spellings of cache reads and writes are told apart by their words.
    """
    if any(word in name for word in WRITES):
        return "written"
    if any(word in name for word in READS):
        return "cached"
    if "reasoning" in name:
        return "reasoning"
    return "output" if "output" in name or "completion" in name else "input"


def _make_disjoint(sums: dict[str, int], total: int | None) -> None:
    """Take parts off where a sender counted them inside input and output."""
    if total is None or total != sums["input"] + sums["output"]:
        return
    parts = sums["cached"] + sums["written"]
    if parts > sums["input"] or sums["reasoning"] > sums["output"]:
        DOUBTS.add(APART)
        return
    sums["input"] -= parts
    sums["output"] -= sums["reasoning"]


def _object(name: str, value: Any) -> Row:
    """An object, {} where there is none."""
    found = parsed(name, value)
    if found is not None and not isinstance(found, dict):
        raise EventError(f"{name} is not an object")
    return found or {}


def _details(row: Row) -> dict[str, int]:
    details = dict(_parts(_object("usageDetails", row.get("usagedetails"))))
    found = {str(name): count(f"usageDetails {name}"[:60], each) for name, each in details.items()}
    return {name: number for name, number in found.items() if number is not None}


def _parts(details: Row) -> Iterator[tuple[str, Any]]:
    """The counts; of OpenAI's `…_details`, which are parts of them, those that we tell apart."""
    for name, value in details.items():
        if not isinstance(value, dict):
            yield "total" if name in OLDER["total"] else str(name), value
            continue
        yield from ((f"{name}.{part}"[:60], number) for part, number in value.items()
                    if _side(str(part)) in ("cached", "written", "reasoning"))  # fmt: skip


def _older(row: Row) -> dict[str, int]:
    """The `usage` object of older versions, or the sums in columns or keys of their own."""
    usage = _object("usage", row.get("usage"))
    if (text(usage.get("unit")) or text(row.get("unit")) or "TOKENS").upper() != "TOKENS":
        return {}
    found = {
        name: _first(usage, names, _first(row, COLUMNS[name])) for name, names in OLDER.items()
    }
    numbers = {name: count(name, each) for name, each in found.items()}
    given = {name: number for name, number in numbers.items() if number is not None}
    return given if any(given.values()) else {}


def _first(row: Row, names: tuple[str, ...], other: Any = None) -> Any:
    return next((row[each] for each in names if row.get(each) is not None), other)


def cost(row: Row, used: bool) -> Raw:
    """What Langfuse says it cost; nothing where it had no price, which leaves it to our book."""
    details = _object("costDetails", row.get("costdetails"))
    total = details.get("total")
    if total is None and details:
        parts = [amount(f"costDetails {name}"[:60], each) for name, each in details.items()]
        known = [part for part in parts if part is not None]
        total = NO_AMOUNT if NO_AMOUNT in known else sum(known)
    if total is not None:
        return {"cost_nano": nano("costDetails total", total), "cost_origin": "reported"}
    for name in ("calculatedtotalcost", "totalcost"):
        dollars = amount(name, row.get(name))
        if dollars or (dollars is not None and not used):
            return {"cost_nano": nano(name, dollars), "cost_origin": "reported"}
    return {}
