"""Re-pricing: exact to the nano-dollar, only what was asked for, recorded, and undone."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from data.access.scope import Scope
from data.engines.protocol import EventStore, open_events
from data.errors import Forbidden, Refused, Unknown
from data.events.table import CALL_TEXTS, EVENTS, PART_TOKENS, PARTS, TIERS, Event, micros
from data.ingest.importing import ingest
from data.prices.book import PriceBook
from data.prices.derived import derived
from data.prices.draft import draft
from data.prices.entries import RATES
from data.prices.own import PriceBookStore, change, create, remove, with_draft
from data.prices.rate_rows import RateChange, rate_rows
from data.prices.rates import Usage
from data.query.filters import Filters
from data.query.query import Query
from data.query.run import run
from data.query.windows import Window
from data.repricing.apply import apply, list_repricings, parse_request, undo
from data.repricing.log import changes_as_dict
from data.repricing.preview import preview
from data.repricing.unpriced import unpriced
from data.state.audit import Actor, entries
from data.state.store import State
from tests.engine import duckdb_only

NOW = micros(datetime(2026, 11, 20, 12, tzinfo=UTC))
ROOT = Actor(Scope.of({"sub": "root", "isAdmin": True}), "Root", NOW)
COLUMNS = ", ".join(column.name for column in EVENTS.columns)
COUNTED = (
    "cost_nano, cost_origin, unpriced_reason, cache_saved_nano, cache_write_nano, list_cost_nano"
)
SCALE = "no rate for scale"  # a tier that we have no word for
OWN = {"model": "our-*", "from": "2026-01-01", "input": "0.0375", "output": "4"}
PUBLIC_MODELS = [
    ("google", "gemini-2.5-pro"), ("deepseek", "deepseek-chat"), ("deepseek", "deepseek-v4-pro"),
    ("anthropic", "claude-sonnet-4-5"), (None, "openai/o3"), ("openai", "gpt-4o"),
    ("azure", "gpt-4o"), ("google", "gemini-1.5-flash"),
]  # fmt: skip
Make = Callable[..., Event]


@pytest.fixture
def store(state: State) -> Iterator[EventStore]:
    opened = open_events("duckdb://", PriceBookStore(state))
    yield opened
    opened.close()


def rows(store: EventStore, columns: str = COLUMNS) -> list[tuple[Any, ...]]:
    with store.sql.connect() as connection:
        told = connection.exec_driver_sql(f"SELECT {columns} FROM events ORDER BY event_id")
        return [tuple(row) for row in told]


def cost(store: EventStore) -> float:
    everything = Filters(Window(0, 2 * NOW, "UTC"))
    return float(run(Query(("cost",), (), everything), ROOT.scope, store)["cost"].fillna(0).iloc[0])


# The same nano-dollars as `Rates.cost`


def tried(draw: random.Random) -> PriceBook:
    """A book with rates of every kind and length."""
    raws: list[dict[str, Any]] = [
        {"model": "our-gemini", "alias": "google/gemini-2.5-pro", "discount": "12.34"},
        {"model": "our-chat", "alias": "deepseek/deepseek-chat", "discount": "0.01"},
        {"model": "claude-*", "discount": "33.333"},
        {"provider": "azure", "model": "*", "discount": 50, "from": "2026-05-01"},
        {"model": "gpt-4o", "service_tier": "batch", "discount": 7, "from": "2026-04-01"},
    ]
    for n in range(12):
        own = {name: f"{draw.randrange(10**6)}e-{draw.randrange(4, 10)}"
               for name in RATES if name != "web_searches" or n % 2}  # fmt: skip
        month = {"from": f"2026-{draw.randrange(1, 13):02}-01"}
        month["service_tier"] = draw.choice(("", "", "batch", "fast"))
        raws.append({"model": f"own-{n % 5}", "provider": "p" * (n // 5)} | own | month)
    # Half a nano-dollar a token: every other sum is a tie.
    raws.append({"model": "half", "input": "0.0005", "output": "0.0005"})
    raws.append({"model": "saving", "input": "0.0005", "cached_input": "0.001"})
    return PriceBook(draft({"from": "2026-03-01"} | raw, n) for n, raw in enumerate(raws, 1))


def drawn(draw: random.Random, make: Make) -> Event:
    own = [(None, f"own-{draw.randrange(5)}"), ("p", f"own-{draw.randrange(5)}"), (None, "half"),
           ("x", "our-gemini"), (None, "our-chat"), (None, "saving"),
           ("x", "nobody's")]  # fmt: skip
    provider, model = draw.choice(PUBLIC_MODELS + own)
    half_hours = draw.randrange(365 * 48) * 1_800_000_000
    ts = micros(datetime(2026, 1, 1, tzinfo=UTC)) + half_hours + draw.choice((-1, 0, 1, 77))
    sizes = (2, 10, 5_000, 200_000, 10**9)
    counts = [draw.choice((None, draw.randrange(draw.choice(sizes)), 200_000)) for _ in range(4)]
    names = ("input_tokens", "cached_input_tokens", "cache_write_tokens", "output_tokens")
    told: dict[str, Any] = dict(zip(names, counts, strict=True))
    reported = {"cost_nano": draw.randrange(10**9)} if draw.random() < 0.2 else {}
    told |= {part: draw.choice((None, None, (told[whole] or 1) // 3))
             for whole, parts in PARTS.items() for part in parts}  # fmt: skip
    told |= {"web_searches": draw.choice((None, None, None, 0, 4)),
             "service_tier": draw.choice((None, None, *TIERS)),
             "request_count": draw.choice((None, None, 1, 3)),
             "unpriced_reason": draw.choice((None, "in another currency", SCALE))}  # fmt: skip
    return make(ts=ts, provider=provider, model=model, **told, **reported)


def by_hand(event: Event, book: PriceBook) -> tuple[Any, ...]:
    """What a re-pricing of everything must leave, in plain Python."""
    price, reason = book.price_of(event)
    price = None if event["unpriced_reason"] == SCALE else price
    if event["cost_origin"] != "reported" and price is not None:
        event = event | {"cost_nano": price, "cost_origin": "list", "unpriced_reason": None}
    if event["cost_origin"] == "unpriced" and reason != "no token counts":
        event = event | {"unpriced_reason": event["unpriced_reason"] or reason}
    told = (event["cost_nano"], event["cost_origin"], event["unpriced_reason"])
    return *told, *derived(event, book)[1:]


@pytest.mark.parametrize("seed", range(3))
def test_sql_counts_as_python_does(store: EventStore, event: Make, seed: int) -> None:
    draw = random.Random(seed)
    book, events = tried(draw), []
    for _ in range(2_000):
        events.append(drawn(draw, event))
    store.write(events)
    models = {(one["provider"], one["model"]) for one in events}
    told = rate_rows(book, models)
    for number, what in enumerate(("unpriced", "history"), start=1):
        store.reprice(RateChange(what, told), number)  # type: ignore[arg-type]
    wanted = [by_hand(one, book) for one in sorted(events, key=lambda one: str(one["event_id"]))]
    assert rows(store, COUNTED) == wanted
    assert {origin for _, origin, *_ in wanted} == {"list", "reported", "unpriced"}
    reasons = {reason for _, _, reason, *_ in wanted}
    assert {"no rate for batch", "no rate for web searches", "unknown model"} < reasons


def test_no_public_rate_is_too_large_to_count_with() -> None:
    from genai_prices.data import providers

    models = [(provider.id, model.id) for provider in providers for model in provider.models]
    discount = draft({"model": "*", "discount": "12.3456789", "from": "2020-01-01"})
    told = rate_rows(PriceBook([discount]), models)
    names = (*Usage._fields, "request", "saving", "writing", "writing_1h")
    largest = max(abs(getattr(cell, name) or 0) for cell in told for name in names)
    # Twelve products and a doubling must fit into 127 bits, whatever counts an event may hold.
    assert largest * 10**15 * 24 < 2**127


def test_no_two_cells_of_a_model_meet() -> None:
    for model in PUBLIC_MODELS:
        mine = rate_rows(tried(random.Random(1)), [model])
        for n, one in enumerate(mine):
            for other in mine[n + 1 :]:
                assert (one.tier != other.tier or one.start >= other.end or other.start >= one.end
                        or one.day_start >= other.day_end or other.day_start >= one.day_end
                        or one.over >= other.most or other.over >= one.most)  # fmt: skip


# What is changed, and what is not


def load(store: EventStore, *raws: dict[str, Any]) -> None:
    least = {"ts": "2026-11-20T09:00:00Z", "kind": "llm", "channel": "api", "source": "test",
             "status": "ok", "model": "our-llama", "input_tokens": 1_000_000}  # fmt: skip
    report = ingest([(str(n), least | {"event_id": f"e{n}"} | raw) for n, raw in enumerate(raws)],
                    store)  # fmt: skip
    assert report.accepted == len(raws)


SOME: tuple[dict[str, Any], ...] = (
    {"project": "web", "project_name": "Web"}, {"project": "etl", "cached_input_tokens": 10},
    {"cost_nano": 9}, {"model": "gpt-4o", "provider": "openai"},
    {"kind": "tool", "input_tokens": None}, {"model": "theirs"}, {"input_tokens": None},
    {"ts": "2025-12-31T23:59:59Z", "project": "web"}, {"project": "web"},
)  # fmt: skip


def test_naming_a_price_prices_exactly_the_events_without_one(
    state: State, store: EventStore
) -> None:
    load(store, *SOME)
    before = rows(store)
    shifts = preview(state, ROOT.scope, {"what": "unpriced", "price": OWN}, store)
    assert rows(store) == before
    kept = create(state, ROOT, OWN)
    made = apply(state, ROOT, parse_request({"what": "unpriced", "price": kept.id}), store)
    assert made.projects == [one.as_dict() for one in shifts]
    assert (made.events, made.before, made.after) == (3, None, 3 * 37_500_000 + 375)
    told = [(one["project"], one["project_name"], one["events"]) for one in made.projects or []]
    assert told == [("web", "Web", 2), ("etl", None, 1)]
    changed = [new[0] for old, new in zip(before, rows(store), strict=True) if old != new]
    assert changed == ["e0", "e1", "e8"]
    assert rows(store, "cost_nano, cost_origin")[2] == (9, "reported")
    assert made.models == [["", "our-llama"]]
    assert (
        apply(state, ROOT, parse_request({"what": "unpriced", "price": kept.id}), store).events == 0
    )


def test_it_is_undone_to_the_byte(state: State, store: EventStore) -> None:
    load(store, *SOME)
    before, money = rows(store), cost(store)
    kept = create(state, ROOT, OWN)
    first = apply(state, ROOT, parse_request({"what": "unpriced", "price": kept.id}), store)
    assert cost(store) > money
    change(state, ROOT, kept.id, OWN | {"input": "1"})
    between = rows(store)
    second = apply(state, ROOT, parse_request({"what": "history", "from": "2026-01-01"}), store)
    assert second.compared == 1
    with pytest.raises(Refused, match="undo re-pricing 2 first"):
        undo(state, ROOT, first.id, store)
    assert undo(state, ROOT, second.id, store).reverted_by == "Root"
    assert rows(store) == between
    undo(state, ROOT, first.id, store)
    assert rows(store) == before
    assert cost(store) == money
    with pytest.raises(Refused, match="was undone already"):
        undo(state, ROOT, first.id, store)
    assert [one.reverted_at for one in list_repricings(state, ROOT.scope)] == [NOW, NOW]
    with store.sql.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM repriced").scalar() == 0


def test_history_is_repriced_from_a_day_on_and_reported_costs_stay(
    state: State, store: EventStore
) -> None:
    model = {"model": "gpt-4o", "provider": "openai"}
    load(store, model, model | {"ts": "2026-10-31T23:59:59Z"}, model | {"cost_nano": 7},
         model | {"ts": "2026-11-21T00:00:00Z"}, {}, model | {"model": "o3"})  # fmt: skip
    assert rows(store, "cost_nano, list_cost_nano")[2] == (7, 2_500_000_000)
    create(state, ROOT, {"model": "gpt-*", "from": "2020-01-01", "discount": 20})
    wish = parse_request({"what": "history", "from": "2026-11-01", "to": "2026-11-20"})
    made = apply(state, ROOT, wish, store)
    assert (made.events, made.compared) == (1, 1)
    assert (made.before, made.after) == (2_500_000_000, 2_000_000_000)
    assert rows(store, "cost_nano, cost_origin, list_cost_nano") == [
        (2_000_000_000, "list", None), (2_500_000_000, "list", None),
        (7, "reported", 2_000_000_000), (2_500_000_000, "list", None),
        (None, "unpriced", None), (2_000_000_000, "list", None),
    ]  # fmt: skip


def test_history_makes_nothing_known_unknown(state: State, store: EventStore) -> None:
    kept = create(state, ROOT, OWN)
    load(store, *SOME)
    before = rows(store)
    remove(state, ROOT, kept.id)
    assert (
        apply(state, ROOT, parse_request({"what": "history", "from": "2020-01-01"}), store).events
        == 0
    )
    assert rows(store) == before


def test_every_repricing_is_in_the_audit_trail(state: State, store: EventStore) -> None:
    load(store, *SOME)
    create(state, ROOT, OWN)
    made = apply(state, ROOT, parse_request({"what": "unpriced"}), store)
    undo(state, ROOT, made.id, store)
    undone, applied, _ = entries(state, ROOT.scope, 9)
    assert (applied.action, applied.thing) == ("create", f"re-pricing {made.id}")
    assert applied.after
    assert applied.after["events"] == 3
    assert (undone.action, undone.before) == ("delete", applied.after)


def test_events_that_came_back_are_not_undone(state: State, store: EventStore) -> None:
    load(store, {})
    create(state, ROOT, OWN)
    made = apply(state, ROOT, parse_request({"what": "unpriced"}), store)
    store.remove("test")
    load(store, {})
    before = rows(store)
    undo(state, ROOT, made.id, store)
    assert rows(store) == before


def test_one_that_fails_leaves_nothing(
    state: State, store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(store, *SOME)
    before = rows(store)
    create(state, ROOT, OWN)

    def fail(*_: Any) -> None:
        raise RuntimeError("the power goes")

    for engine in ("duckdb", "postgresql", "clickhouse"):
        broken = f"data.engines.{engine}.repricing.BY_PROJECT"
        monkeypatch.setattr(broken, "SELECT no_such_column")
    with pytest.raises(Exception, match="no_such_column"):
        apply(state, ROOT, parse_request({"what": "unpriced"}), store)
    assert rows(store) == before
    assert list_repricings(state, ROOT.scope) == []


def test_one_that_was_cut_short_can_be_undone(
    state: State, store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(store, *SOME)
    before = rows(store)
    create(state, ROOT, OWN)
    monkeypatch.setattr("data.repricing.apply.totals", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        apply(state, ROOT, parse_request({"what": "unpriced"}), store)
    (left,) = list_repricings(state, ROOT.scope)
    assert (left.events, left.reverted_at) == (None, None)
    assert rows(store) != before
    undo(state, ROOT, left.id, store)
    assert rows(store) == before


def test_two_who_undo_at_once_undo_once(
    state: State, store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(store, *SOME)
    before = rows(store)
    create(state, ROOT, OWN)
    made = apply(state, ROOT, parse_request({"what": "unpriced"}), store)
    restore, turns = store.restore, iter((True, False))

    def meet(number: int) -> int:
        if next(turns):
            undo(state, ROOT, number, store)
        return restore(number)

    monkeypatch.setattr(store, "restore", meet)
    with pytest.raises(Refused, match="was undone already"):
        undo(state, ROOT, made.id, store)
    assert rows(store) == before
    assert [one.action for one in entries(state, ROOT.scope, 9)] == ["delete", "create", "create"]


def test_one_that_is_undone_before_it_began_stands_in_the_end(
    state: State, store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(store, *SOME)
    before = rows(store)
    create(state, ROOT, OWN)
    reprice = store.reprice

    def late(change: RateChange, number: int | None) -> Any:
        undo(state, ROOT, number or 0, store)
        return reprice(change, number)

    monkeypatch.setattr(store, "reprice", late)
    made = apply(state, ROOT, parse_request({"what": "unpriced"}), store)
    assert (made.events, made.reverted_at) == (3, None)
    undo(state, ROOT, made.id, store)
    assert rows(store) == before


def test_events_that_arrive_meanwhile_are_all_there_and_right(
    state: State, store: EventStore
) -> None:
    create(state, ROOT, OWN)
    price = PriceBookStore(state)().price(None, "our-llama", NOW, 1_000_000)
    least = {"ts": "2026-11-20T09:00:00Z", "kind": "llm", "channel": "api", "source": "test",
             "status": "ok", "model": "our-llama", "input_tokens": 1_000_000}  # fmt: skip
    old = {"cost_origin": "unpriced"}

    def arrive(name: str, more: Mapping[str, Any]) -> None:
        for n in range(8):
            own = [{"event_id": f"{name}{n}-{m}"} for m in range(50)]
            ingest([("", {**least, **more, **one}) for one in own], store)

    arrive("old", old)
    with ThreadPoolExecutor(3) as pool:
        done = pool.map(arrive, ("a", "b", "c"), ({}, old, {"cost_nano": 1}))
        made = [apply(state, ROOT, parse_request({"what": "unpriced"}), store) for _ in range(4)]
    assert len(list(done)) == 3
    made.append(apply(state, ROOT, parse_request({"what": "unpriced"}), store))
    assert sum(one.events or 0 for one in made) == 800
    found = rows(store, "event_id, cost_nano, cost_origin")
    assert len(found) == 1_600
    for key, nano, origin in found:
        assert (nano, origin) == ((1, "reported") if key.startswith("c") else (price, "list"))
    for one in reversed(made):
        undo(state, ROOT, one.id, store)
    left = {origin for key, _, origin in rows(store, "event_id, cost_nano, cost_origin")
            if key.startswith(("old", "b"))}  # fmt: skip
    assert left == {"unpriced"}


@pytest.mark.parametrize("claims", [{"sub": "ana"}, {"sub": "lena", "applications_admin": "web"}])
def test_nobody_else_reprices_anything(
    state: State, store: EventStore, claims: dict[str, Any]
) -> None:
    load(store, *SOME)
    create(state, ROOT, OWN)
    made = apply(state, ROOT, parse_request({"what": "unpriced"}), store)
    before, hand = rows(store), Actor(Scope.of(claims), "X", NOW)
    wish = parse_request({"what": "history", "from": "2020-01-01"})
    doors: list[Callable[[], Any]] = [
        lambda: preview(state, hand.scope, {"what": "unpriced", "price": OWN}, store),
        lambda: unpriced(hand.scope, store),
        lambda: apply(state, hand, wish, store),
        lambda: undo(state, hand, made.id, store),
        lambda: list_repricings(state, hand.scope),
        lambda: with_draft(state, hand.scope, OWN),
    ]
    for door in doors:
        with pytest.raises(Forbidden):
            door()
    assert rows(store) == before
    assert [one.id for one in list_repricings(state, ROOT.scope)] == [made.id]


@pytest.mark.parametrize(("raw", "field"), [
    ({}, "what"), ({"what": "everything"}, "what"), ({"what": []}, "what"),
    ({"what": "history"}, "from"), ({"what": "history", "from": "soon"}, "from"),
    ({"what": "unpriced", "price": "1"}, "price"), ({"what": "unpriced", "price": True}, "price"),
    ({"what": "unpriced", "from": "2026-01-02", "to": "2026-01-01"}, "to"),
    ({"what": "unpriced", "to": "2500-01-01"}, "to"), ({"what": "unpriced", "who": 1}, "who"),
])  # fmt: skip
def test_a_wish_that_makes_no_sense_names_its_field(raw: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as refusal:
        parse_request(raw)
    assert refusal.value.parameter == field


def test_what_is_not_there_is_unknown(state: State, store: EventStore) -> None:
    with pytest.raises(Unknown):
        undo(state, ROOT, 7, store)
    with pytest.raises(Unknown):
        apply(state, ROOT, parse_request({"what": "unpriced", "price": 7}), store)
    assert list_repricings(state, ROOT.scope) == []


@duckdb_only
def test_an_older_store_gets_its_list_costs(tmp_path: Path, event: Make) -> None:
    import duckdb

    url, path = f"duckdb:///{tmp_path / 'e.duckdb'}", tmp_path / "e.duckdb"
    opened = open_events(url)
    told = {"provider": "openai", "model": "gpt-4o", "input_tokens": 3}
    opened.write([event(cost_nano=1, **told), event(cost_nano=1, model="?"), event(**told)])
    wanted = rows(opened)
    opened.close()
    old = duckdb.connect(str(path))
    old.execute("ALTER TABLE events DROP COLUMN list_cost_nano; DROP TABLE repriced;"
                " ALTER TABLE events DROP COLUMN request_count;"
                " DELETE FROM schema_version WHERE version >= 3")  # fmt: skip
    old.close()
    again = open_events(url)
    assert rows(again) == wanted
    assert rows(again, "list_cost_nano")[0] == (7_500,)
    again.close()


@duckdb_only
def test_an_older_store_gets_the_requests_its_sums_stand_for(tmp_path: Path, event: Make) -> None:
    import duckdb

    url, path = f"duckdb:///{tmp_path / 'e.duckdb'}", tmp_path / "e.duckdb"
    opened = open_events(url)
    tags = ('{"requests":5,"bucket":"1d"}', '{"requests":0}', '{"requests":7}', None)
    sources = ("openai", "openai", "litellm", "copilot")
    opened.write([event(source=s, tags=t) for s, t in zip(sources, tags, strict=True)])
    opened.close()
    old = duckdb.connect(str(path))
    old.execute("ALTER TABLE events DROP COLUMN request_count;"
                " DELETE FROM schema_version WHERE version >= 4")  # fmt: skip
    old.close()
    again = open_events(url)
    assert rows(again, "request_count") == [(5,), (None,), (None,), (None,)]
    again.close()


@duckdb_only
def test_an_older_store_gets_the_columns_of_what_is_billed(tmp_path: Path, event: Make) -> None:
    import duckdb

    url, path = f"duckdb:///{tmp_path / 'e.duckdb'}", tmp_path / "e.duckdb"
    opened = open_events(url)
    written = {"provider": "openai", "model": "gpt-4o", "cache_write_tokens": 9}
    opened.write([event(event_id="old", cost_nano=7, **written)])
    opened.close()
    old, added = duckdb.connect(str(path)), (*PART_TOKENS[:-1], "web_searches", *CALL_TEXTS)
    for name in added:
        old.execute(f"ALTER TABLE events DROP COLUMN {name}")
    old.execute("ALTER TABLE repriced DROP COLUMN unpriced_reason;"
                " DELETE FROM schema_version WHERE version >= 5")  # fmt: skip
    old.close()
    again = open_events(url)
    assert rows(again, ", ".join(added)) == [(None,) * len(added)]
    again.write([event(event_id="old", cache_write_1h_tokens=4, service_tier="batch", **written)])
    assert rows(again, "cost_nano, cache_write_1h_tokens, service_tier") == [(7, 4, "batch")]
    again.close()


def test_the_unpriced_models_are_listed_with_their_tokens(state: State, store: EventStore) -> None:
    load(store, *SOME)
    assert [(one.model, one.requests, one.tokens) for one in unpriced(ROOT.scope, store)] == [
        ("our-llama", 4, 4_000_010), ("theirs", 1, 1_000_000),
    ]  # fmt: skip
    create(state, ROOT, OWN | {"from": "2020-01-01"})
    apply(state, ROOT, parse_request({"what": "unpriced"}), store)
    assert [(one.model, one.first) for one in unpriced(ROOT.scope, store)] == [
        ("theirs", micros(datetime(2026, 11, 20, 9, tzinfo=UTC)))
    ]


def test_a_pattern_of_nothing_changes_nothing(state: State, store: EventStore) -> None:
    load(store, *SOME)
    wish = {"what": "unpriced", "price": OWN | {"model": "nobody-has-this*"}}
    found = changes_as_dict(preview(state, ROOT.scope, wish, store))
    assert found == {"events": 0, "list_costs": 0, "before": None, "after": None, "projects": []}


def test_a_change_of_a_price_is_looked_at_as_if_it_were_made(
    state: State, store: EventStore
) -> None:
    kept = create(state, ROOT, OWN)
    load(store, *SOME)
    wish = {"what": "history", "from": "2026-11-20", "price": OWN | {"input": 1}}
    with pytest.raises(Refused, match="there is a price for"):
        preview(state, ROOT.scope, wish, store)
    found = changes_as_dict(preview(state, ROOT.scope, wish | {"instead_of": kept.id}, store))
    change(state, ROOT, kept.id, OWN | {"input": 1})
    assert found == changes_as_dict(
        preview(state, ROOT.scope, {"what": "history", "from": "2026-11-20", "price": 1}, store)
    )
    assert (found["events"], found["after"]) == (3, pytest.approx(3.00001))
