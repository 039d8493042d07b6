"""Random events, claims, filters, zones and grains: every door gives the oracle's numbers."""

from __future__ import annotations

import csv
import io
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.sections import SECTIONS, Section, measures
from data.catalog import DIMENSIONS, METRICS
from data.events import FIELDS, micros
from tests import oracle
from tests.serving import NOW, Served, serving

EXAMPLES: Final = 320
STEADY: Final = settings(derandomize=True, deadline=None, database=None)
ZONES: Final = (
    "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe",
    "Africa/Cairo", "Asia/Beirut",
)  # fmt: skip
# Clocks jump around these, in one zone or another; the last is the frozen now.
JUMPS: Final = (
    "2026-03-08T06:59+00:00", "2026-03-29T00:30+00:00", "2026-04-04T14:50+00:00",
    "2026-04-23T21:55+00:00", "2026-10-03T15:20+00:00", "2026-10-25T00:40+00:00",
    "2026-11-01T05:50+00:00", "2026-10-29T20:45+00:00", NOW,
)  # fmt: skip
PEOPLE: Final = ("ana", "bob", "Zoë", "=1+1", "o'hara", "me too")
PROJECTS: Final = ("web", "etl", "a b", "-x", "<b>p</b>")
MODELS: Final = tuple(f"m{n}" for n in range(12))
CLAIMS: Final[tuple[dict[str, Any], ...]] = (
    {"sub": "root", "isAdmin": True},
    {"sub": "ana", "isAdmin": "true", "applications_admin": "web"},
    {"sub": "ana", "applications_admin": " web , ,etl"},
    {"sub": "bob", "applications_admin": ["a b,-x", 7, None, " <b>p</b> "]},
    {"sub": "Zoë", "isAdmin": "false", "applications_admin": {"web": 1}},
    {"sub": "ana", "isAdmin": "True", "applications": "web,etl"},
    {"sub": "nobody", "isAdmin": 2},
    {"sub": "o'hara", "applications_admin": "WEB,nothing"},
)
MOMENT: Final = datetime.fromisoformat(NOW)
Choice = dict[str, Any]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("numbers")) as one:
        yield one


class World:
    """What is stored now: one of a few sets of random events."""

    seed: int | None = None
    raws: Sequence[Mapping[str, Any]] = ()

    def become(self, seed: int, served: Served) -> None:
        if seed != self.seed:
            self.raws = events(seed)
            served.load(self.raws)
            self.seed = seed


@pytest.fixture(scope="module")
def world() -> World:
    return World()


def events(seed: int) -> list[dict[str, Any]]:
    """Random events about a jump of the clocks; seed 0 has none."""
    dice, most = random.Random(seed), (0, 1, 12, 60, 300)[seed % 5]
    about = datetime.fromisoformat(JUMPS[seed % len(JUMPS)])
    spread = dice.choice((3_600, 86_400, 20 * 86_400))
    return [event(dice, f"e{n}", about, spread) for n in range(most)]


def event(dice: random.Random, name: str, about: datetime, spread: int) -> dict[str, Any]:
    kind = dice.choices(("llm", "message", "workflow", "tool"), (6, 1, 1, 1))[0]
    at = about + timedelta(seconds=dice.randint(-spread, spread), microseconds=dice.randint(0, 9))
    raw = {
        "event_id": name, "ts": micros(at), "kind": kind, "source": "test",
        "channel": dice.choice(("platform", "cli", "api", "other")),
        "status": dice.choices(("ok", "error", "aborted"), (6, 2, 1))[0],
        "user": dice.choice((*PEOPLE, None)), "project": dice.choice((*PROJECTS, None)),
        "model": dice.choice((*MODELS, None)), "provider": dice.choice(("p", "q", None)),
        "assistant": dice.choice(("helper", None)), "workflow": dice.choice(("nightly", None)),
        "duration_ms": dice.choice((None, 0, dice.randint(1, 90_000))),
    }  # fmt: skip
    return raw | (call(dice) if kind == "llm" else {})


