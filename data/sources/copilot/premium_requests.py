"""GitHub Copilot's premium requests (CSV, as GitHub exported them until October 2025): one use of
a model by a person a row.

event_id      `copilot:premium:` + a fingerprint of time, person and model, and the ordinal among
              rows that are alike: GitHub gives no id
ts            Timestamp, UTC (seven decimals); user User; client copilot; model as it is; provider
              null
tokens        null: GitHub counts requests times a model's factor. That number, the month's quota
              and whether it was exceeded stand in tags
cost          null, unpriced: the report has no money; the billing report of the same days
              (`copilot_billing`) has it
status        GitHub tells no failures: `status` must be something, so it is ok
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from data.sources.aggregates import UNPRICED
from data.sources.delimited import rows
from data.sources.fields import fingerprint, quantity, tags_json, text
from data.sources.files import File
from data.sources.format import Format, Head, Options, Raw, Record, records
from data.sources.times import instant

NEEDED: Final = {"Timestamp", "User", "Model", "Requests Used"}
Row = Mapping[str, Any]


def recognises(head: Head) -> bool:
    return set(head.columns) >= NEEDED


def read(file: File, options: Options) -> Iterator[Record]:
    alike: Counter[str] = Counter()

    def convert(_: str, row: Row) -> Iterator[Raw]:
        event = _event(row)
        own = event["event_id"]
        alike[own] += 1
        yield event | {"event_id": f"{own}:{alike[own]}" if alike[own] > 1 else own}

    return records(rows(file), convert, options)


def _event(row: Row) -> Raw:
    moment = instant("Timestamp", row["Timestamp"])
    user, model = text(row["User"]), text(row["Model"])
    used = quantity("Requests Used", row["Requests Used"])
    return {
        "event_id": fingerprint("copilot:premium", moment.isoformat(), user, model),
        "ts": moment,
        "kind": "llm",
        "channel": "other",
        "source": "copilot",
        "status": "ok",
        "user": user,
        "client": "copilot",
        "model": model,
        **UNPRICED,
        "tags": tags_json(
            unit="requests",
            quantity=None if used is None else str(used),
            over_quota=text(row.get("Exceeds Monthly Quota")),
            total_monthly_quota=text(row.get("Total Monthly Quota")),
        ),
    }


FORMAT = Format(
    "copilot_premium_requests", "GitHub Copilot's premium requests of 2025", recognises, read
)
