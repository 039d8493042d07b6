"""Random events, claims, filters, zones and grains: every door gives the oracle's numbers."""

from __future__ import annotations

import csv
import io
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.sections.declared import SECTIONS, Section
from components.shapes.changes import Changes
from components.shapes.headline import Headline
from components.shapes.heatmap import Heatmap
from components.shapes.measures import Measures
from components.shapes.ranking import Ranking
from components.shapes.side_by_side import SideBySide
from components.shapes.time_series import TimeSeries
from data.access.scope import Scope
from data.events.table import FIELDS, micros
from data.query.answers import answer
from data.query.catalog import DIMENSIONS, METRICS
from data.query.filters import parse
from data.query.units import COUNT, INSTANT
from tests import oracle, oracle_metrics
from tests.always_summed import ALWAYS
from tests.engine import ENGINE
from tests.serving import NOW, Served, serving

# Fewer where another suite has asked the same questions of the events already.
EXAMPLES: Final = 30 if ALWAYS or ENGINE else 160
TOKENS: Final = oracle_metrics.TOKENS
COLUMNS: Final = (*FIELDS, *oracle_metrics.BOOKED)
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
    events: oracle.Rows

    def become(self, seed: int, served: Served) -> None:
        if seed != self.seed:
            served.load(raws := events(seed))
            self.events = oracle.rows_of(raws, COLUMNS)
            self.seed = seed


@pytest.fixture(scope="module")
def world() -> World:
    return World()


def events(seed: int) -> list[dict[str, Any]]:
    """Random events about a jump of the clocks; seed 0 has none."""
    dice, most = random.Random(seed), (0, 1, 12, 60, 160)[seed % 5]
    about = datetime.fromisoformat(JUMPS[seed % len(JUMPS)])
    spread = dice.choice((3_600, 86_400, 20 * 86_400))
    return [event(dice, f"e{n}", about, spread) for n in range(most)]


def event(dice: random.Random, name: str, about: datetime, spread: int) -> dict[str, Any]:
    kind = dice.choices(oracle_metrics.KINDS, (8, 2, 2, 2, 2, 2, 1))[0]
    # No two at the same instant: which is the last one is no matter of chance.
    at = about + timedelta(seconds=dice.randint(-spread, spread), microseconds=int(name[1:]))
    raw = {
        "event_id": name, "ts": micros(at), "kind": kind, "source": "test",
        "channel": dice.choice(("platform", "cli", "api", "other")),
        "status": dice.choices(("ok", "error", "aborted"), (6, 2, 1))[0],
        "user": dice.choice((*PEOPLE, None)), "project": dice.choice((*PROJECTS, None)),
        "model": dice.choice((*MODELS, None)), "provider": dice.choice(("p", "q", None)),
        "assistant": dice.choice(("helper", None)), "workflow": dice.choice(("nightly", None)),
        "duration_ms": dice.choice((None, 0, dice.randint(1, 90_000))),
    }  # fmt: skip
    few = ("tool", "tool_type", "integration", "integration_type", "client", "repository",
           "operation", "error_class", "conversation_id")  # fmt: skip
    raw |= {field: dice.choice((f"{field} 1", f"{field} 2", None)) for field in few}
    # A workflow's event is one run: its id comes once among them.
    raw["run_id"] = f"run of {name}" if kind == "workflow" else None
    more = {"llm": call, "session": sat, "adjustment": taken_back}
    return raw | (more[kind](dice) if kind in more else {})


def taken_back(dice: random.Random) -> dict[str, Any]:
    return {"cost_nano": dice.choice((None, 0, dice.randint(-(10**9), 10**9)))}


def sat(dice: random.Random) -> dict[str, Any]:
    names = ("lines_added", "lines_removed", "files_changed")
    return {name: dice.choice((None, 0, dice.randint(1, 999))) for name in names}


