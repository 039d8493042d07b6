"""Answers that are kept: what happened since, and only that, has them asked anew."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from data.access.people import Alias, People
from data.access.scope import Scope
from data.engines.duckdb import partial_answers
from data.engines.memo import MOST_ANSWERS, Memo
from data.engines.partials import QUARTER
from data.engines.protocol import EventStore
from data.engines.versions import ALL_TIME as EVERY_STRETCH
from data.engines.versions import WIDTHS, Versions, blocks, stretch
from data.events.table import micros
from data.local_time import WIDTHS as GRAINS
from data.prices.book import PUBLIC
from data.prices.rate_rows import RateChange, rate_rows
from data.query.filters import Filters
from data.query.options import options
from data.query.query import Query
from data.query.run import run
from data.query.series import texts
from data.query.windows import ALL_TIME, Window
from tests.analytics.test_numbers import JUMPS, MOMENT
from tests.engines.test_sums import HAPPENS, SCOPES, WithoutSums, World

DAY = GRAINS["day"]
MONDAY = micros(MOMENT) // DAY * DAY
OTHERS = People([Alias("ana", "bob", "Bob")])
READERS = (*SCOPES, Scope.of({"sub": "root", "isAdmin": True}, OTHERS))


@pytest.fixture(autouse=True)
def of_quick_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers are kept in parts whatever they take, from few events on."""
    monkeypatch.setattr(partial_answers, "SLOW", 0)
    monkeypatch.setattr(partial_answers, "LEAST_EVENTS", 0)
    monkeypatch.setattr(partial_answers, "MOST_LATER", 60)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_kept_answers_say_what_the_events_say(seed: int, tmp_path: Path) -> None:
    """The same questions while events are written, merged, re-priced, removed,
    aliases change and time moves on."""
    dice = random.Random(seed)
    world = World(dice, tmp_path / "events.duckdb", micros(MOMENT.fromisoformat(JUMPS[seed])))
    world.new()
    questions = [world.question() for _ in range(5)]
    for happens in dice.sample(HAPPENS, 10):
        happens(world)
        moved = dice.choice((0, 0, 1, QUARTER, DAY))
        questions = [_later(one, moved) for one in questions]
        for query in questions:
            _compare(world.store, query, dice.choice(READERS))
        for field in ("user", "project"):
            text = dice.choice(("", "", "a", "Z", "2", "!"))
            _compare_options(world.store, field, text, dice.choice(READERS))
    world.store.close()


def _later(query: Query, moved: int) -> Query:
    """The same question some µs later, as a window that ends now goes on."""
    window = query.filters.window
    if window == ALL_TIME or not moved:
        return query
    later = Window(window.start, window.end + moved, window.zone)
    fields = query.filters.fields, query.filters.me
    return Query(
        query.metrics, query.by, Filters(later, *fields), query.grain, query.order, query.limit,
        query.offset, query.top, query.search, query.where, query.of_metric,
    )  # fmt: skip


def _compare(store: EventStore, query: Query, scope: Scope) -> None:
    plain: Any = WithoutSums(store)
    wanted = run(query, scope, plain)
    for _ in range(2):
        found = run(query, scope, store)
        pd.testing.assert_frame_equal(found, wanted, check_exact=True, obj=f"{query} {scope.user}")


def _compare_options(store: EventStore, field: str, text: str, scope: Scope) -> None:
    """What a reader may filter by, as it is counted and as the events have it."""
    plain: Any = WithoutSums(store)
    order: Any = (("events", True),)
    query = Query(("events",), (field,), Filters(ALL_TIME), order=order, limit=4, search=text)
    frame = run(query, scope, plain)
    named = zip(texts(frame[field]), texts(frame[f"{field}_name"]), strict=True)
    wanted = [{"value": one, "label": name or one} for one, name in named if one is not None]
    assert options(field, text, 4, scope, store) == wanted, (field, text, scope)


def _counted(store: EventStore, monkeypatch: pytest.MonkeyPatch) -> Callable[[Window], bool]:
    """Whether the cost of a window is asked of the engine, and not kept."""
    asked: list[Any] = []
    ask = store.ask
    monkeypatch.setattr(store, "ask", lambda one: asked.append(one) or ask(one))

    def anew(window: Window) -> bool:
        asked.clear()
        run(Query(("cost",), (), Filters(window)), SCOPES[0], store)
        return bool(asked)

    return anew


def _day(number: int) -> Window:
    return Window(MONDAY + number * DAY, MONDAY + (number + 1) * DAY, "UTC")


def _write(store: EventStore, event: Any) -> None:
    store.write([event(event_id="new", ts=MONDAY + DAY)])


def _merge(store: EventStore, event: Any) -> None:
    store.write([event(event_id="1", ts=MONDAY + DAY + 5, input_tokens=8)])


def _move(store: EventStore, event: Any) -> None:
    """Told again as earlier: of Tuesday from now on."""
    store.write([event(event_id="2", ts=MONDAY + DAY, input_tokens=8)])


def _remove(store: EventStore, _: Any) -> None:
    store.remove("tuesday")


