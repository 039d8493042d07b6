"""A vendor's usage (`use`) and bill (`bill`), one a line: a format that is not ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from data.sources.aggregates import Bill
from data.sources.entries import values
from data.sources.fields import text
from data.sources.files import File
from data.sources.format import Format, Head, Options, Raw, Record, TotalsNote, records


def recognises(head: Head) -> bool:
    return head.first.keys() >= {"acme"}


def read(file: File, options: Options) -> Iterator[Record]:
    bill = Bill()

    def convert(where: str, line: Mapping[str, Any]) -> Iterator[Raw]:
        day = datetime.fromisoformat(line["day"]).replace(tzinfo=UTC)
        raw: Raw = {"event_id": f"acme:{line['acme']}", "ts": day, "source": "acme"}
        if "bill" in line:
            bill.add(raw, Decimal(str(line["bill"])))
        else:
            yield raw | {
                "kind": "llm", "channel": "api", "status": "ok",
                "provider": "openai", "model": text(line["model"]), "input_tokens": line["use"],
            }  # fmt: skip

    yield from records(values(file), convert, options)
    if bill.count:
        yield file.name, TotalsNote(bill.sentence, bill)


FORMAT = Format("acme", "Acme's usage", recognises, read, posted=True, billed_source="acme")
