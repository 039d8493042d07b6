"""Importing: counted once, whatever the order, the threads and the state of the bytes."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import threading
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from data.engines.protocol import EventStore
from data.errors import EventError, SourceError, StoreError
from data.events.merging import WriteResult
from data.events.table import EVENTS, FIELDS, KINDS, Event
from data.ingest.importing import ingest, ingest_paths
from data.people.similar_names import SIMILAR_USERS
from data.prices.book import PUBLIC, PriceBook
from data.sources import File, Options, find, formats, read
from data.sources.events import event_of
from data.sources.format import Note, Record
from data.sources.report import Report

START = Options(start=datetime(2026, 1, 1, tzinfo=UTC))
CALL = {"event_id": "a", "ts": "2026-11-20T12:00:00Z", "kind": "llm"}
COLUMNS = ("files", "format", "read", "accepted", "duplicates", "rejected", "unpriced")
PLACES = ("rejections", "notes", "from", "to", "cost", "tokens")


class Kept:
    """A store in memory, for what needs no database."""

    takes_columns = False

    def __init__(self) -> None:
        self.events: dict[str, Event] = {}

    def write(self, events: Sequence[Event]) -> WriteResult:
        fresh = {e["event_id"]: e for e in reversed(events) if e["event_id"] not in self.events}
        self.events |= fresh
        return WriteResult(fresh.values())

    def book(self) -> PriceBook:
        return PUBLIC

    def load(self, part: Any) -> None:
        """It reads no files itself."""

    def stored_ids(self, ids: Collection[str]) -> set[str]:
        return set(ids) & self.events.keys()

    def stored_shared_ids(self, ids: Collection[str]) -> set[str]:
        return set(ids) & {event["shared_id"] for event in self.events.values()}


def calls(*ids: str, **fields: Any) -> list[Record]:
    return [(f"f:{n}", CALL | {"source": "t", "channel": "api", "status": "ok", "event_id": key}
             | fields) for n, key in enumerate(ids, start=1)]  # fmt: skip


def brought(body: bytes, name: str = "canonical", sink: Any = None) -> Report:
    records = formats()[name].read(File("f", body=body), START)
    return ingest(records, sink or Kept())


def asked(store: EventStore, what: str) -> Any:
    with store.sql.connect() as connection:
        return connection.execute(sa.select(sa.text(what)).select_from(EVENTS)).scalar_one()


# The real files


@pytest.mark.parametrize(
    "path",
    [
        "litellm/spendlogs.csv.gz",
        "litellm/admin_api/spend_logs_v2_p1.json.gz",
        "traces/azure_llm_2023_code.csv.gz",
        "traces/mooncake_conversation_0-7999.jsonl.gz",
        "traces/exgentic_agent_spans.csv.gz",
    ],
)
def test_importing_twice_accepts_nothing(store: EventStore, shared: Path, path: str) -> None:
    first = ingest_paths([shared / path], store, START)
    again = ingest_paths([shared / path], store, START)
    assert first.accepted == first.read == asked(store, "count(*)")
    assert (again.accepted, again.duplicates, again.rejected) == (0, first.read, 0)
    assert (
        again.as_dict() | {"duplicates": 0, "read": 0}
        == Report(files=1, format=first.format).as_dict()
    )


def test_litellm_reports_the_ground_truth(store: EventStore, shared: Path) -> None:
    want = json.loads((shared / "ground_truth.json").read_text())["litellm/spendlogs.csv.gz"]
    found = ingest_paths([shared / "litellm/spendlogs.csv.gz"], store).as_dict()
    assert tuple(found) == (*COLUMNS, *PLACES)
    assert found == {
        "files": 1, "format": "litellm", "read": want["rows"], "accepted": want["rows"],
        "duplicates": 0, "rejected": 0, "unpriced": 58, "rejections": [], "notes": [],
        "from": "2026-10-20T04:40:00.866000+00:00", "to": "2026-11-22T13:09:25.287000+00:00",
        "cost": want["spend_usd"], "tokens": want["prompt_tokens"] + want["completion_tokens"],
    }  # fmt: skip
    assert int(asked(store, "sum(cost_nano)")) / 1e9 == pytest.approx(want["spend_usd"], abs=1e-9)
    assert asked(store, "count(*) filter (where cost_origin = 'list')") == 0


def test_the_same_calls_from_two_doors_are_stored_once(store: EventStore, shared: Path) -> None:
    ingest_paths([shared / "litellm/spendlogs.csv.gz"], store)
    answers = [shared / f"litellm/admin_api/spend_logs_v2_p{page}.json.gz" for page in (1, 2)]
    report = ingest_paths(answers, store)
    assert (report.files, report.accepted, report.duplicates) == (2, 0, 200)


def test_order_does_not_matter(store: EventStore, shared: Path, tmp_path: Path) -> None:
    with gzip.open(shared / "litellm/spendlogs.csv.gz", "rt", newline="") as file:
        header, *table = csv.reader(file)
    random.Random(3).shuffle(table)
    with (tmp_path / "shuffled.csv").open("w", newline="") as file:
        csv.writer(file).writerows([header, *table])
    want = ingest_paths([shared / "litellm/spendlogs.csv.gz"], Kept()).as_dict()
    assert ingest_paths([tmp_path / "shuffled.csv"], store).as_dict() == want
    assert ingest_paths([shared / "litellm/spendlogs.csv.gz"], store).accepted == 0


# What the report says


NO_KIND = f"kind is 'fax', not one of {', '.join(KINDS)}"


def test_read_is_accepted_and_duplicates_and_rejected(store: EventStore) -> None:
    records = [*calls("a", "b", "a"), ("f:4", EventError("no event")), *calls("c", kind="fax")]
    report = ingest(records, store)
    assert (report.accepted, report.duplicates, report.rejected, report.read) == (2, 1, 2, 5)
    assert report.rejections == [("f:4", "no event"), ("f:1", NO_KIND)]


def test_only_accepted_events_are_summed(store: EventStore) -> None:
    ingest(calls("a", ts="2026-01-01", input_tokens=5, cost_nano=5), store)
    records = [
        *calls("a", ts="2025-01-01", input_tokens=7, cost_nano=7),
        *calls("b", ts="2026-11-20T13:00:00+01:00", input_tokens=1, cached_input_tokens=2,
               cache_write_tokens=3, output_tokens=4, reasoning_tokens=4, cost_nano=1_500_000_000),
        *calls("c", ts="2026-11-21", cost_nano=0), *calls("d", ts="2026-11-20T23:00:00"),
        *calls("e", kind="message", ts="2026-11-20T23:00:00"),
    ]  # fmt: skip
    found = ingest(records, store).as_dict()
    assert {name: found[name] for name in ("unpriced", "from", "to", "cost", "tokens")} == {
        "unpriced": 1, "from": "2026-11-20T12:00:00+00:00", "to": "2026-11-21T00:00:00+00:00",
        "cost": 1.5, "tokens": 10,
    }  # fmt: skip


def test_an_empty_import_is_no_error(store: EventStore) -> None:
    assert ingest([], store) == Report()
    assert Report().as_dict()["from"] is None


def test_calls_are_priced_where_the_source_left_it_open(store: EventStore) -> None:
    known = {"provider": "openai", "model": "gpt-4o", "input_tokens": 1_000}
    ingest([*calls("a", **known), *calls("b", **known, cost_nano=1)], store)
    ingest([*calls("c", **known, cost_origin="unpriced"), *calls("d", input_tokens=1)], store)
    with store.sql.connect() as connection:
        rows = connection.execute(
            sa.select(EVENTS.c.cost_nano, EVENTS.c.cost_origin).order_by(EVENTS.c.event_id)
        ).all()
    assert [tuple(row) for row in rows] == [
        (2_500_000, "list"), (1, "reported"), (None, "unpriced"), (None, "unpriced")
    ]  # fmt: skip


def test_only_the_first_rejections_are_told_and_shortly() -> None:
    report = ingest([("f" * 999 + "\udcff", EventError("x" * 999))] * 25, Kept())
    assert (report.rejected, len(report.rejections)) == (25, 20)
    assert len(json.dumps(report.as_dict(), ensure_ascii=False).encode()) < 20 * 700


def test_a_place_with_stray_bytes_can_be_printed() -> None:
    report = ingest([("f\udcff:1", EventError("no \udcff"))], Kept())
    assert json.dumps(report.as_dict(), ensure_ascii=False).encode()


def test_reports_add_up() -> None:
    halves = [calls("a", "b", input_tokens=-1), calls("c", "d", input_tokens=3, cost_nano=4)]
    whole, added = ingest([*halves[0], *halves[1]], Kept()), Report()
    for half in halves:
        added.add(ingest(half, Kept()))
    assert added == whole
    added.add(Report(files=1, format="litellm"))
    added.add(Report(files=2, format="azure, litellm"))
    assert (added.files, added.format) == (3, "azure, litellm")


# Ids, threads, dry runs


def test_a_known_id_under_a_new_time_is_dropped(store: EventStore) -> None:
    ingest(calls("a", ts="2026-11-20"), store)
    report = ingest(calls("a", ts="2026-11-21"), store)
    assert (report.accepted, report.duplicates) == (0, 1)
    assert asked(store, "max(ts)") == 1_763_596_800_000_000 + 365 * 86_400_000_000


def test_eight_threads_store_the_same_events_once(store: EventStore) -> None:
    records = calls(*(f"e{n}" for n in range(2_000)), input_tokens=1, cost_nano=1)
    reports: list[Report] = []
    barrier = threading.Barrier(8)

    def run(seed: int) -> None:
        mine = random.Random(seed).sample(records, len(records))
        barrier.wait()
        reports.append(ingest(mine, store))

    threads = [threading.Thread(target=run, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert asked(store, "count(*)") == asked(store, "count(distinct event_id)") == 2_000
    assert sum(report.accepted for report in reports) == 2_000
    assert sum(report.tokens for report in reports) == sum(r.cost_nano for r in reports) == 2_000
    assert {report.read for report in reports} == {2_000}


def test_a_dry_run_says_the_same_and_writes_nothing(store: EventStore, shared: Path) -> None:
    ingest(calls("a"), store)
    records = [*calls("a", "b", "b"), ("f:9", EventError("no"))]
    dry = ingest(records, store, dry_run=True)
    assert asked(store, "count(*)") == 1
    assert dry == ingest(records, store)
    path = [shared / "litellm/spendlogs.csv.gz"]
    assert ingest_paths(path, store, dry_run=True) == ingest_paths(path, store)


def test_ids_are_remembered_across_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data.ingest.preparing.BATCH", 2)
    for dry_run in (True, False):
        report = ingest(calls("a", "b", "c", "a", "c", "d"), Kept(), dry_run=dry_run)
        assert (report.accepted, report.duplicates) == (4, 2)


def test_records_are_written_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data.ingest.preparing.BATCH", 3)
    sizes: list[int] = []

    class Watched(Kept):
        def write(self, events: Sequence[Event]) -> WriteResult:
            sizes.append(len(events))
            return super().write(events)

    ingest(calls(*"abcdefgh"), Watched())
    assert sizes == [3, 3, 2]


def test_progress_is_told_while_it_works(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(1_000))
    monkeypatch.setattr("data.ingest.preparing.BATCH", 2)
    monkeypatch.setattr("data.ingest.preparing.time.monotonic", lambda: next(clock))
    told: list[int] = []
    ingest(calls(*"abcdef"), Kept(), progress=lambda report: told.append(report.read))
    assert told[0] == 0
    assert told[-1] == 4


def test_a_failing_store_is_not_a_rejection() -> None:
    class Full(Kept):
        def write(self, events: Sequence[Event]) -> WriteResult:
            raise StoreError("the disk is full")

    with pytest.raises(StoreError):
        ingest(calls("a"), Full())


def test_a_failed_import_goes_on_where_it_stopped(
    store: EventStore, event: Callable[..., Event]
) -> None:
    store.write([event(event_id="a"), event(event_id="b")])
    report = ingest(calls("a", "b", "c"), store)
    assert (report.accepted, report.duplicates) == (1, 2)


# Names and bytes nobody expects


NAMES = ["'; DROP TABLE events; --", "<script>alert(1)</script>", "🦊" * 500, '"q",\n', "=1+1", "İ"]


@pytest.mark.parametrize("name", NAMES)
def test_names_are_stored_as_they_are(store: EventStore, name: str) -> None:
    report = brought(json.dumps(CALL | {"user": name, "model": name}).encode(), sink=store)
    assert report.accepted == 1
    with store.sql.connect() as connection:
        assert connection.execute(sa.select(EVENTS.c.user)).scalar_one() == name.strip()


def test_a_name_of_ten_thousand_characters_is_rejected() -> None:
    report = brought(json.dumps(CALL | {"user": "n" * 10_000}).encode())
    assert report.rejections == [("f:1", "user is longer than 1,000 characters")]
    report = brought(json.dumps(CALL | {"n" * 10_000: 1}).encode())
    assert len(report.rejections[0][1]) <= 300


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ({"output_tokens": 1, "reasoning_tokens": 2}, {"output_tokens": 1, "reasoning_tokens": 1}),
        ({"cache_write_tokens": 0, "cache_write_1h_tokens": 5}, {"cache_write_1h_tokens": 0}),
        ({"input_tokens": 9, "input_audio_tokens": 6, "input_image_tokens": 4},
         {"input_audio_tokens": 6, "input_image_tokens": 3}),
        ({"output_tokens": 5, "output_audio_tokens": 3, "reasoning_tokens": 3},
         {"output_audio_tokens": 3, "reasoning_tokens": 2}),
    ],
)  # fmt: skip
def test_a_part_larger_than_its_whole_loses_no_call(raw: Any, kept: Any) -> None:
    report = brought(json.dumps(CALL | raw).encode())
    assert (report.accepted, report.rejected) == (1, 0)
    [(sentence, times)] = report.notes.items()
    assert (times, "of which they are a part" in sentence) == (1, True)
    event = event_of({**CALL, "source": "t", "channel": "api", "status": "ok", **raw})
    assert {name: event[name] for name in kept} == kept


def test_bad_rows_cost_only_themselves() -> None:
    good = [CALL | {"event_id": f"g{n}"} for n in range(3)]
    bad = [
        CALL | {"status": "fine"},
        CALL | {"ts": "1066-10-14"},
        CALL | {"ts": "3026-01-01"},
        CALL | {"service_tier": "first class"},
        CALL | {"kind": "message", "input_tokens": 1},
        ["no", "event"],
    ]
    body = "\n".join(json.dumps(each) for pair in zip(good * 2, bad, strict=True) for each in pair)
    report = brought(body.encode())
    assert (report.accepted, report.duplicates, report.rejected) == (3, 3, 6)
    assert [where for where, _ in report.rejections] == [f"f:{n}" for n in range(2, 13, 2)]


SAMPLES = {
    "canonical": "".join(json.dumps(CALL | {"event_id": f"e{n}"}) + "\n" for n in range(20)),
    "azure": "TIMESTAMP,ContextTokens,GeneratedTokens\n" + "2023-11-16 18:17:03.97,48,1\n" * 20,
    "mooncake": '{"timestamp": 0, "input_length": 7, "output_length": 1}\n' * 20,
    "exgentic": "span_id,start_time_iso,harness,is_error,input_tokens,output_tokens\n"
    + "".join(f"s{n},2026-04-19T10:29:02,h,false,1,2\n" for n in range(20)),
    "litellm": json.dumps(
        [{"request_id": f"r{n}", "call_type": "acompletion", "spend": 0.1, "prompt_tokens": 9,
          "startTime": "2026-11-20 12:00:00", "custom_llm_provider": "openai", "status": "success",
          "metadata": {"usage_object": {"cache_read_input_tokens": 3}}} for n in range(20)]
    ),
}  # fmt: skip


def test_samples_are_good() -> None:
    for name, body in SAMPLES.items():
        report = brought(body.encode(), name)
        assert (report.accepted, report.rejected) == (20, 0), (name, report)


@settings(max_examples=150, deadline=None)
@given(
    name=st.sampled_from(sorted(SAMPLES)),
    packed=st.booleans(),
    keep=st.floats(0, 1),
    flips=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 7)), max_size=5),
)
def test_damaged_bytes_are_at_worst_rejected(
    name: str, packed: bool, keep: float, flips: list[tuple[float, int]]
) -> None:
    body = bytearray(gzip.compress(SAMPLES[name].encode()) if packed else SAMPLES[name].encode())
    for place, bit in flips:
        body[int(place * len(body))] ^= 1 << bit
    report = brought(bytes(body[: int(keep * len(body))]), name)
    assert report.read <= 60
    assert all(where and reason for where, reason in report.rejections)


@settings(max_examples=150, deadline=None)
@given(body=st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode)))
def test_any_bytes_are_at_worst_one_sentence(body: bytes, tmp_path_factory: Any) -> None:
    for name in formats():
        brought(body, name)
    path = tmp_path_factory.mktemp("any") / "a.json"
    path.write_bytes(body)
    with suppress(SourceError):
        ingest(read(find([path]), START), Kept())


TEXT = st.text(max_size=20) | st.sampled_from(["1e999", "-1", "NaN", "2026-01-01", "🦊"])
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | TEXT | st.integers(-(10**400), 10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(field=st.sampled_from([*FIELDS, "cost"]), value=JSON)
def test_any_value_in_any_field_is_at_worst_rejected(field: str, value: Any) -> None:
    body = json.dumps(CALL | {field: value}) + "\n" + json.dumps(CALL | {"event_id": "other"})
    report = brought(body.encode())
    assert report.read == 2
    assert report.accepted >= 1
    json.dumps(report.as_dict(), ensure_ascii=False).encode()


LITELLM = json.loads(SAMPLES["litellm"])[0]
NESTED = ("metadata", "request_tags", "endTime", "request_duration_ms", "user", "team_id")


@settings(max_examples=300, deadline=None)
@given(field=st.sampled_from([*LITELLM, *NESTED]), value=JSON, inside=st.booleans())
def test_any_value_in_a_litellm_row_is_at_worst_rejected(
    field: str, value: Any, inside: bool
) -> None:
    change = {"metadata": {"usage_object": value, "error_information": value}} if inside else {}
    body = json.dumps([LITELLM | {field: value} | change, LITELLM | {"request_id": "other"}])
    report = brought(body.encode(), "litellm")
    assert report.read == 2
    assert report.accepted >= 1


TRACES: dict[str, dict[str, Any]] = {
    "azure": {"TIMESTAMP": "2023-11-16 18:17:03.97", "ContextTokens": "48", "GeneratedTokens": "1"},
    "mooncake": {"timestamp": 0, "input_length": 7, "output_length": 1, "hash_ids": [1]},
    "exgentic": {"span_id": "s", "start_time_iso": "2026-04-19T10:29:02", "harness": "h",
                 "is_error": "false", "input_tokens": "1", "output_tokens": "2",
                 "duration_ms": "3", "response_model": "m", "status_message": ""},
}  # fmt: skip
HUGE = st.sampled_from(["9" * 400, "1e999", "-1", "1.5", "10" + "0" * 15, "NaN", "\u0664", " 7 "])


@settings(max_examples=300, deadline=None)
@given(name=st.sampled_from(sorted(TRACES)), place=st.integers(0, 20), value=JSON | HUGE)
def test_any_value_in_a_trace_is_at_worst_rejected(name: str, place: int, value: Any) -> None:
    well = TRACES[name]
    row = well | {[*well][place % len(well)]: value}
    if name == "mooncake":
        body = "\n".join(json.dumps(each) for each in (row, well))
    else:
        cells = [str(cell) for cell in row.values()]
        text = io.StringIO()
        other = well | ({"span_id": "other"} if name == "exgentic" else {})
        csv.writer(text).writerows([[*well], cells, [*other.values()]])
        body = text.getvalue()
    report = brought(body.encode(errors="surrogatepass"), name)
    assert report.accepted >= 1 or "\x00" in body
    assert report.read <= 3
    assert report.tokens < 10**16
    json.dumps(report.as_dict(), ensure_ascii=False).encode()


MAPPED = {"ts": "when", "user": "who", "model": "m", "cost": "usd", "input_tokens": "in",
          "output_tokens": "out", "duration_ms": "took", "kind": "what"}  # fmt: skip
PLAIN = {"when": "2026-11-20T12:00:00Z", "who": "ana", "m": "gpt-4o", "usd": "0.5", "in": "7",
         "out": "1", "took": "12", "what": "llm"}  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(name=st.sampled_from(sorted(PLAIN)), value=JSON | HUGE, table=st.booleans())
def test_any_value_in_a_mapped_column_is_at_worst_rejected(
    name: str, value: Any, table: bool
) -> None:
    row, other = PLAIN | {name: value}, PLAIN | {"who": "bo"}
    text = io.StringIO()
    if table:
        csv.writer(text).writerows([[*PLAIN], [str(each) for each in row.values()],
                                    [*other.values()]])  # fmt: skip
    else:
        text.write("\n".join(json.dumps(each) for each in (row, other)))
    body = text.getvalue().encode(errors="surrogatepass")
    file = File("f", body=body)
    source = formats()["canonical"].read(file, Options(columns=MAPPED))
    report = ingest(source, Kept())
    assert report.accepted >= 1 or b"\x00" in body
    assert report.read <= 3
    json.dumps(report.as_dict(), ensure_ascii=False).encode()


@settings(max_examples=100, deadline=None)
@given(
    keep=st.floats(0, 1),
    flips=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 7)), max_size=5),
    table=st.booleans(),
)
def test_damaged_mapped_files_are_at_worst_rejected(
    keep: float, flips: list[tuple[float, int]], table: bool
) -> None:
    lines = [",".join(PLAIN), *[",".join(PLAIN.values())] * 9]
    told = lines if table else [json.dumps(PLAIN)] * 9
    body = bytearray("\n".join(told).encode())
    for place, bit in flips:
        body[int(place * len(body))] ^= 1 << bit
    file = File("f", body=bytes(body[: int(keep * len(body))]))
    report = ingest(formats()["canonical"].read(file, Options(columns=MAPPED)), Kept())
    assert report.read <= 20
    assert all(where and reason for where, reason in report.rejections)


@settings(max_examples=200, deadline=None)
@given(cells=st.lists(st.text(max_size=30), min_size=3, max_size=3))
def test_any_cell_of_a_table_is_at_worst_rejected(cells: list[str]) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([["event_id", "ts", "kind"], cells, ["a", "2026-11-20", "llm"]])
    body = text.getvalue().encode(errors="surrogatepass")
    assert brought(body).accepted >= 1 or "\x00" in "".join(cells)


def test_notes_are_counted_and_are_no_records(store: EventStore) -> None:
    repeated = Note("a repeated line is counted once")
    records = [("f:1", repeated), *calls("a"), ("f:3", repeated)]
    told = ingest(records, store).as_dict()
    assert (told["read"], told["accepted"]) == (1, 1)
    assert told["notes"] == [{"what": repeated.text, "times": 2}]


NOTHINGS = (
    b"",
    b"\x1f",
    b"\x1f\x8b",
    b"\x1f\x8b\x08\x00",
    b"PAR1",
    b"PGDMP",
    b"\xef\xbb\xbf",
    bytes(99),
)


@pytest.mark.parametrize("name", sorted(formats()))
def test_a_file_that_is_hardly_one_is_at_worst_one_sentence(name: str) -> None:
    for body in NOTHINGS:
        report = brought(body, name)
        assert (report.accepted, report.read <= 1) == (0, True), (body, report)


def test_a_report_says_that_ids_look_alike(store: EventStore, tmp_path: Path) -> None:
    path = tmp_path / "own.ndjson"
    for users, times in ((["ann.lee", "bo"], 0), (["ann.lee", "Lee_Ann@x.com", "bo"], 1)):
        rows = [{"event_id": one, "ts": "2026-11-01", "kind": "llm", "user": one} for one in users]
        path.write_text("\n".join(map(json.dumps, rows)))
        assert ingest_paths([path], store, dry_run=True).notes.get(SIMILAR_USERS, 0) == times