def _reprice(store: EventStore, _: Any) -> None:
    rates = rate_rows(PUBLIC, [("openai", "gpt-4o")])
    store.reprice(RateChange("unpriced", rates, MONDAY, MONDAY + 3 * DAY), 1)


def _restore(store: EventStore, _: Any) -> None:
    store.restore(1)


@pytest.mark.parametrize(("happens", "days"), [
    (_write, {1}), (_merge, {1}), (_move, {1, 2}), (_remove, {1}), (_reprice, {1}), (_restore, {1}),
])  # fmt: skip
def test_a_write_forgets_the_days_it_touched(
    store: EventStore, event: Any, monkeypatch: pytest.MonkeyPatch, happens: Any, days: set[int]
) -> None:
    sources = ("monday", "tuesday", "wednesday")
    store.write([
        event(event_id=str(n), ts=MONDAY + n * DAY + 9, source=name, input_tokens=7)
        for n, name in enumerate(sources)
    ])  # fmt: skip
    with store.sql.connect() as connection:  # as if it had come before its price was known
        connection.exec_driver_sql(
            "UPDATE events SET cost_nano = NULL, cost_origin = 'unpriced', provider = 'openai',"
            " model = 'gpt-4o' WHERE source = 'tuesday'"
        )
        connection.commit()
    if happens is _restore:
        _reprice(store, event)
    anew = _counted(store, monkeypatch)
    assert all(anew(_day(number)) for number in range(3))
    assert not any(anew(_day(number)) for number in range(3))
    happens(store, event)
    assert {number for number in range(3) if anew(_day(number))} == days


def test_a_copy_that_goes_is_forgotten(
    store: EventStore, event: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is stored by such a write, but something removed."""
    store.write([event(event_id="copy", ts=MONDAY + 1, shared_id="s", user="u")])
    store.write([event(event_id="own", ts=MONDAY + DAY, user="u")])
    anew = _counted(store, monkeypatch)
    assert [anew(_day(0)), anew(_day(0))] == [True, False]
    store.write([event(event_id="own", ts=MONDAY + DAY, user="u", shared_id="s")])
    assert anew(_day(0))


def test_blocks_are_the_window() -> None:
    dice = random.Random(3)
    for _ in range(300):
        first = dice.randrange(2_000_000)
        last = first + dice.choice((dice.randrange(500), dice.randrange(50_000)))
        found = [stretch(block) for block in blocks(first, last)]
        ends = [first * QUARTER, *(moment for one in found for moment in one), last * QUARTER]
        assert ends[::2] == ends[1::2]
        assert len(found) <= 40
        assert {block[0] for block in blocks(first, last)} <= set(WIDTHS)


def test_a_window_is_as_new_as_the_last_write_to_it() -> None:
    dice, versions = random.Random(4), Versions()
    latest: dict[int, int] = {}
    for turn in range(1, 400):
        moments = [dice.randrange(2_000) * QUARTER + dice.randrange(QUARTER) for _ in range(3)]
        versions.touch(moments)
        latest |= dict.fromkeys((moment // QUARTER for moment in moments), turn)
        start = dice.randrange(2_000 * QUARTER)
        end = start + dice.randrange(300 * QUARTER)
        within = range(start // QUARTER, -(-end // QUARTER))
        assert versions.of((start, end)) == max((latest.get(one, 0) for one in within), default=0)
    assert versions.of(EVERY_STRETCH) == 0  # since 2000; what was touched lies before
    versions.touch([MONDAY])
    assert versions.of(EVERY_STRETCH) == 400


def test_what_is_written_while_an_answer_is_computed_outdates_it() -> None:
    versions = Versions()
    memo = Memo(versions)

    def compute() -> str:
        versions.touch([MONDAY])
        return "before"

    window = (MONDAY, MONDAY + DAY)
    assert memo.get("question", compute, window) == "before"
    assert memo.get("question", lambda: "after", window) == "after"
    assert memo.get("question", lambda: "again", window) == "after"


def test_who_asks_after_a_write_does_not_wait_for_an_older_answer() -> None:
    versions, under_way, go_on = Versions(), threading.Event(), threading.Event()
    memo, found = Memo(versions), []

    def slow() -> str:
        under_way.set()
        assert go_on.wait(30)
        return "old"

    first = threading.Thread(target=lambda: found.append(memo.get("question", slow)))
    first.start()
    assert under_way.wait(30)
    versions.touch([MONDAY])
    assert memo.get("question", lambda: "new") == "new"
    go_on.set()
    first.join()
    assert found == ["old"]
    assert memo.get("question", lambda: "newer") == "new"


def test_no_more_is_kept_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    memo = Memo()
    for number in range(MOST_ANSWERS + 10):
        memo.get(number, lambda: 1)
    assert len(memo) == MOST_ANSWERS
    memo.clear()
    monkeypatch.setattr("data.engines.memo.MOST_CELLS", 100)
    for number in range(5):
        memo.get(number, lambda: pd.DataFrame({"a": range(20), "b": range(20)}))
        memo.get(0, lambda: pd.DataFrame())
    assert len(memo) == 2  # the first, used again and again, and the last
    assert memo.get("large", lambda: pd.DataFrame({"a": range(101)})) is not None
    assert len(memo) == 0