def call(dice: random.Random) -> dict[str, Any]:
    counts = {name: dice.choice((None, 0, dice.randint(1, 10**6))) for name in TOKENS}
    parts = {
        part: dice.choice((None, (counts[whole] or 0) // 3))
        for part, whole in oracle_metrics.PARTS.items()
    }
    cost = dice.choice((None, 0, 1, dice.randint(1, 10**10)))
    first = dice.choice((None, dice.randint(1, 900)))
    many = dice.choice((None, None, dice.randint(1, 50)))
    told = {"web_searches": dice.choice((None, None, 0, 3)), "cost_nano": cost, "ttft_ms": first}
    tier = dice.choice((None, "standard", "batch"))
    reason = None if cost is not None else dice.choice((None, "unknown model"))
    return counts | parts | told | {"request_count": many, "service_tier": tier,
                                    "unpriced_reason": reason}  # fmt: skip


LISTS: Final = {
    "user": (*PEOPLE, "me", "(none)", "stranger"), "project": (*PROJECTS, "(none)", "nowhere"),
    "model": (*MODELS, "(none)"), "provider": ("p", "q", "(none)"),
    "channel": ("platform", "cli", "(none)"), "assistant": ("helper", "(none)"),
    "workflow": ("nightly", "(none)"), "status": ("ok", "error"),
}  # fmt: skip
# What a page or list may be about, whatever else is chosen.
ABOUT: Final[tuple[Choice, ...]] = (
    *({"of": f"{name}:{value}"} for name in ("user", "project", "model", "assistant")
      for value in LISTS[name] if value != "(none)"),
    {"conversation_id": "conversation_id 1"}, {"run_id": "run of e7"},
    {"conversation_id": "conversation_id 2", "of": "assistant:helper"},
)  # fmt: skip
PRESETS: Final = ("custom", "custom", "custom", "last_hour", "last_n_hours", "last_n_days",
                  "last_month")  # fmt: skip
WORLDS: Final = 45
QUIET: Final = [number for number in range(WORLDS) if number % 5 < 2]  # one event, or none
BUSY: Final = [number for number in range(WORLDS) if number % 5 >= 2]


def chosen(dice: random.Random, worlds: Sequence[int] = range(WORLDS)) -> tuple[int, Choice]:
    """A set of events, and filters that speak of its days."""
    number = dice.choice(worlds)
    told: Choice = {"preset": dice.choice(PRESETS), "tz": dice.choice(ZONES)}
    if told["preset"] in ("last_n_hours", "last_n_days"):
        told["n"] = dice.randint(1, 60)
    if told["preset"] == "custom":
        told |= ranges(dice, datetime.fromisoformat(JUMPS[number % len(JUMPS)]))
    few = dice.sample(sorted(LISTS), dice.choice((0, 0, 1, 2)))
    spelled = {name: f"{dice.choice(('', '', 'not_', 'contains_'))}{name}" for name in few}
    told |= {spelled[name]: dice.sample(LISTS[name], dice.choice((1, 2))) for name in few}
    told |= dice.choice(ABOUT) if dice.random() < 0.3 else {}
    for name, values in told.items():
        if name.startswith("contains_"):
            told[name] = [dice.choice((part.upper(), part)) for part in map(inner, values)]
    return number, told


def inner(value: str) -> str:
    """A part of a value: its middle, if it has one."""
    return value[1:-1] or value


def ranges(dice: random.Random, about: datetime) -> Choice:
    """A custom range about a jump; its ends are local, or carry an offset."""
    hours = dice.choice((2, 30, 24 * 9, 24 * 70, 24 * 300))
    start, end = (timedelta(minutes=dice.randint(1, hours * 60)) for _ in range(2))
    ends = {"from": about - start, "to": about + end}
    local = hours > 30 and dice.random() < 0.5
    return {k: (t.replace(tzinfo=None) if local else t).isoformat() for k, t in ends.items()}


def asks() -> st.SearchStrategy[tuple[int, Choice]]:
    return st.integers(0, 10**9).map(lambda n: chosen(random.Random(n)))


def expected(
    events: oracle.Rows, claims: Choice, choice: Choice, by: Sequence[str],
    metrics: Sequence[str], grain: str,
) -> dict[oracle.Key, dict[str, Any]]:  # fmt: skip
    """The oracle's rows; a group without any event of its metrics' kinds is none."""
    seen = oracle.filtered(oracle.visible(events, claims), choice, claims["sub"], MOMENT)
    kinds = oracle_metrics.kinds(metrics)
    seen = [row for row in seen if row["kind"] in kinds]
    zone, whole = choice["tz"], oracle_metrics.added(seen, "cost_nano") or 0
    groups = oracle.groups(seen, by, grain, zone)
    return {
        key: oracle_metrics.measured(metrics, rows, zone, whole) for key, rows in groups.items()
    }


def told(rows: Sequence[Mapping[str, Any]], by: Sequence[str], grain: str) -> list[oracle.Key]:
    """The keys of answered rows, as the oracle spells them."""
    return [tuple(spelt(row[b], grain) if b == "time" else row[b] for b in by) for row in rows]


def spelt(time: str, grain: str) -> str:
    return datetime.fromisoformat(time).strftime(oracle.FLOORS[grain])


def assert_same(got: Mapping[str, Any], wanted: Mapping[str, Any], zone: str = "UTC") -> None:
    for name, value in wanted.items():
        told = got[name]
        if METRICS[name].unit is INSTANT and told is not None:
            told = micros(datetime.fromisoformat(told))
        if value is None or told is None or isinstance(value, str):
            assert told == value, (name, got, wanted)
        else:
            assert math.isclose(told, value, rel_tol=1e-9, abs_tol=1e-9), (name, got, wanted)


@settings(STEADY, max_examples=EXAMPLES)
@given(
    asked=asks(),
    claims=st.sampled_from(CLAIMS),
    by=st.lists(st.sampled_from(sorted(DIMENSIONS)), max_size=3, unique=True),
    metrics=st.lists(
        st.sampled_from(sorted(set(METRICS) & set(oracle_metrics.METRICS))),
        min_size=1,
        max_size=4,
        unique=True,
    ),
    grain=st.sampled_from(("day", "hour", "week", "month", "minute")),
)
def test_the_query_gives_the_oracles_rows_and_totals(
    served: Served, world: World, asked: tuple[int, Choice], claims: Choice, by: list[str],
    metrics: list[str], grain: str,
) -> None:  # fmt: skip
    number, choice = asked
    world.become(number, served)
    said = {"metrics": ",".join(metrics), "by": ",".join(by), "grain": grain, "limit": 100_000}
    answer = served.json("query", claims, **asking(choice), **said)
    wanted = expected(world.events, claims, choice, by, metrics, grain)
    keys = told(answer["rows"], by, grain)
    assert sorted(map(repr, keys)) == sorted(map(repr, wanted))
    for key, row in zip(keys, answer["rows"], strict=True):
        assert_same(row, wanted[key])
    assert_totals(answer, expected(world.events, claims, choice, (), metrics, grain)[()])
    assert answer["row_count"] == len(keys)


@settings(STEADY, max_examples=EXAMPLES // 4)
@given(
    asked=asks(),
    claims=st.sampled_from(CLAIMS),
    by=st.lists(st.sampled_from(sorted(DIMENSIONS)), max_size=2, unique=True),
    metrics=st.lists(
        st.sampled_from(sorted(set(METRICS) & set(oracle_metrics.METRICS))),
        min_size=1,
        max_size=3,
        unique=True,
    ),
    grain=st.sampled_from(("day", "hour", "week", "month")),
    compare=st.sampled_from(("previous", "week", "month", "year", "custom")),
)
def test_what_was_before_is_the_oracles(
    served: Served, world: World, asked: tuple[int, Choice], claims: Choice, by: list[str],
    metrics: list[str], grain: str, compare: str,
) -> None:  # fmt: skip
    number, choice = asked
    world.become(number, served)
    choice |= comparing(compare, number)
    said = {"metrics": ",".join(metrics), "by": ",".join(by), "grain": grain, "limit": 100_000}
    answer = served.json("query", claims, **asking(choice), **said)
    now, then = (
        expected(world.events, claims, one, by, metrics, grain) for one in (choice, before(choice))
    )
    keys = told(answer["rows"], by, grain)
    assert sorted(map(repr, keys)) == sorted(map(repr, now))
    places = beside(choice, by, grain)
    for key, row in zip(keys, answer["rows"], strict=True):
        assert_same(row, now[key])
        assert_before(row, metrics, then, places, key)
    whole = expected(world.events, claims, before(choice), (), metrics, grain)[()]
    assert_same(earlier(answer["totals"], metrics), whole)


def comparing(compare: str, number: int) -> Choice:
    """The choice to compare; a range of its own ends where clocks jump."""
    if compare != "custom":
        return {"compare": compare}
    about = datetime.fromisoformat(JUMPS[number % len(JUMPS)])
    since = about - timedelta(days=9, hours=5)
    return {"compare": compare, "compare_from": since.isoformat(), "compare_to": about.isoformat()}


def before(choice: Choice) -> Choice:
    """The same filters about the earlier window."""
    ends = oracle.earlier(choice, MOMENT)
    assert ends is not None
    named = {name: one.isoformat() for name, one in zip(("from", "to"), ends, strict=True)}
    rest = {name: value for name, value in choice.items() if name not in ("n", "compare")}
    return rest | {"preset": "custom"} | named


def beside(choice: Choice, by: Sequence[str], grain: str) -> dict[str, str]:
    """The earlier bucket beside each: as far on by the clock, or of the same number."""
    if "time" not in by:
        return {}
    here, there = (places(one, grain) for one in (choice, before(choice)))
    return {bucket: there[place] for place, bucket in here.items() if place in there}


def places(choice: Choice, grain: str) -> dict[Any, str]:
    buckets = sorted(all_buckets(choice, grain))
    if grain != "hour":
        return dict(enumerate(buckets))
    clocks = {one: datetime.strptime(one, "%Y-%m-%d %H %z") for one in buckets}
    in_order = sorted(buckets, key=lambda bucket: clocks[bucket])
    first, made = clocks[in_order[0]].replace(tzinfo=None), dict[Any, str]()
    for bucket in in_order:
        passed = clocks[bucket].replace(tzinfo=None) - first
        made[passed, (passed, 0) in made] = bucket
    return made


def assert_before(
    row: Mapping[str, Any], metrics: Sequence[str], then: dict[oracle.Key, dict[str, Any]],
    places: Mapping[str, str], key: oracle.Key,
) -> None:  # fmt: skip
    """What was, of the same values and in the bucket beside; zero of what adds up where there was
    nothing, and unknown where there is no bucket."""
    spelled = [part for part in key if part in places]
    if places and not spelled:
        wanted: dict[str, Any] = dict.fromkeys(metrics)
    else:
        was = tuple(places.get(part, part) for part in key)
        wanted = then.get(was, {name: empty_value(name) for name in metrics})
    assert_same(earlier(row, metrics), {name: wanted[name] for name in metrics})


def earlier(row: Mapping[str, Any], metrics: Sequence[str]) -> dict[str, Any]:
    """The earlier values of a row, by the metrics' own names."""
    return {name: row[f"{name}_before"] for name in metrics}


def asking(choice: Choice) -> Choice:
    return {("from_" if name == "from" else name): value for name, value in choice.items()}


def assert_totals(answer: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Totals are the whole's numbers, and what adds up adds up to them."""
    assert_same(answer["totals"], wanted)
    for name in wanted:
        if METRICS[name].additive:
            added = math.fsum(row[name] or 0 for row in answer["rows"])
            assert math.isclose(added, answer["totals"][name] or 0, rel_tol=1e-9, abs_tol=1e-9)


@dataclass(frozen=True)
class Asked:
    """A section in one of its shapes, by whom, under which filters."""

    one: Section
    by: str
    measure: str
    claims: Choice
    choice: Choice

    @property
    def grain(self) -> str:
        return self.one.grain or automatic(self.choice)

    def expected(
        self, events: oracle.Rows, by: Sequence[str], *metrics: str
    ) -> dict[oracle.Key, dict[str, Any]]:
        told = metrics or self.one.metrics
        return expected(events, self.claims, self.choice, by, told, self.grain)

    def seen(self, events: oracle.Rows) -> oracle.Rows:
        """The events that the claims, the filters and the section leave."""
        visible = oracle.visible(events, self.claims)
        seen = oracle.filtered(visible, self.choice, self.claims["sub"], MOMENT)
        return oracle.where(seen, self.one.where)


def questions() -> Iterator[tuple[int, Asked]]:
    """Each section by each breakdown and measure, of many events; and each of one or none."""
    for one in SECTIONS.values():
        for by in one.by or ("",):
            for measure in one.measures:
                yield drawn(one, by, measure, BUSY)
        yield drawn(one, (one.by or ("",))[0], one.measures[0], QUIET)


def drawn(one: Section, by: str, measure: str, worlds: Sequence[int]) -> tuple[int, Asked]:
    """A question, and the number of the events it is asked of: what chance gives to its name."""
    dice = random.Random(f"{one.key} {by} {measure}")
    number, choice = chosen(dice, worlds)
    return number, Asked(one, by, measure, dice.choice(CLAIMS), choice)


# In the order of their events: these are stored once for all who ask of them.
QUESTIONS: Final = [
    pytest.param(number, asked, id=f"{asked.one.key}-{asked.by}-{asked.measure}-{number}")
    for number, asked in sorted(questions(), key=itemgetter(0))
]


@pytest.mark.parametrize(("number", "asked"), QUESTIONS)
def test_every_section_gives_the_oracles_rows(
    served: Served, world: World, number: int, asked: Asked
) -> None:
    world.become(number, served)
    section_is_right(served, world, asked)


def section_is_right(served: Served, world: World, asked: Asked) -> None:
    said = asking(asked.choice) | ({"by": asked.by} if asked.by else {})
    path, told = f"sections/{asked.one.key}", said | {"measure": asked.measure}
    answer = served.json(path, asked.claims, **told)
    seen = asked.seen(world.events)
    SHAPES[type(asked.one.shape)](asked, seen, answer)
    assert_totals(answer, asked.expected(seen, ())[()])
    assert_csv(served.get(f"{path}.csv", asked.claims, **told).text, answer)


def is_ranked(asked: Asked, seen: oracle.Rows, answer: Any) -> None:
    """Every value, the largest by the measure first."""
    whole = asked.expected(seen, (asked.by,) if asked.by else ())
    largest = sorted(whole, key=lambda key: rank(whole[key][asked.measure], key))
    assert [key_of(row, asked.by) for row in answer["rows"]] == largest
    for key, row in zip(largest, answer["rows"], strict=True):
        assert_same(row, whole[key])


def rank(value: Any, key: oracle.Key) -> tuple[Any, ...]:
    size = -(value or 0) if not isinstance(value, str) else 0
    return (value is None, size, key[-1:] == (None,), key)


def key_of(row: Mapping[str, Any], by: str) -> oracle.Key:
    return (row[by],) if by else ()


def is_over_time(asked: Asked, seen: oracle.Rows, answer: Any) -> None:
    """The largest by the measure, the rest as Other, in every bucket."""
    # What has no event of the measure's kind has no rank: it is among the others.
    whole = asked.expected(seen, (asked.by,), asked.measure)
    largest = sorted(whole, key=lambda key: rank(whole[key][asked.measure], key))
    top = {key[0] for key in largest[: asked.one.shape.top_values]}
    span = {
        name: value
        for name, value in asked.choice.items()
        if name.removeprefix("not_").removeprefix("contains_")
        not in (*LISTS, "of", "run_id", "conversation_id")
    }
    every = replace(asked, claims={"sub": "", "isAdmin": True}, choice=span)
    is_complete(every, every.expected(gathered(seen, asked.by, top), ("time", asked.by)), answer)


def gathered(rows: oracle.Rows, by: str, shown: set[Any]) -> oracle.Rows:
    """The rows, those of any other value as Other."""
    return [row if row[by] in shown else {**row, by: "Other"} for row in rows]


def is_mixed(asked: Asked, seen: oracle.Rows, answer: Any) -> None:
    """Every bucket, of every value where there is a breakdown."""
    by = ("time", asked.by) if asked.by else ("time",)
    is_complete(asked, asked.expected(seen, by), answer)


def is_complete(asked: Asked, wanted: dict[oracle.Key, dict[str, Any]], answer: Any) -> None:
    by = asked.one.shape.dimensions(asked.by)
    groups = {key[1:] for key in wanted} if len(by) > 1 else {()}
    buckets = all_buckets(asked.choice, asked.grain)
    fill(asked, by, wanted, answer, {(b, *group) for b in buckets for group in groups})


def is_a_week(asked: Asked, seen: oracle.Rows, answer: Any) -> None:
    """Every hour of every weekday."""
    by = asked.one.shape.dimensions(asked.by)
    week = {(day, hour) for day in range(7) for hour in range(24)}
    fill(asked, by, asked.expected(seen, by), answer, week)


def fill(
    asked: Asked, by: Sequence[str], wanted: dict[oracle.Key, dict[str, Any]], answer: Any,
    places: set[oracle.Key],
) -> None:  # fmt: skip
    """A row for every place: where nothing happened, zero for counts and a gap for averages."""
    keys = told(answer["rows"], by, asked.grain)
    assert sorted(map(repr, keys)) == sorted(map(repr, places))
    empty = {name: empty_value(name) for name in asked.one.metrics}
    for key, row in zip(keys, answer["rows"], strict=True):
        known = wanted.get(key, empty)
        none = {name for name in known if nothing_of(name, known)}
        assert_same(row, {n: empty[n] if n in none else v for n, v in known.items()})


def nothing_of(name: str, known: Mapping[str, Any]) -> bool:
    """Whether a cell has no event of the metric's kind, as far as its columns can tell."""
    counts = {"llm": "requests", "session": "sessions"}
    count = counts.get(oracle_metrics.METRICS[name][0])
    return known[name] is None and known.get(str(count)) == 0


SHAPES: Final = {
    Headline: is_ranked, Ranking: is_ranked, TimeSeries: is_over_time, Measures: is_mixed,
    Heatmap: is_a_week, SideBySide: is_over_time, Changes: is_ranked,
}  # fmt: skip


def empty_value(name: str) -> int | None:
    return 0 if METRICS[name].additive or METRICS[name].unit is COUNT else None


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
    # A day is longer than an hour's step in any zone: none is stepped over.
    step = {"minute": 60_000_000, "hour": 900_000_000}.get(grain, 3_600_000_000)
    walked = [start, *range(start - start % step + step, end, step), end - 1]
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


@pytest.mark.parametrize("key", SECTIONS)
def test_every_section_gives_the_oracles_earlier_rows(
    served: Served, world: World, key: str
) -> None:
    dice, one = random.Random(key), SECTIONS[key]
    world.become(MOST, served)
    choice: Choice = {"preset": "custom", "tz": dice.choice(ZONES)}
    choice |= ranges(dice, datetime.fromisoformat(JUMPS[MOST % len(JUMPS)]))
    choice |= comparing(dice.choice(("previous", "week", "month", "custom")), MOST)
    asked = Asked(one, dice.choice(one.by or ("",)), dice.choice(one.measures), CLAIMS[0], choice)
    said = asking(choice) | {"measure": asked.measure} | ({"by": asked.by} if asked.by else {})
    answer = served.json(f"sections/{key}", CLAIMS[0], **said)
    assert_csv(served.get(f"sections/{key}.csv", CLAIMS[0], **said).text, answer)
    assert_earlier_rows(asked, replace(asked, choice=before(choice)).seen(world.events), answer)
    assert_card_compares_alike(asked, served, answer)


def assert_card_compares_alike(asked: Asked, served: Served, told: Any) -> None:
    """A card asks for fewer metrics; what it shows is the same."""
    filters, scope = parse(asked.choice, micros(MOMENT)), Scope.of(asked.claims)
    chosen = (asked.by or None, asked.measure)
    drawn = answer(asked.one, filters, scope, served.store, *chosen, only_drawn=True)
    for name in asked.one.shape.drawn(asked.one.measures, asked.measure):
        column = f"{name}_before"
        shown = METRICS[name].unit.record
        values = [shown(value, asked.choice["tz"]) for value in drawn.frame[column].tolist()]
        assert values == [row[column] for row in told["rows"]], name


# As many events as there are, some of them in a range about their jump and some before it.
MOST: Final = 9


def assert_earlier_rows(asked: Asked, seen: oracle.Rows, answer: Any) -> None:
    """What was of each row, with its dates, and what was in all."""
    by, grain, metrics = asked.one.shape.dimensions(asked.by), asked.grain, asked.one.metrics
    then, empty = before(asked.choice), {name: empty_value(name) for name in metrics}
    if isinstance(asked.one.shape, TimeSeries):
        shown = {row[asked.by] for row in answer["rows"]}
        seen = gathered(seen, asked.by, shown)
    rows = expected(seen, asked.claims, then, by, metrics, grain)
    if asked.one.shape.fills_gaps:
        rows = {key: {n: empty[n] if nothing_of(n, row) else v for n, v in row.items()}
                for key, row in rows.items()}  # fmt: skip
    places = beside(asked.choice, by, grain)
    for key, row in zip(told(answer["rows"], by, grain), answer["rows"], strict=True):
        assert_before(row, metrics, rows, places, key)
        if "time" not in by:
            assert (row["compared_from"], row["compared_to"]) == tuple(
                answer["meta"]["compared"].values()
            )
        else:
            known = row["compared_from"]
            assert (known and spelt(known, grain)) == places.get(key[0])
    whole = expected(seen, asked.claims, then, (), metrics, grain)[()]
    assert_same(earlier(answer["totals"], metrics), whole)


def test_the_oracle_knows_every_metric() -> None:
    assert set(METRICS) <= set(oracle_metrics.METRICS), "teach tests/oracle_metrics.py"
