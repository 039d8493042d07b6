"""Aliases: whatever is asked, the answer is the one to events that carry the person's own id."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.sections.declared import SECTIONS
from data.events.table import micros
from data.query.catalog import DIMENSIONS, METRICS
from data.query.listing import COLUMNS
from tests.analytics import test_numbers as numbers
from tests.presence import card_states
from tests.serving import ADMIN, NOW, Claims, Served, serving

EXAMPLES: Final = 32
IDS: Final = tuple(one for one in numbers.PEOPLE)
Mapping_ = dict[str, str]
Raw = dict[str, Any]
NAMES: Final = {"ana": "Ana Lopes", "bob": None, "Zoë": "Zoë <b>", "=1+1": "+1", "o'hara": "O'Hara"}


@pytest.fixture(scope="module")
def merged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Events as they came, with aliases."""
    with serving(tmp_path_factory.mktemp("merged")) as one:
        yield one


@pytest.fixture(scope="module")
def rewritten(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The same events under the persons' own ids, without aliases."""
    with serving(tmp_path_factory.mktemp("rewritten")) as one:
        yield one


class World:
    """What both servers hold now: random events and a random mapping of their users."""

    seed: int | None = None
    aliases: Mapping_

    def become(self, seed: int, merged: Served, rewritten: Served) -> None:
        if seed == self.seed:
            return
        dice = random.Random(seed)
        raws = [raw | {"user_name": NAMES.get(raw["user"])} for raw in numbers.events(seed)]
        self.aliases = mapping(dice)
        merged.load(raws)
        names = {raw["user"]: raw["user_name"] for raw in raws}
        rewritten.load(self.rewrite(raw, names) for raw in raws)
        tell(merged, self.aliases)
        self.seed = seed

    def rewrite(self, raw: Raw, names: Mapping[str, Any]) -> Raw:
        if (person := self.aliases.get(raw["user"])) is None:
            return raw
        return raw | {"user": person, "user_name": names.get(person) or raw["user_name"]}

    def person(self, claims: Claims) -> Claims:
        return {**claims, "sub": self.aliases.get(claims["sub"], claims["sub"])}

    def choice(self, choice: Mapping[str, Any]) -> dict[str, Any]:
        told = {name: choice[name] for name in ("user", "not_user") if choice.get(name)}
        meant: dict[str, Any] = {
            name: [self.aliases.get(user, user) for user in users] for name, users in told.items()
        }
        field, _, value = str(choice.get("of", "")).partition(":")
        if field == "user":
            meant["of"] = f"user:{self.aliases.get(value, value)}"
        return {**choice, **meant}


@pytest.fixture(scope="module")
def world() -> World:
    return World()


def mapping(dice: random.Random) -> Mapping_:
    """Some ids are aliases of some others, or of somebody without an event."""
    ids_ = list(IDS)
    dice.shuffle(ids_)
    cut = dice.randint(1, len(ids_) - 1)
    persons, others = [*ids_[:cut], "only an id"], ids_[cut:]
    return {one: dice.choice(persons) for one in others if dice.random() < 0.9}


def tell(served: Served, aliases: Mapping_) -> None:
    """Have these aliases and no others, through the door for scripts."""
    for one in served.json("aliases")["aliases"]:
        assert forget(served, one["alias"]).status_code == 204
    for alias, person in aliases.items():
        assert post(served, {"alias": alias, "person": person}).status_code == 201


def test_a_third_spelling_of_an_address_finds_its_rows_once_merged(tmp_path: Path) -> None:
    third, stranger = {"sub": "ANN@X.COM"}, {"sub": "ANN@X.ORG"}
    users = ("ann@x.com", "Ann@x.com", "ANN@x.com", "xann@x.com", None)
    at = micros(datetime.fromisoformat(NOW) - timedelta(hours=1))
    with serving(tmp_path) as served:
        served.load(
            {"event_id": str(n), "ts": at, "kind": "llm", "user": user}
            for n, user in enumerate(users)
        )
        assert counted(served, third) == 0
        tell(served, {"Ann@x.com": "ann@x.com"})
        assert counted(served, third) == 3
        assert counted(served, stranger) == 0
        # Whatever else they may see, `me` is what they may always see.
        for reader in (third, third | {"isAdmin": True}, {"sub": "ann@x.com", "isAdmin": True}):
            assert counted(served, reader, user="me") == 3
            all_of_them = counted(served, reader)
            assert counted(served, reader, not_user="me") == all_of_them - 3
        assert counted(served, stranger | {"isAdmin": True}, user="me") == 0
        assert counted(served, stranger | {"isAdmin": True}, not_user="me") == 5
        tell(served, {})
        assert counted(served, third) == 0


def counted(served: Served, claims: Claims, **more: str) -> int:
    asked = {"metrics": "events", "preset": "last_n_days", "n": 7, **more}
    return int(served.json("query", claims, **asked)["totals"]["events"])


def post(served: Served, raw: Any, claims: Claims = ADMIN, path: str = "") -> Any:
    headers = served.headers(claims)
    return served.client.post(f"/api/v1/aliases{path}", json=raw, headers=headers)


def forget(served: Served, alias: str, claims: Claims = ADMIN) -> Any:
    headers = served.headers(claims)
    return served.client.delete("/api/v1/aliases", query_string={"alias": alias}, headers=headers)


def asks() -> st.SearchStrategy[tuple[int, dict[str, Any]]]:
    return st.integers(0, 10**9).map(lambda n: chosen(random.Random(n)))


def chosen(dice: random.Random) -> tuple[int, dict[str, Any]]:
    """As the numbers' questions, more often about users."""
    number, choice = numbers.chosen(dice)
    choice.pop("contains_user", None)  # finds who came under an id that is written nowhere else
    if dice.random() < 0.5:
        name = dice.choice(("user", "not_user"))
        choice[name] = dice.sample((*numbers.LISTS["user"], "only an id"), dice.choice((1, 3)))
    return number % 5 + 45 * dice.randrange(3), choice


def plain(told: Any) -> Any:
    """An answer without its stopwatch, and without the echo of what was typed."""
    if isinstance(told, dict) and "meta" in told:
        kept = {k: v for k, v in told["meta"].items() if k not in ("elapsed_ms", "filters")}
        return told | {"meta": kept | {"notice": bool(kept["notice"])}}
    return told


class Doors:
    """Both servers, asked alike."""

    def __init__(self, merged: Served, rewritten: Served, world: World) -> None:
        self.merged, self.rewritten, self.world = merged, rewritten, world

    def agree(self, path: str, claims: Claims, choice: Mapping[str, Any], **said: Any) -> Any:
        told = numbers.asking(dict(choice)) | said
        meant = numbers.asking(self.world.choice(choice)) | said
        got = self.merged.get(path, claims, **told)
        text = got.text  # a stream is read to its end before the next begins
        assert got.status_code == 200, text
        wanted = self.rewritten.get(path, self.world.person(claims), **meant)
        if ".csv" in path:
            assert text == wanted.text
            return text
        assert same(plain(got.json), plain(wanted.json)), (got.json, wanted.json)
        return got.json


def same(got: Any, wanted: Any) -> bool:
    """Equal, but for the last digit of a mean."""
    if isinstance(wanted, dict):
        return set(got) == set(wanted) and all(same(got[k], wanted[k]) for k in wanted)
    if isinstance(wanted, list):
        return len(got) == len(wanted) and all(map(same, got, wanted))
    if isinstance(wanted, float):
        return bool(got == pytest.approx(wanted, rel=1e-9))
    return bool(got == wanted)


@pytest.fixture(scope="module")
def doors(merged: Served, rewritten: Served, world: World) -> Doors:
    return Doors(merged, rewritten, world)


CLAIMS: Final = st.sampled_from((*numbers.CLAIMS, {"sub": "me too"}, {"sub": "only an id"}))


@settings(numbers.STEADY, max_examples=EXAMPLES)
@given(
    asked=asks(),
    claims=CLAIMS,
    by=st.lists(st.sampled_from(sorted(DIMENSIONS)), max_size=2, unique=True),
    metrics=st.lists(st.sampled_from(sorted(METRICS)), min_size=1, max_size=3, unique=True),
    more=st.sampled_from((("user", "active_users"), ("user", "last_user"), ("model", "cost"))),
)
def test_a_query_is_answered_as_if_rewritten(
    doors: Doors, asked: Any, claims: Claims, by: list[str], metrics: list[str], more: Any
) -> None:
    number, choice = asked
    doors.world.become(number, doors.merged, doors.rewritten)
    by, metrics = list(dict.fromkeys((*by, more[0]))), list(dict.fromkeys((*metrics, more[1])))
    said = {"metrics": ",".join(metrics), "by": ",".join(by), "grain": "day", "limit": 5_000}
    doors.agree("query", claims, choice, compare="previous", **said)


@pytest.mark.parametrize("key", SECTIONS)
def test_a_section_is_answered_as_if_rewritten(doors: Doors, key: str) -> None:
    dice = random.Random(key)
    for place, by in enumerate(SECTIONS[key].by or ("",)):
        number, choice = chosen(dice)
        doors.world.become(number, doors.merged, doors.rewritten)
        said = {"by": by} if by else {}
        said |= {"measure": dice.choice(SECTIONS[key].measures)}
        claims = dice.choice(numbers.CLAIMS)
        doors.agree(f"sections/{key}", claims, choice, **said)
        if not place:
            doors.agree(f"sections/{key}.csv", claims, choice, **said)


@settings(numbers.STEADY, max_examples=EXAMPLES // 2)
@given(number=st.integers(0, 44), claims=CLAIMS, text=st.sampled_from(("", "lopes", "zzz", "<")))
def test_options_are_offered_as_if_rewritten(
    doors: Doors, number: int, claims: Claims, text: str
) -> None:
    doors.world.become(number, doors.merged, doors.rewritten)
    path = {"q": text, "limit": 500}
    got = doors.merged.json("options/users", claims, **path)
    wanted = doors.rewritten.json("options/users", doors.world.person(claims), **path)
    # A person is also found by what their events came with; nothing else differs.
    assert {o["value"]: o["label"] for o in wanted}.items() <= {
        o["value"]: o["label"] for o in got
    }.items()
    assert text or got == wanted


@settings(numbers.STEADY, max_examples=EXAMPLES // 4)
@given(
    asked=asks(),
    claims=CLAIMS,
    order=st.sampled_from(("user", "-user", "user_name,-ts", "-cost,user")),
    metric=st.sampled_from(("events", "cost", "active_users", "session_users", "errors")),
    far=st.booleans(),
)
def test_events_are_listed_as_if_rewritten(
    doors: Doors, monkeypatch_far: Any, asked: Any, claims: Claims, order: str, metric: str,
    far: bool,
) -> None:  # fmt: skip
    number, choice = asked
    doors.world.become(number, doors.merged, doors.rewritten)
    monkeypatch_far(1 if far else 5_000)
    choice |= EVER
    for one in (order, "-ts"):
        doors.agree("events", claims, choice, metric=metric, order=one, limit=40, offset=2)
    text = doors.agree("events.csv", claims, choice, metric=metric, order="ts")
    assert text.startswith(",".join(COLUMNS[:3]))


EVER: Final = {"preset": "custom", "from": "2025-01-01T00:00Z", "to": "2027-12-31T00:00Z"}


@pytest.fixture(scope="module")
def monkeypatch_far() -> Iterator[Any]:
    """Have pages far down the list begin at an offset of this."""
    with pytest.MonkeyPatch.context() as patch:
        yield lambda far: patch.setattr("data.query.listing.DEEP_OFFSET", far)


# --- the page


def question(choice: Mapping[str, Any]) -> dict[str, Any]:
    now = micros(datetime.fromisoformat(NOW))
    return {"choice": dict(choice), "zone": "UTC", "now": now}


def redrawn(served: Served, claims: Claims, key: str, choice: Any, by: str) -> Any:
    return served.redraw(key, claims, question(choice), SECTIONS[key].measures[0], by)


def test_a_redraw_is_as_if_rewritten(doors: Doors) -> None:
    dice, states = random.Random(5), set[str]()
    for key in ("top-users", "cost-by-user", "cost-over-time", "users"):
        number, choice = chosen(dice)
        doors.world.become(number, doors.merged, doors.rewritten)
        choice = EVER | {"tz": choice["tz"]}
        by = "user" if "user" in SECTIONS[key].by else SECTIONS[key].by[0]
        got = redrawn(doors.merged, numbers.CLAIMS[2], key, choice, by)
        wanted = redrawn(doors.rewritten, doors.world.person(numbers.CLAIMS[2]), key, choice, by)
        states |= card_states(got)
        assert told(got) == told(wanted)
    assert "ready" in states


def told(answer: Any) -> Any:
    """A redraw without the other ids of a person, which a rewritten store never had."""
    assert answer.status_code == 200, answer.text
    return json.loads(re.sub(r" \(also [^)]*\)", "", answer.text))["response"]


# --- budgets


def without_request(told: Any) -> Any:
    """A body without the id of its request, of which each has its own."""
    error = told.get("error", {})
    return told | ({"error": {k: v for k, v in error.items() if k != "request"}} if error else {})


@pytest.mark.parametrize("number", [44, 89])
def test_budgets_stand_as_if_rewritten(doors: Doors, number: int) -> None:
    doors.world.become(number, doors.merged, doors.rewritten)
    raws: list[dict[str, Any]] = [
        {"kind": "user", "subject": who, "hard": 1, "period": "monthly"} for who in IDS
    ]
    raws += [{"kind": "project", "subject": "web", "hard": 2, "period": "weekly"}]
    for raw in raws:
        meant = raw | {"subject": doors.world.aliases.get(raw["subject"], raw["subject"])}
        got, wanted = budget(doors.merged, raw), budget(doors.rewritten, meant)
        assert got.status_code == wanted.status_code
        assert without_request(got.json) == without_request(wanted.json)
    crossings = 0
    for claims in (*numbers.CLAIMS, {"sub": "me too"}):
        as_person = doors.world.person(claims)
        got = doors.merged.json("budgets", claims)["budgets"]
        assert got == doors.rewritten.json("budgets", as_person)["budgets"]
        for one in got:
            path = f"budgets/{one['id']}/crossings"
            crossed = doors.merged.json(path, claims)
            assert crossed == doors.rewritten.json(path, as_person)
            crossings += crossed["row_count"]
    assert crossings
    for served in (doors.merged, doors.rewritten):
        for one in served.json("budgets")["budgets"]:
            path = f"/api/v1/budgets/{one['id']}"
            assert served.client.delete(path, headers=served.headers(ADMIN)).status_code == 204


def budget(served: Served, raw: Raw) -> Any:
    return served.client.post("/api/v1/budgets", json=raw, headers=served.headers(ADMIN))
