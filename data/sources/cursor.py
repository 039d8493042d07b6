"""Cursor's usage export (CSV): one request to a model a row.

event_id      `cursor:` + a fingerprint of the row's time, user, kind, model and tokens, and the
              ordinal among rows that are alike: Cursor gives no id
ts            Date (UTC where it has no zone); user User, where a team exports it; client cursor
model         as it is (`auto` says no more); provider null
tokens        'Input (w/ Cache Write)' are the tokens written to the cache, 'Input (w/o Cache
              Write)' the plain ones: the four counts are disjoint and make Total Tokens, else
              the row is rejected
cost          what Cursor charges the payer, reported: 'Cost to you', else Cost. Rows that a plan
              includes (Kind or Cost says so) or that are not charged cost 0, as with Copilot;
              what Cost says they are worth stands in tags, and a note sums it up. NaN and blank
              are unknown: our list price, where the book knows the model
status        Kind 'Errored, …' is error, 'Aborted, …' aborted; else ok. Kind and Max Mode in tags
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from data.events.doubts import DOUBTS
from data.sources.delimited import rows
from data.sources.fields import NO_AMOUNT, amount, count, fingerprint, nano, tags_json, text
from data.sources.files import File
from data.sources.format import Format, Head, Note, Options, Raw, Record, records
from data.sources.times import instant

COUNTS: Final = {
    "input_tokens": "Input (w/o Cache Write)",
    "cached_input_tokens": "Cache Read",
    "cache_write_tokens": "Input (w/ Cache Write)",
    "output_tokens": "Output Tokens",
}
TOTAL: Final = "Total Tokens"
NEEDED: Final = {"Date", "Model", COUNTS["input_tokens"], COUNTS["output_tokens"]}
COVERED: Final = ("included", "-", "free")
UNCHARGED: Final = re.compile(r"included|not charged|no charge|free", re.IGNORECASE)
UNKNOWN: Final = ("nan", "")
OTHER_TOTAL: Final = f"{TOTAL} is not the sum of the four counts: these hold, its event counts"
FREE: Final[Raw] = {"cost_nano": 0, "cost_origin": "reported"}
Row = Mapping[str, Any]


def recognises(head: Head) -> bool:
    return set(head.columns) >= NEEDED


def read(file: File, options: Options) -> Iterator[Record]:
    duplicates: Counter[str] = Counter()
    included: list[Decimal] = []

    def convert(_: str, row: Row) -> Iterator[Raw]:
        event = _event(row)
        duplicates[event["event_id"]] += 1
        if event.get("cost_nano") == 0:
            included.append(_worth(row) or Decimal(0))
        yield event | {"event_id": f"{event['event_id']}:{duplicates[event['event_id']]}"}

    yield from records(rows(file), convert, options)
    if included:
        cell = f"{len(included):,} rows cost nothing beyond the plan; Cursor says they are worth"
        yield file.name, Note(f"{cell} {sum(included):,.4f} USD")


def _event(row: Row) -> Raw:
    tokens, kind = _tokens(row), text(row.get("Kind")) or ""
    moment, user, model = instant("Date", row["Date"]), text(row.get("User")), text(row["Model"])
    return {
        **request("cursor", moment, user, kind, model, tokens),
        **_cost(row, kind),
        "tags": tags_json(kind=kind, max_mode=text(row.get("Max Mode")), worth=_worth(row)),
    }


def request(
    source: str, moment: datetime, user: str | None, kind: str, model: str | None,
    tokens: Mapping[str, int | None],
) -> Raw:  # fmt: skip
    """A request to a model as Cursor tells it, without its cost."""
    identity = (moment.isoformat(), user, kind, model, sorted(tokens.items()))
    return {
        "event_id": fingerprint(source, *identity),
        "ts": moment,
        "kind": "llm",
        "channel": "other",
        "source": source,
        "status": _status(kind.lower()),
        "user": user,
        "client": "cursor",
        "model": model,
        "operation": "chat",
        **tokens,
    }


def _status(kind: str) -> str:
    if kind.startswith("errored"):
        return "error"
    return "aborted" if kind.startswith("aborted") else "ok"


def _tokens(row: Row) -> dict[str, int | None]:
    found = {name: count(column, row.get(column)) for name, column in COUNTS.items()}
    total = count(TOTAL, row.get(TOTAL))
    if total is not None and total != sum(number or 0 for number in found.values()):
        DOUBTS.add(OTHER_TOTAL)
    return found


def _cost(row: Row, kind: str) -> Raw:
    cell = _cost_cell(row)
    if cell in COVERED or UNCHARGED.search(kind):
        return FREE
    if cell in UNKNOWN:
        return {}
    return {"cost_nano": nano("Cost", cell.removeprefix("$")), "cost_origin": "reported"}


def _cost_cell(row: Row) -> str:
    return (text(row.get("Cost to you")) or text(row.get("Cost")) or "").lower()


def _worth(row: Row) -> Decimal | None:
    """The amount of the row's cost; None where it is a word, nothing or no amount."""
    cell = _cost_cell(row)
    worth = None if cell in (*UNKNOWN, *COVERED) else amount("Cost", cell.removeprefix("$"))
    return None if worth == NO_AMOUNT else worth


IGNORED: Final = {"Cost": "what a request is worth, beside what was paid for it"}
FORMAT = Format("cursor", "Cursor's usage", recognises, read, ignored=IGNORED)
