"""Spans that a file holds in another form than OTLP's: made plain, then read by the same rules.

Ids become hex of full length, times nanoseconds. An event has the id that the span has over OTLP,
so what was sent and then imported is one event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

from data.errors import EventError
from data.events.table import micros
from data.sources.format import Entry, Options, Record, describe_error, require_mapping
from data.sources.otlp.attributes import Attributes
from data.sources.otlp.items import SERVER, Found, Span
from data.sources.otlp.recent import Recent
from data.sources.otlp.requests import records
from data.sources.times import instant

TOGETHER: Final = 5_000  # spans in memory at once
KINDS: Final = {"server": SERVER}
Make = Callable[[Any], Iterable[Span | EventError]]


def read_spans(entries: Iterable[Entry], make: Make, options: Options) -> Iterator[Record]:
    """The records of a file's spans; `make` turns an entry into them and may raise anything."""
    recent, source = Recent(), _spans(entries, make)
    while part := list(islice(source, TOGETHER)):
        yield from records(part, options, recent)


def _spans(entries: Iterable[Entry], make: Make) -> Iterator[Found]:
    for where, entry in entries:
        try:
            for span in make(require_mapping(entry)):
                yield where, span
        except EventError as error:
            yield where, error
        except Exception as error:
            yield where, _no_span(error)


def attempt(make: Callable[..., Span], *parts: Any) -> Span | EventError:
    """One span of several in an entry, or why it is none."""
    try:
        return make(*parts)
    except EventError as error:
        return error
    except Exception as error:
        return _no_span(error)


def _no_span(error: Exception) -> EventError:
    return EventError(f"this is no span of the format ({describe_error(error)})")


def hex_id(value: Any, digits: int) -> str:
    """A trace's or span's id; "" where there is none."""
    text = str(value or "").lower().removeprefix("0x")
    if not text.strip("0"):
        return ""
    return f"{int(text, 16):0{digits}x}"


def ids(trace: Any, own: Any, parent: Any = None) -> tuple[str, str, str]:
    """The three ids of a span, as OTLP has them."""
    return hex_id(trace, 32), hex_id(own, 16), hex_id(parent, 16)


def nanos(name: str, value: Any) -> int:
    """Nanoseconds since 1970 of an ISO 8601 text; 0 where there is none."""
    return micros(instant(name, str(value))) * 1_000 if value not in (None, "") else 0


def kind_of(value: Any) -> int:
    """The kind of a span by name: `SpanKind.SERVER`, `SPAN_KIND_SERVER`, `server`."""
    return KINDS.get(str(value or "").lower().replace("spankind.", "").rpartition("_")[2], 0)


def flat(values: Mapping[str, Any], above: str = "") -> Attributes:
    """Attributes by their dotted names, wherever they are nested."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{above}{name}.")
        elif value is not None:
            found[f"{above}{name}"] = value
    return Attributes(found)
