"""The public book in the state store: kept exactly, a new release from its day on, each door."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest
from genai_prices.types import ClauseEquals, Provider

from data.access.scope import Scope
from data.engines.protocol import EventStore, open_events
from data.errors import Forbidden, Refused, Unknown
from data.events.table import Event, micros
from data.ingest.importing import ingest
from data.prices import releases as public_releases
from data.prices.book import PUBLIC, PriceBook
from data.prices.draft import draft
from data.prices.own import PriceBookStore, create
from data.prices.public_book import BEGINNING, INSTALLED, Model, PublicBook, Release, installed
from data.prices.rate_rows import RateChange, rate_rows
from data.prices.rates import STANDARD, Prices, Rates
from data.prices.release_rows import read, written
from data.prices.releases import adopt, list_releases, move
from data.repricing.apply import apply, parse_request
from data.state.audit import Actor, entries
from data.state.store import State
from data.state.tables import RELEASES
from tests.prices.test_repricing import COUNTED, by_hand, drawn, rows
from tests.resources import begin, choose, fill, problems, save
from tests.serving import ADMIN, Claims, Served, serving

DAY = 86_400_000_000
NOW = micros(datetime(2026, 11, 20, 12, tzinfo=UTC))
TOMORROW = micros(datetime(2026, 11, 21, tzinfo=UTC))
ROOT = Actor(Scope.of({"sub": "root", "isAdmin": True}), "Root", NOW)
OTHERS: list[Claims] = [{"sub": "lena", "applications_admin": "web"}, {"sub": "ana"}]
GPT, NEW, GONE = ("openai", "gpt-4o"), ("openai", "gpt-99"), ("openai", "gpt-4")


def flat(dollars: int) -> Prices:
    """So much per million tokens, whatever they are."""
    return Prices({STANDARD: ((None, ((-1, Rates(*[Decimal(1_000 * dollars)] * 4)),)),)})


def altered(name: str, **dollars: int) -> Release:
    """The installed release with `gpt-4o` at 7, a model more and one less, or as is said."""
    ((_, release),) = installed().releases
    told = {GPT[1]: 7, NEW[1]: 9} | dollars
    return Release(name, [_altered(one, told) if one.id == "openai" else one
                          for one in release.providers])  # fmt: skip


def _altered(provider: Provider, dollars: dict[str, int]) -> Provider:
    changed = [Model(name, ClauseEquals(name), schedules=flat(n)) for name, n in dollars.items()]
    rest = [one for one in provider.models if one.id not in {*dollars, GONE[1]}]
    return replace(provider, models=[*changed, *rest])


@pytest.fixture
def upgrade(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Have another release installed."""

    def to(name: str, **dollars: int) -> None:
        later = PublicBook([(BEGINNING, altered(name, **dollars))])
        monkeypatch.setattr(public_releases, "INSTALLED", name)
        monkeypatch.setattr(public_releases, "installed", lambda: later)

    return to


def test_a_release_is_kept_exactly() -> None:
    ((_, release),) = installed().releases
    again = read(release.name, written(release))
    assert again.models() == release.models()
    assert len(again.models()) > 1_000
    assert written(again) == written(release)
    book, draw = PriceBook((), PublicBook([(BEGINNING, again)])), random.Random(1)
    for provider, model in [*release.models(), (None, "openai/o3"), ("x", "y"), ("azure", "")]:
        ts = NOW - draw.randrange(900) * DAY // 2 + draw.randrange(DAY)
        counts = [draw.randrange(300_000) for _ in range(4)]
        assert book.price(provider, model, ts, *counts) == PUBLIC.price(
            provider, model, ts, *counts
        )


def test_what_an_older_program_kept_gets_what_it_did_not_know(state: State) -> None:
    """It knew neither tiers nor units beside the plain ones: they are what they are today."""
    ((_, release),) = installed().releases
    adopt(state, NOW)
    plain = orjson.loads(written(release))
    for provider in plain:
        for model in provider["models"]:
            model.pop("tiers", None)
            for price in model["prices"]:
                price["steps"] = price["steps"] and [step[:6] for step in price["steps"]]
            if (provider["id"], model["id"]) == ("anthropic", "claude-opus-4-8"):
                model["prices"][0]["steps"][0][1] = "7000"  # it cost something else then
    with state.writing() as connection:
        connection.execute(RELEASES.update().values(book=orjson.dumps(plain).decode()))
    adopt(state, NOW)
    kept = PriceBookStore(state)().public.at(NOW).models()
    differ = {name for name, prices in release.models().items() if kept[name] != prices}
    assert differ == {("anthropic", "claude-opus-4-8")}
    assert list_releases(state, ROOT.scope)[0].name == INSTALLED


