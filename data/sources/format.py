"""What a format is: a name, how its files look, and how they become records.

A format is one module of this package with `FORMAT` (or `FORMATS`); the registry finds it.
`records` is the loop they share: whatever goes wrong with one entry rejects that entry alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, NamedTuple, Protocol

from data.errors import EventError, Refused
from data.events.doubts import DOUBTS
from data.sources.files import File
from data.sources.unread import Watch

Raw = dict[str, Any]  # fields of the canonical event, not cleaned yet
FOREIGN = "foreign"  # of a `Raw`: currency and amount of a cost that is not in US dollars
NOTES = "notes"  # of a `Raw`: sentences about it for the report, no field
# What usage rows cost: nano-dollars and how many are unpriced, by source and day since 1970.
UsageCosts = Mapping[tuple[str, int], tuple[int, int]]
MOST_NAMED: Final = 10
NOT_READ: Final = "not read, though it may hold tokens, money or counts"
UNREAD: Final = "{}: " + NOT_READ + ": {}"
Entry = tuple[str, Any]  # ("file:line", a row or value as the file has it, or an EventError)


@dataclass(frozen=True, slots=True)
class Note:
    """No record, but worth a line of the report: what is not counted and why, what differs."""

    text: str


class FileTotals(Protocol):
    """The sums of one file, which an import reconciles with its other files."""

    @staticmethod
    def reconcile(totals: Sequence[Any], costs: UsageCosts, /) -> Iterator[str]:
        """The sentences on all files with totals of this kind."""
        ...


@dataclass(frozen=True, slots=True)
class TotalsNote(Note):
    """A note that an import says anew once all its files are read; until then `text`, if any."""

    totals: FileTotals


Record = tuple[str, Raw | EventError | Note]  # ("file:line", an event, why it is none, or a note)


@dataclass(frozen=True, slots=True)
class Options:
    """What a file cannot say: whose it is, the first instant (aware) where it tells none, and which
    of its `columns` fills which field (`mapping.py`); without dates it is of `start` to `end`.
    `complete` files are not written to any more; `watch` sees what a reader asks for."""

    user: str | None = None
    project: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    complete: bool = False
    watch: Watch | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if self.end and (self.start is None or self.end <= self.start):
            raise Refused("end", "a period has a start, and an end after it")


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of a file, unpacked: bytes, text, CSV columns and first JSON object if any."""

    name: str
    start: bytes
    text: str
    columns: tuple[str, ...]
    first: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Format:
    """`recognises` looks at a head alone; `read` streams a file and raises for no single entry.

    needs_start    its times are offsets, or it has none: only `Options.start` places them
    posted         a body of POST /api/v1/events may be in it
    billed_source  the source of its usage rows, where its vendor bills them in rows of their own:
                   an import compares the bill with what the usage costs by our price book
    columns        names the columns of a file (raises `EventError`), where `Options.columns` may
                   rename them
    places         where its program keeps such files on a machine (`places.py`)
    ignored        patterns of columns, or of paths of keys with dots, that could hold tokens, money
                   or counts and are knowingly left, each with why (`unread.py`)
    """

    name: str
    label: str
    recognises: Callable[[Head], bool]
    read: Callable[[File, Options], Iterator[Record]]
    needs_start: bool = False
    posted: bool = False
    billed_source: str | None = None
    columns: Callable[[File, Head], Collection[str]] | None = None
    places: tuple[str, ...] = ()
    ignored: Mapping[str, str] = field(default_factory=dict)


class WatchedReading(NamedTuple):
    """A watch over files of one format, and the options with it."""

    watch: Watch
    options: Options


Watching = dict[str, WatchedReading]


def records(
    entries: Iterable[Entry], convert: Callable[[str, Any], Iterable[Raw | Note]], options: Options
) -> Iterator[Record]:
    """The events and notes of each entry; `convert(where, entry)` may raise anything."""
    watch = options.watch
    for where, entry in entries:
        gave = False
        try:
            found = require_mapping(entry)
            for raw in convert(where, watch.over(found) if watch else found):
                if isinstance(raw, Note):
                    yield where, raw
                else:
                    gave = True
                    yield where, with_owner(raw, options)
        except EventError as error:
            yield where, error
        except Exception as error:
            yield where, EventError(f"this is no record of the format ({describe_error(error)})")
        if watch and watch.looking:
            watch.settle(entry, gave)


def watched_records(
    form: Format, file: File, options: Options, watching: Watching | None = None
) -> Iterator[Record]:
    """The records of a file; then a sentence on what was left of it and `form` does not declare.
    What is `watching` since earlier files, by format, is used again where nothing was left."""
    watching = {} if watching is None else watching
    watched = watching.pop(form.name, None) or _watched(form, options)
    watched.watch.begin_file()
    yield from form.read(file.keeping_head(), watched.options)
    if (note := unread_note(form.name, watched.watch)) is not None:
        yield file.name, note
    else:
        watching[form.name] = watched


def _watched(form: Format, options: Options) -> WatchedReading:
    watch = Watch(form.ignored)
    return WatchedReading(watch, replace(options, watch=watch))


def unread_note(name: str, watch: Watch) -> Note | None:
    """A sentence on what was left, None where nothing was."""
    left = watch.unread()
    names = ", ".join(left[:MOST_NAMED]) + (", …" if len(left) > MOST_NAMED else "")
    return Note(UNREAD.format(name, names)) if left else None


def require_mapping(entry: Any) -> Any:
    """An entry that is an object; `EventError` where it is something else, or was unreadable."""
    if type(entry) is dict:  # as mostly
        return entry
    if isinstance(entry, EventError):
        raise entry
    if not isinstance(entry, Mapping):
        raise EventError(f"a record is an object with fields, not {type(entry).__name__}")
    return entry


def with_owner(raw: Raw, options: Options) -> Raw:
    """Whose it is, as given at import, where the source is silent."""
    if options.user and not raw.get("user"):
        raw["user"] = options.user
    if options.project and not raw.get("project"):
        raw["project"] = options.project
    return raw


def with_doubts(raw: Raw | EventError) -> Raw | EventError:
    """What a reader just gave; what it found doubtful in it is among its notes."""
    if not DOUBTS.waiting:  # as mostly
        return raw
    sentences = DOUBTS.take()
    return raw if isinstance(raw, EventError) else raw | {NOTES: (*raw.get(NOTES, ()), *sentences)}


def describe_error(error: Exception) -> str:
    """An unexpected error in few words."""
    if isinstance(error, KeyError):
        return f"{error} is missing"
    return f"{type(error).__name__}: {error}"[:160]