def call(dice: random.Random) -> dict[str, Any]:
    counts = {name: dice.choice((None, 0, dice.randint(1, 10**6))) for name in oracle.TOKENS}
    thought = dice.choice((None, (counts["output_tokens"] or 0) // 2))
    cost = dice.choice((None, 0, 1, dice.randint(1, 10**10)))
    reasoning = thought if counts["output_tokens"] is not None else None
    return counts | {"reasoning_tokens": reasoning, "cost_nano": cost}


def some(values: Sequence[str]) -> st.SearchStrategy[list[str]]:
    return st.one_of(st.just([]), st.just([]), st.lists(st.sampled_from(values), max_size=3))


LISTS: Final = {
    "user": (*PEOPLE, "me", "(none)", "stranger"), "project": (*PROJECTS, "(none)", "nowhere"),
    "model": (*MODELS, "(none)"), "provider": ("p", "q", "(none)"),
    "channel": ("platform", "cli", "(none)"), "assistant": ("helper", "(none)"),
    "workflow": ("nightly", "(none)"), "status": ("ok", "error"),
}  # fmt: skip


@st.composite
def choices(draw: st.DrawFn, seeds: st.SearchStrategy[int]) -> tuple[int, Choice]:
    """A set of events, and filters that speak of its days."""
    seed = draw(seeds)
    told: Choice = {"preset": draw(st.sampled_from(PRESETS)), "tz": draw(st.sampled_from(ZONES))}
    if told["preset"] in ("last_n_hours", "last_n_days"):
        told["n"] = draw(st.integers(1, 60))
    if told["preset"] == "custom":
        told |= draw(ranges(datetime.fromisoformat(JUMPS[seed % len(JUMPS)])))
    lists = {name: draw(some(values)) for name, values in LISTS.items()}
    return seed, told | {name: values for name, values in lists.items() if values}


PRESETS: Final = ("custom", "custom", "custom", "last_hour", "last_n_hours", "last_n_days",
                  "last_month")  # fmt: skip


@st.composite
def ranges(draw: st.DrawFn, about: datetime) -> Choice:
    """A custom range about a jump; its ends are local, or carry an offset."""
    hours = draw(st.sampled_from((2, 30, 24 * 9, 24 * 70, 24 * 300)))
    start, end = (timedelta(minutes=draw(st.integers(1, hours * 60))) for _ in range(2))
    ends = {"from": about - start, "to": about + end}
    local = hours > 30 and draw(st.booleans())
    return {k: (t.replace(tzinfo=None) if local else t).isoformat() for k, t in ends.items()}


def expected(
    world: World, claims: Choice, choice: Choice, by: Sequence[str], metrics: Sequence[str],
    grain: str,
) -> dict[oracle.Key, dict[str, Any]]:  # fmt: skip
    """The oracle's rows; a group without any event of its metrics' kinds is none."""
    frame = oracle.frame(world.raws, FIELDS)
    frame = oracle.kept(oracle.visible(frame, claims), choice, claims["sub"], MOMENT)
    if not set(metrics) & set(oracle.NUMBERS):
        frame = frame[frame["kind"] == "llm"]
    groups = oracle.groups(frame, by, grain, choice["tz"])
    return {
        key: {name: oracle.measure(name, rows) for name in metrics} for key, rows in groups.items()
    }


def told(rows: Sequence[Mapping[str, Any]], by: Sequence[str], grain: str) -> list[oracle.Key]:
    """The keys of answered rows, as the oracle spells them."""
    return [tuple(spelt(row[b], grain) if b == "time" else row[b] for b in by) for row in rows]


def spelt(time: str, grain: str) -> str:
    return datetime.fromisoformat(time).strftime(oracle.FLOORS[grain])


def assert_same(got: Mapping[str, Any], wanted: Mapping[str, Any], zone: str = "UTC") -> None:
    for name, value in wanted.items():
        told = got[name]
        if METRICS[name].unit == "instant" and told is not None:
            told = micros(datetime.fromisoformat(told))
        if value is None or told is None:
            assert told == value, (name, got, wanted)
        else:
            assert math.isclose(told, value, rel_tol=1e-9, abs_tol=1e-9), (name, got, wanted)


def seeds() -> st.SearchStrategy[int]:
    return st.sampled_from(range(45))


@STEADY
@settings(max_examples=EXAMPLES)
@given(
    asked=choices(seeds()),
    claims=st.sampled_from(CLAIMS),
    by=st.lists(st.sampled_from(sorted(DIMENSIONS)), max_size=3, unique=True),
    metrics=st.lists(st.sampled_from(sorted(METRICS)), min_size=1, max_size=4, unique=True),
    grain=st.sampled_from(("day", "hour", "week", "month", "minute")),
)
def test_the_query_gives_the_oracles_rows_and_totals(
    served: Served, world: World, asked: tuple[int, Choice], claims: Choice, by: list[str],
    metrics: list[str], grain: str,
) -> None:  # fmt: skip
    seed, choice = asked
    world.become(seed, served)
    said = {"metrics": ",".join(metrics), "by": ",".join(by), "grain": grain, "limit": 100_000}
    answer = served.json("query", claims, **asking(choice), **said)
    wanted = expected(world, claims, choice, by, metrics, grain)
    keys = told(answer["rows"], by, grain)
    assert sorted(map(repr, keys)) == sorted(map(repr, wanted))
    for key, row in zip(keys, answer["rows"], strict=True):
        assert_same(row, wanted[key])
    assert_totals(answer, expected(world, claims, choice, (), metrics, grain)[()])
    assert answer["row_count"] == len(keys)


def asking(choice: Choice) -> Choice:
    return {("from_" if name == "from" else name): value for name, value in choice.items()}


def assert_totals(answer: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Totals are the whole's numbers, and what adds up adds up to them."""
    assert_same(answer["totals"], wanted)
    for name in wanted:
        if METRICS[name].additive:
            added = math.fsum(row[name] or 0 for row in answer["rows"])
            assert math.isclose(added, answer["totals"][name] or 0, rel_tol=1e-9, abs_tol=1e-9)


COMBINATIONS: Final = [
    pytest.param(one, by, measure, id=f"{one.key}-{by}-{measure}")
    for one in SECTIONS.values()
    for by in one.by or ("",)
    for measure in measures(one)
]
EACH: Final = max(2, EXAMPLES // len(COMBINATIONS))


@pytest.mark.parametrize(("one", "by", "measure"), COMBINATIONS)
@STEADY
@settings(max_examples=EACH)
@given(data=st.data())
def test_every_section_gives_the_oracles_rows(
    served: Served, world: World, one: Section, by: str, measure: str, data: st.DataObject
) -> None:
    # Few examples a combination: begin each with a seed and claims of its own, not the simplest.
    dice = random.Random(f"{one.key}{by}{measure}")
    first, who = dice.randrange(45), dice.randrange(len(CLAIMS))
    seed, choice = data.draw(choices(seeds().map(lambda n: (n + first) % 45)))
    claims = CLAIMS[(data.draw(st.integers(0, len(CLAIMS) - 1)) + who) % len(CLAIMS)]
    world.become(seed, served)
    said = asking(choice) | ({"by": by} if by else {}) | {"measure": measure}
    answer = served.json(f"sections/{one.key}", claims, **said)
    section_is(world, one, by, measure, claims, choice, answer)
    assert_totals(answer, expected(world, claims, choice, (), one.metrics, "day")[()])
    assert_csv(served.get(f"sections/{one.key}.csv", claims, **said).text, answer)


def section_is(
    world: World, one: Section, by: str, measure: str, claims: Choice, choice: Choice, answer: Any
) -> None:
    """The rows of a section: the largest by its measure, the rest as Other, every bucket there."""
    dimensions, grain = one.dimensions(by), automatic(choice)
    whole = expected(world, claims, choice, (by,) if by else (), one.metrics, grain)
    largest = sorted(whole, key=lambda key: rank(whole[key][measure], key))
    if "time" not in dimensions:
        assert [key_of(row, by) for row in answer["rows"]] == largest
        for key, row in zip(largest, answer["rows"], strict=True):
            assert_same(row, whole[key])
        return
    assert_over_time(world, one, by, claims, choice, answer, largest[: one.top])


def rank(value: Any, key: oracle.Key) -> tuple[Any, ...]:
    return (value is None, -(value or 0), key[-1:] == (None,), key)


def key_of(row: Mapping[str, Any], by: str) -> oracle.Key:
    return (row[by],) if by else ()


def assert_over_time(
    world: World, one: Section, by: str, claims: Choice, choice: Choice, answer: Any,
    top: Sequence[oracle.Key],
) -> None:  # fmt: skip
    grain, gathered = automatic(choice), World()
    shown = {key[0] for key in top}
    gathered.raws = [named(raw, by, shown) for raw in renamed(world.raws, claims, choice)]
    everyone = {"sub": "", "isAdmin": True}
    span = {name: v for name, v in choice.items() if name not in LISTS}
    wanted = expected(gathered, everyone, span, ("time", by), one.metrics, grain)
    empty = {name: empty_value(name) for name in one.metrics}
    keys = told(answer["rows"], ("time", by), grain)
    groups = {key[1] for key in wanted}
    assert sorted(map(repr, keys)) == sorted(
        repr((b, g)) for b in all_buckets(choice, grain) for g in groups
    )
    for key, row in zip(keys, answer["rows"], strict=True):
        filled = {n: wanted.get(key, empty)[n] for n in one.metrics}
        assert_same(row, {n: empty[n] if v is None else v for n, v in filled.items()})


def renamed(raws: Sequence[Any], claims: Choice, choice: Choice) -> list[Any]:
    frame = oracle.frame(raws, FIELDS)
    frame = oracle.kept(oracle.visible(frame, claims), choice, claims["sub"], MOMENT)
    kept = set(frame["event_id"])
    return [raw for raw in raws if raw["event_id"] in kept]


def named(raw: Mapping[str, Any], by: str, shown: set[Any]) -> dict[str, Any]:
    return {**raw, by: raw.get(by) if raw.get(by) in shown else "Other"}


def empty_value(name: str) -> int | None:
    return 0 if METRICS[name].additive or METRICS[name].unit == "count" else None


def automatic(choice: Choice) -> str:
    """The grain that the house's rules give a window."""
    start, end = oracle.window(choice, MOMENT)
    hours = (end.astimezone(UTC) - start.astimezone(UTC)) / timedelta(hours=1)
    limits = {"minute": 3, "hour": 96, "day": 92 * 24 + 2, "week": 400 * 24 + 2}
    fits = (g for g, most in limits.items() if (hours < most if most < 100 else hours <= most))
    return next(fits, "month")


def all_buckets(choice: Choice, grain: str) -> set[str]:
    """Every bucket that the window touches, found by walking through it."""
    start, end = (int(t.timestamp() * 1e6) for t in oracle.window(choice, MOMENT))
    step = 60_000_000 if grain == "minute" else 900_000_000
    walked = [start, *range(start - start % step + step, end, step)]
    return {oracle.bucket(us, grain, choice["tz"]) for us in walked}


def assert_csv(text: str, answer: Any) -> None:
    """The file says what the JSON says; what a spreadsheet would compute begins with a quote."""
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == [column["name"] for column in answer["columns"]]
    shown = [[cell(row[name]) for name in rows[0]] for row in answer["rows"]]
    assert rows[1:] == shown


def cell(value: Any) -> str:
    if value is None:
        return ""
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r\n" else str(value)


def test_the_oracle_knows_every_metric() -> None:
    assert set(METRICS) <= set(oracle.CALLS) | set(oracle.NUMBERS), "teach tests/oracle.py"