def test_the_first_release_holds_for_all_time_and_is_taken_in_once(state: State) -> None:
    assert list_releases(state, ROOT.scope) == []
    assert PriceBookStore(state)().public is installed()
    for now in (NOW, NOW + DAY):
        adopt(state, now)
    (taken,) = list_releases(state, ROOT.scope)
    assert (taken.name, taken.start, taken.at) == (INSTALLED, None, NOW)
    assert (taken.added, taken.changed) == ((), ())
    assert entries(state, ROOT.scope, 9) == []
    book = PriceBookStore(state)()
    assert book.public is not installed()
    assert book.price(*GPT, 0, 1_000) == PUBLIC.price(*GPT, 0, 1_000)


def test_a_later_release_holds_from_its_day_on(state: State, upgrade: Any) -> None:
    adopt(state, NOW - 9 * DAY)
    books = PriceBookStore(state)
    before = books()
    upgrade("genai-prices 99")
    adopt(state, NOW)
    book = books()
    assert book is not before
    assert book is books()
    old = PUBLIC.price(*GPT, NOW, 1_000)
    assert [book.price(*GPT, ts, 1_000) for ts in (0, NOW, TOMORROW - 1, TOMORROW)] == [
        old, old, old, 7_000_000,
    ]  # fmt: skip
    assert [book.price(*NEW, ts, 1_000) for ts in (0, TOMORROW, NOW)] == [9_000_000] * 3
    assert book.price(*GONE, TOMORROW, 1_000) == PUBLIC.price(*GONE, NOW, 1_000) is not None
    newest, first = list_releases(state, ROOT.scope)
    assert (newest.name, newest.start, first.start) == ("genai-prices 99", "2026-11-21", None)
    assert (newest.added, newest.changed, newest.dropped) == (
        ("openai/gpt-99",), ("openai/gpt-4o",), ("openai/gpt-4",),
    )  # fmt: skip
    (told,) = entries(state, ROOT.scope, 9)
    assert (told.who, told.action, told.thing) == ("spendscope", "create", "genai-prices 99")
    assert told.after == {"from": "2026-11-21"}
    adopt(state, NOW + DAY)
    assert len(list_releases(state, ROOT.scope)) == 2


