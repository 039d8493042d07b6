"""Our own events: one JSON object a line, a JSON list, or CSV; fields: docs/developers.md.

Every field means what it is called. `event_id` is kept as it is, so that what was exported can
be imported, and posted twice is stored once; without one the record is rejected. `ts` is ISO
8601 (UTC where it has no offset) or whole microseconds since 1970. The four token counts are
disjoint: `input_tokens` EXCLUDES cache reads and writes.

`cost` (US dollars, number or text, exact) may stand instead of `cost_nano`. Without a cost a
call is priced by our book, unless `cost_origin` says it is `unpriced`.
Defaults: `source` canonical, `channel` other, `status` ok. Nothing else is filled in.
Not counted: an unknown field rejects its record, so that a typing error loses nothing silently.
Rows whose columns have other names are read by a map from fields to columns: `mapping.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

import orjson

from data.errors import EventError
from data.events.table import COUNTS
from data.sources.delimited import rows
from data.sources.entries import begins_json, by_head, documents, entries, is_list, values
from data.sources.fields import count, nano
from data.sources.files import File
from data.sources.format import Entry, Format, Head, Options, Raw, Record
from data.sources.json_paths import inside, lists_in, names_in, unfolded
from data.sources.mapping import is_constant, mapped_records

NEEDED: Final = {"event_id", "ts", "kind"}
SPELLED: Final = frozenset(COUNTS) - {"cost_nano"}  # may come as a cell with thousands
DEFAULTS: Final = {"source": "canonical", "channel": "other", "status": "ok"}


def recognises(head: Head) -> bool:
    return set(head.columns) >= NEEDED or head.first.keys() >= NEEDED


def read(file: File, options: Options) -> Iterator[Record]:
    return mapped_records(file.name, _entries(file, options), convert, options)


def _entries(file: File, options: Options) -> Iterator[Entry]:
    """Rows and JSON values; of a mapped document its records, wherever in it they are."""
    if not options.columns:
        return entries(file)
    lists = lists_in(options.columns.values())
    several = documents if lists else partial(by_head, test=is_list, this=values, that=documents)
    paths = [inside(path) for path in options.columns.values() if not is_constant(path)]
    found = by_head(file, begins_json, several, rows)
    return unfolded(found, lists, paths)


def convert(_: str, entry: Mapping[str, Any]) -> Iterator[Raw]:
    """The canonical record of an entry, with the defaults above."""
    raw = {name: None if value == "" else value for name, value in entry.items()}
    raw |= {name: count(name, raw[name]) for name in SPELLED if isinstance(raw.get(name), str)}
    raw |= {name: value for name, value in DEFAULTS.items() if raw.get(name) is None}
    cost = nano("cost", raw.pop("cost", None))
    if cost is not None:
        if raw.get("cost_nano") is not None:
            raise EventError("cost and cost_nano are both given")
        raw["cost_nano"] = cost
    if isinstance(raw.get("tags"), dict | list):
        raw["tags"] = orjson.dumps(raw["tags"], default=float).decode()
    yield raw


def columns(_: File, head: Head) -> dict[str, None]:
    """The names of a CSV's columns, or of the fields of the objects near the beginning."""
    if not begins_json(head.text):
        return dict.fromkeys(head.columns)
    found = documents(File("", body=head.start))  # none of a document longer than the head
    return {name: None for _, value in found for name in names_in(value)}


FORMAT = Format("canonical", "Spendscope events", recognises, read, posted=True, columns=columns)