def test_own_prices_follow_the_releases(state: State, upgrade: Any) -> None:
    adopt(state, NOW - 9 * DAY)
    upgrade("genai-prices 99")
    adopt(state, NOW)
    create(state, ROOT, {"model": "ours", "alias": "openai/gpt-4o", "from": "2026-01-01"})
    create(state, ROOT, {"model": "gpt-4o", "discount": "50", "from": "2026-11-20"})
    create(state, ROOT, {"model": "new", "alias": "openai/gpt-99", "from": "2026-01-01"})
    book, old = PriceBookStore(state)(), PUBLIC.price(*GPT, NOW, 1_000)
    assert old
    today = TOMORROW - 1
    assert [book.price(None, "ours", ts, 1_000) for ts in (today, TOMORROW)] == [old, 7_000_000]
    days = (TOMORROW - 2 * DAY, today, TOMORROW)
    assert [book.price(*GPT, ts, 1_000) for ts in days] == [old, old // 2, 3_500_000]
    assert book.price("us", "new", NOW, 1_000) == 9_000_000


@pytest.mark.parametrize("seed", range(20))
def test_of_the_releases_that_have_begun_the_last_that_knows_a_name_holds(seed: int) -> None:
    draw, ((_, first),) = random.Random(seed), installed().releases
    told = [(draw.randrange(9), altered(str(n), **{GPT[1]: n, f"gpt-{90 + n}": n}))
            for n in range(1, 5)]  # fmt: skip
    held = [(BEGINNING, first), *((day * DAY, one) for day, one in told)]
    book = PriceBook((), PublicBook(held))
    for name in ("gpt-4o", "gpt-4", "gpt-91", "gpt-92", "gpt-99", "nobody's"):
        for ts in (day * DAY + less for day in range(10) for less in (-1, 0)):
            known = [(at, one.prices("openai", name)) for at, one in held]
            known = [(at, said) for at, said in known if said is not None]
            begun = [said for at, said in known if at <= ts]
            said = begun[-1] if begun else known[0][1] if known else None
            steps = said.standard[-1][1] if said else None
            assert book.steps("openai", name, ts) == steps, (name, ts)


@pytest.mark.parametrize("seed", range(2))
def test_sql_counts_the_releases_as_python_does(event: Any, seed: int) -> None:
    draw, ((_, first),) = random.Random(seed), installed().releases
    days = [NOW // DAY * DAY - draw.randrange(300) * DAY for _ in range(3)]
    public = PublicBook([
        (BEGINNING, first), (days[0], altered("2")), (days[1], altered("3", o3=3)),
        (days[1], altered("4", **{"gpt-4o": 11})), (days[2], altered("5", **{"gpt-4o": 12})),
    ])  # fmt: skip
    # fmt: off
    own = [{"model": "our-chat", "alias": "openai/gpt-4o", "from": "2026-03-01"},
           {"provider": "azure", "model": "*", "discount": "12.5", "from": "2026-05-01"}]
    # fmt: on
    book = PriceBook((draft(raw, n, public) for n, raw in enumerate(own, 1)), public)
    events: list[Event] = [drawn(draw, event) for _ in range(2_000)]
    for one in events[:40]:
        one["provider"], one["model"] = NEW
    store = open_events("duckdb://", lambda: book)
    store.write(events)
    models = {(one["provider"], one["model"]) for one in events}
    for number, what in enumerate(("unpriced", "history"), start=1):
        store.reprice(RateChange(what, rate_rows(book, models)), number)  # type: ignore[arg-type]
    wanted = [by_hand(one, book) for one in sorted(events, key=lambda one: str(one["event_id"]))]
    found = rows(store, COUNTED)
    store.close()
    assert found == wanted


CALL = {"ts": "2026-11-10T09:00:00Z", "kind": "llm", "channel": "api", "source": "test",
        "status": "ok", "provider": "openai", "model": "gpt-4o", "input_tokens": 1_000}  # fmt: skip


def cost(store: EventStore) -> list[Any]:
    return [row[0] for row in rows(store, "cost_nano")]


def test_an_upgrade_changes_nothing_of_the_past_until_somebody_says_so(
    state: State, upgrade: Any
) -> None:
    adopt(state, NOW - 9 * DAY)
    store = open_events("duckdb://", PriceBookStore(state))
    old = PUBLIC.price(*GPT, NOW, 1_000)
    ingest([("1", CALL | {"event_id": "a"})], store)
    upgrade("genai-prices 99")
    adopt(state, NOW)
    ingest([("1", CALL | {"event_id": "b"}),
            ("2", CALL | {"event_id": "c", "ts": "2026-11-21T09:00:00Z"})], store)  # fmt: skip
    assert cost(store) == [old, old, 7_000_000]
    history = parse_request({"what": "history", "from": "2026-01-01"})
    assert apply(state, ROOT, history, store).events == 0
    moved = move(state, ROOT, list_releases(state, ROOT.scope)[0].id, {"from": "2026-11-01"})
    assert (moved.start, cost(store)) == ("2026-11-01", [old, old, 7_000_000])
    assert entries(state, ROOT.scope, 1)[0].changes() == [("from", "2026-11-21", "2026-11-01")]
    assert apply(state, ROOT, history, store).events == 2
    assert cost(store) == [7_000_000] * 3
    store.close()


def test_a_release_holds_instead_of_all_before_it(state: State, upgrade: Any) -> None:
    for number, dollars in ((1, 1), (2, 2), (3, 3)):
        upgrade(f"genai-prices {number}", **{GPT[1]: dollars})
        adopt(state, NOW + number * 9 * DAY)
    third, second, _ = list_releases(state, ROOT.scope)

    def prices() -> list[Any]:
        book = PriceBookStore(state)()
        return [book.price(*GPT, NOW + days * DAY, 1_000) for days in (0, 18, 19, 27, 28)]

    assert prices() == [1_000_000, 1_000_000, 2_000_000, 2_000_000, 3_000_000]
    with pytest.raises(Refused, match="genai-prices 3 holds instead from 2026-12-18 on"):
        move(state, ROOT, second.id, {"from": "2026-12-18"})
    move(state, ROOT, third.id, {"from": "2026-11-01"})
    assert prices() == [3_000_000] * 5
    move(state, ROOT, third.id, {"from": "2026-12-17"})
    assert prices() == [1_000_000, 1_000_000, 2_000_000, 3_000_000, 3_000_000]


def test_an_older_program_takes_nothing_in(state: State, upgrade: Any) -> None:
    upgrade("genai-prices 0.10.1")
    adopt(state, NOW)
    upgrade("genai-prices 0.9.20")
    adopt(state, NOW)
    assert [one.name for one in list_releases(state, ROOT.scope)] == ["genai-prices 0.10.1"]
    upgrade("genai-prices 0.10.2")
    adopt(state, NOW)
    assert len(list_releases(state, ROOT.scope)) == 2


def test_the_day_is_refused_where_it_cannot_be(state: State, upgrade: Any) -> None:
    adopt(state, NOW)
    upgrade("genai-prices 99")
    adopt(state, NOW)
    later, first = list_releases(state, ROOT.scope)
    for number, raw, error in (
        (first.id, {"from": "2026-01-01"}, Refused), (later.id, {"from": "soon"}, Refused),
        (later.id, {}, Refused), (later.id, {"from": "2026-01-01", "name": "x"}, Refused),
        (77, {"from": "2026-01-01"}, Unknown), (2**70, {"from": "2026-01-01"}, Unknown),
        (later.id, {"from": "1999-12-31"}, Refused), (later.id, {"from": None}, Refused),
    ):  # fmt: skip
        with pytest.raises(error):
            move(state, ROOT, number, raw)
    for claims in OTHERS:
        hand = Actor(Scope.of(claims), "x", NOW)
        with pytest.raises(Forbidden):
            move(state, hand, later.id, {"from": "2026-01-01"})
        with pytest.raises(Forbidden):
            list_releases(state, hand.scope)
    assert list_releases(state, ROOT.scope) == [later, first]


@pytest.fixture
def served(tmp_path: Path, upgrade: Any) -> Iterator[Served]:
    old = State(f"sqlite:///{tmp_path / 'state.sqlite'}")
    adopt(old, NOW - 9 * DAY)
    old.close()
    upgrade("genai-prices 99")
    with serving(tmp_path, STATE_URL=f"sqlite:///{tmp_path / 'state.sqlite'}") as one:
        yield one


def test_the_page_tells_what_a_release_changed_and_has_it_hold_from_another_day(
    served: Served,
) -> None:
    newest, first = fill(served, "releases")["table"]["rowData"]
    assert (newest["from_text"], newest["changed_text"], newest["added_text"]) == (
        "2026-11-21", "1", "1",
    )  # fmt: skip
    assert (first["from_text"], first["changed_text"]) == ("the beginning", "–")
    chosen = choose(served, "releases", [newest])
    assert chosen["detail"]["children"] == (
        "genai-prices 99: 1 changed: openai/gpt-4o; 1 new: openai/gpt-99;"
        " 1 no longer listed: openai/gpt-4."
    )
    assert chosen["release-edit"]["disabled"] is False
    odd: tuple[Any, ...] = ([first], "x", [], [7], [{}], {"0": 1})
    for forged in odd:
        assert choose(served, "releases", forged)["release-edit"]["disabled"] is True
    opened = begin(served, "releases", "release-edit", [newest])
    assert opened["title"]["children"] == "Set the day"
    assert opened["field", "from"]["value"] == "2026-11-21"
    edited = opened["edited"]["data"]

    def held(day: Any, claims: Claims = ADMIN) -> Any:
        return save(served, "releases", {"from": day}, edited, claims)

    assert problems(held("soon"))["from"].startswith("the day from which the release holds is no")
    assert "administrators" in problems(held("2026-11-01", OTHERS[0]))[""]
    assert held("2026-11-01")["drawer"] == {"is_open": False}
    assert served.json("prices/releases")["releases"][0]["from"] == "2026-11-01"


def test_scripts_have_the_same_doors(served: Served) -> None:
    newest, first = served.json("prices/releases")["releases"]
    assert (newest["changed"], newest["added"]) == (["openai/gpt-4o"], ["openai/gpt-99"])
    assert (first["release"], first["from"]) == (INSTALLED, None)
    address = f"/api/v1/prices/releases/{newest['id']}"
    for claims, status in ((ADMIN, 200), *((one, 403) for one in OTHERS)):
        headers = served.headers(claims)
        answer = served.client.put(address, json={"from": "2026-11-02"}, headers=headers)
        assert answer.status_code == status
        assert served.get("prices/releases", claims).status_code == status
    looked = {day: served.json("prices/public", model="gpt-4o", provider="openai", at=day)
              for day in ("2026-11-01", "2026-11-02")}  # fmt: skip
    assert [(one["price"]["source"], one["release"]) for one in looked.values()] == [
        (INSTALLED, INSTALLED), ("genai-prices 99", "genai-prices 99"),
    ]  # fmt: skip
    assert looked["2026-11-02"]["price"]["rates"]["input"] == "7"
