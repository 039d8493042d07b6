"""Nobody sees one row more than their claims open, at any door, however the question is forged."""

from __future__ import annotations

import csv
import io
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

import pytest

from components import ids
from components.sections.declared import PAGES, SECTIONS, page_path
from data.access.scope import Scope
from data.events.table import FIELDS, micros
from data.query.catalog import DIMENSIONS, METRICS, TIME
from data.query.units import moment
from data.query.windows import PRESETS
from tests import oracle, oracle_metrics
from tests.presence import card_states, drawn, some, whole
from tests.serving import ADMIN, NOW, Claims, Served, serving

REGULAR: Final = {"sub": "ana", "email": "ana@example.com"}
BARE: Final = {"sub": "nobody"}
USER_ONLY: Final = {"sub": "ana", "applications": "web,etl", "isAdmin": "yes"}
MANAGER: Final = {"sub": "bob", "applications_admin": ["web, ,"], "isAdmin": False}
WHO: Final[dict[str, Claims]] = {
    "regular": REGULAR,
    "bare": BARE,
    "user of projects": USER_ONLY,
    "manager": MANAGER,
}
ALL: Final = {"preset": "custom", "from": "2026-10-01T00:00Z", "to": "2026-12-01T00:00Z"}
CHOICES: Final = (
    ALL,
    ALL | {"user": ["cyd-secret", "ana", "bob", "me"]},
    ALL | {"project": ["vault-secret", "web", "(none)"]},
    ALL | {"user": ["%", "_", "'; --"], "model": ["gpt-ana"]},
    {"preset": "last_n_days", "n": "3660"},
    ALL | {"not_user": ["ana", "me", "(none)"], "not_project": ["web", "(none)"]},
    ALL | {"of": "user:cyd-secret"}, ALL | {"of": "project:web", "user": ["ana", "cyd-secret"]},
    ALL | {"conversation_id": "co-cyd-secret-web"},
)  # fmt: skip


ANYWHERE: Final = 49  # the first events of every kind of every owner
FIRST: Final = micros(datetime(2026, 11, 1, 8, tzinfo=UTC))
HOURS: Final = 18_000_000_000  # five of them between two events


def row(who: str, project: str | None, n: int, kind: str = "llm") -> dict[str, Any]:
    """An event of which every text and number gives away whose it is."""
    own = f"{who}-{project}-{n}"
    return {
        "event_id": own, "ts": FIRST + n * HOURS, "kind": kind,
        "channel": ("platform", "cli", "api", "other")[n % 4] if n < ANYWHERE else "cli",
        "source": "test", "status": "ok" if project == "web" else "error",
        "user": who, "user_name": f"Name of {own}", "project": project,
        "project_name": project and f"Team {own}", "model": f"gpt-{own}", "provider": f"pr-{own}",
        "assistant": f"as-{own}", "workflow": f"wf-{own}", "tool": f"tl-{own}",
        "tool_type": f"tt-{own}", "integration_type": f"it-{own}", "integration": f"in-{own}",
        "client": f"cl-{own}",
        "repository": f"re-{own}",
        "operation": f"op-{own}", "error_class": f"er-{own}", "run_id": f"ru-{own}",
        "conversation_id": f"co-{who}-{project}",
        "duration_ms": 8_130_000 + 7 * n * n, **(OF_KIND[kind](n) if kind in OF_KIND else {}),
    }  # fmt: skip


# What only events of one kind carry; squares, so that no mean of seen numbers is a hidden one.
OF_KIND: Final[dict[str, Callable[[int], dict[str, int]]]] = {
    "llm": lambda n: {
        "input_tokens": 7_310_000 + 3 * n * n, "cached_input_tokens": 53, "output_tokens": 51,
        "cost_nano": 31_337_000_000_001 + n * n * 101_307_100_003,
    },
    "adjustment": lambda n: {"cost_nano": 17_443_000_000_001 + n * n * 77_105_500_007},
    "session": lambda n: {
        "lines_added": 5_170_000 + 7 * n * n, "files_changed": 4_190_000 + 7 * n * n,
    },
}  # fmt: skip


OWNERS: Final = (("ana", "web"), ("ana", None), ("bob", "etl"), ("cyd-secret", "vault-secret"),
                 ("cyd-secret", "web"), ("dan-secret", None), ("eve-secret", "etl"))  # fmt: skip
# Every kind of event of every owner, anywhere and then of a CLI: no section is empty for want of
# something to show.
KINDS: Final = oracle_metrics.KINDS * 2
assert len(OWNERS) * len(oracle_metrics.KINDS) == ANYWHERE
RAWS: Final = [
    row(who, project, n, KINDS[n // len(OWNERS)])
    for n, (who, project) in enumerate(OWNERS * len(KINDS))
]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("rights")) as one:
        price = {"model": "gpt-*", "from": "2025-01-01", "input": "1", "output": "1"}
        priced = one.client.post("/api/v1/prices", json=price, headers=one.headers(ADMIN))
        assert priced.status_code == 201, priced.text
        one.load(RAWS)
        yield one


@pytest.fixture(params=WHO)
def claims(request: pytest.FixtureRequest) -> Claims:
    return WHO[request.param]


# The store works out a list price of every call.
EVENTS: Final = oracle.rows_of(
    [raw | {"list_cost_nano": 1 if raw["kind"] == "llm" else None} for raw in RAWS],
    (*FIELDS, "list_cost_nano"),
)


def hidden(claims: Claims) -> list[dict[str, Any]]:
    seen = oracle.values(oracle.visible(EVENTS, claims), "event_id")
    return [raw for raw in RAWS if raw["event_id"] not in seen]


def seen(claims: Claims, choice: Mapping[str, Any] = ALL) -> oracle.Rows:
    now = datetime.fromisoformat(NOW)
    return oracle.filtered(oracle.visible(EVENTS, claims), choice, claims["sub"], now)


def own(key: str, by: str, claims: Claims, choice: Mapping[str, Any]) -> set[str]:
    """The values of a breakdown that a section has to show this reader; without one, of users."""
    return _own(key, by, json.dumps(claims), json.dumps(choice))


@cache
def _own(key: str, by: str, claims: str, choice: str) -> set[str]:
    one = SECTIONS[key]
    rows = oracle.where(seen(json.loads(claims), json.loads(choice)), one.where)
    kinds = oracle_metrics.kinds(one.metrics)
    return oracle.values([row for row in rows if row["kind"] in kinds], by or "user")


def assert_nothing_of_others(text: str, claims: Claims, asked: str = "") -> None:
    """No name, id or amount of a hidden row; only what was asked for may come back as an echo."""
    canaries, names = secrets(json.dumps(claims))
    found = [one for one in canaries if one in text]
    found += [name for name in names if name not in asked and name in text]
    assert not found, (found, text[:300])


@cache
def secrets(claims: str) -> tuple[frozenset[str], frozenset[str]]:
    """What gives a hidden row away, and the names of its owners that no visible row has."""
    told, canaries = json.loads(claims), set()
    shown, rows = seen(told), hidden(told)
    for raw in rows:
        canaries.add(raw["event_id"])  # every text of the row has it in it
        if "cost_nano" in raw:
            canaries |= {str(raw["cost_nano"] / 1e9), f"{raw['cost_nano'] / 1e9:,.2f}"}
        counted = {"input_tokens", "duration_ms", "lines_added", "files_changed"} & raw.keys()
        canaries |= {str(raw[name]) for name in counted}
    names = {raw[name] for raw in rows for name in ("user", "project") if raw[name]}
    names = {name for name in names if "secret" in name} - oracle.values(shown, "user")
    names -= oracle.values(shown, "project")
    return frozenset(canaries), frozenset(names)


def spelt(choice: Mapping[str, Any]) -> dict[str, Any]:
    return {("from_" if name == "from" else name): value for name, value in choice.items()}


@pytest.mark.parametrize(
    ("by", "choice"),
    [(by, CHOICES[1]) for by in DIMENSIONS] + [("user", choice) for choice in CHOICES],
)
def test_the_query_opens_nothing(served: Served, claims: Claims, by: str, choice: Any) -> None:
    said = {"metrics": "events,cost,tokens,duration_p95,active_users", "by": by}
    answer = served.get("query", claims, **said, **spelt(choice))
    mine = seen(claims, choice)
    text = whole(answer, oracle.values(mine, by) if by in FIELDS else ())
    assert answer.json is not None
    assert answer.json["totals"]["events"] == len(mine)
    assert bool(answer.json["rows"]) == bool(len(mine))
    assert_nothing_of_others(text, claims, str(choice))


# Between the last events of everybody, and compared with all of them.
LATE: Final = ALL | {
    "from": "2026-11-15T00:00Z", "compare": "custom", "compare_from": ALL["from"],
    "compare_to": ALL["to"],
}  # fmt: skip


@pytest.mark.parametrize("by", DIMENSIONS)
def test_comparing_opens_nothing(served: Served, claims: Claims, by: str) -> None:
    said = {"metrics": "events,cost,tokens,duration_p95,active_users,last_user", "by": by}
    answer = served.get("query", claims, **said, **spelt(LATE))
    mine = seen(claims, LATE)
    text = whole(answer, oracle.values(mine, by) if by in FIELDS else ())
    assert answer.json is not None
    assert answer.json["totals"]["events_before"] == len(seen(claims)) >= len(mine)
    assert_nothing_of_others(text, claims)


@pytest.mark.parametrize("key", SECTIONS)
def test_no_section_opens_anything_by_comparing(served: Served, claims: Claims, key: str) -> None:
    by = (SECTIONS[key].by or ("",))[0]
    answer = served.get(f"sections/{key}", claims, **spelt(LATE) | ({"by": by} if by else {}))
    assert_nothing_of_others(whole(answer), claims)
    assert answer.json is not None
    before = (answer.json["totals"][f"{name}_before"] for name in SECTIONS[key].metrics)
    assert any(before) == bool(own(key, by, claims, ALL))
    answer = redrawn(served, claims, key, question(LATE), by)
    assert_nothing_of_others(whole(answer), claims)


@pytest.mark.parametrize("form", ["", ".csv"])
@pytest.mark.parametrize("key", SECTIONS)
def test_no_section_opens_anything(served: Served, claims: Claims, key: str, form: str) -> None:
    asked = asked_of(key)
    for by, choice in asked[-2:] if form else asked:  # a file has the rows of the other door
        said = spelt(choice) | ({"by": by} if by else {})
        answer = served.get(f"sections/{key}{form}", claims, **said)
        text = some(answer, own(key, by, claims, choice) if by else ())
        assert_nothing_of_others(text, claims, str(choice))


def asked_of(key: str) -> list[tuple[str, Mapping[str, Any]]]:
    """Every breakdown of a section, and one of them for others by name."""
    every = SECTIONS[key].by or ("",)
    return [*((by, CHOICES[0]) for by in every), (every[-1], CHOICES[1])]


@pytest.mark.parametrize("text", ["", "secret", "Name of", "e", "%", "_"])
@pytest.mark.parametrize("field", ["user", "project"])
def test_options_offer_only_what_is_seen(
    served: Served, claims: Claims, field: str, text: str
) -> None:
    answer = served.get(f"options/{field}s", claims, q=text, limit=500)
    offered = {option["value"] for option in json.loads(whole(answer))}
    mine = [row for row in seen(claims) if row[field] is not None]
    texts = [(row[field], f"{row[field]}\n{row[f'{field}_name'] or ''}") for row in mine]
    assert offered == {value for value, known in texts if text.lower() in known.lower()}
    assert_nothing_of_others(answer.text, claims)


@pytest.mark.parametrize("key", [k for k, s in SECTIONS.items() if s.shape.has_chart])
def test_the_redraw_opens_nothing(served: Served, claims: Claims, key: str) -> None:
    for by, choice in asked_of(key):
        answer = redrawn(served, claims, key, question(choice), by)
        mine = own(key, by, claims, choice)
        text = drawn(answer, mine) if by else whole(answer)
        assert card_states(answer) == {"ready" if mine else "empty"}
        assert_nothing_of_others(text, claims, str(choice))


def question(choice: Mapping[str, Any]) -> dict[str, Any]:
    now = micros(datetime.fromisoformat(NOW))
    return {"choice": dict(choice), "zone": "UTC", "now": now}


def redrawn(served: Served, claims: Claims, key: str, asked: Any, by: str) -> Any:
    measure = SECTIONS[key].measures[0] if key in SECTIONS else "cost"
    return served.redraw(key, claims, asked, measure, by)


FORGED: Final[tuple[Any, ...]] = (
    question(ALL) | {"scope": "all", "isAdmin": True, "claims": {"isAdmin": True}},
    question(ALL | {"isAdmin": ["true"], "scope": "all"}),
    question(ALL | {"user": {"$ne": "ana"}}),
    question(ALL | {"user": [["cyd-secret"]]}),
    question(ALL | {"user": "cyd-secret"}),
    question(ALL | {"project": ["web') OR 1=1 --"]}),
    question(ALL | {"me": True, "fields": [["user", ["cyd-secret"]]]}),
    {"choice": ALL, "zone": ["UTC"], "now": 1}, {"choice": None}, [], "cyd", 7, True,
)  # fmt: skip


@pytest.mark.parametrize("asked", FORGED, ids=range(len(FORGED)))
def test_a_forged_store_opens_nothing(served: Served, claims: Claims, asked: Any) -> None:
    for key, by in (("top-users", "user"), ("cost-over-time", "project")):
        drawn(redrawn(served, claims, key, question(ALL), by), own(key, by, claims, ALL))
        text = whole(redrawn(served, claims, key, asked, by))
        assert_nothing_of_others(text, claims, str(asked))


@pytest.mark.parametrize("key", ["headline", "../users", "nowhere", "", None, 7, ["top-users"]])
@pytest.mark.parametrize("by", ["user", "source", "tags", "event_id", "", None, ["user"]])
def test_a_forged_section_or_breakdown_opens_nothing(
    served: Served, claims: Claims, key: Any, by: Any
) -> None:
    drawn(
        redrawn(served, claims, "top-users", question(ALL), "user"),
        own("top-users", "user", claims, ALL),
    )
    answer = redrawn(
        served, claims, key if isinstance(key, str) else "top-users", question(ALL), by
    )
    assert_nothing_of_others(answer.text, claims)


def test_headline_numbers_are_of_what_is_seen(served: Served, claims: Claims) -> None:
    for choice in CHOICES:
        answer = served.redraw("headline", claims, question(choice))
        (told,) = json.loads(answer.text)["response"].values()
        exact = {name: one["exact"] for name, one in told["answer"]["numbers"].items()}
        wanted = oracle_metrics.measured(["cost", "requests"], seen(claims, choice))
        assert exact["cost"] == ("" if wanted["cost"] is None else repr(wanted["cost"]))
        assert exact["requests"] == repr(wanted["requests"])


def test_a_forged_headline_metric_opens_nothing(served: Served, claims: Claims) -> None:
    for name in ("last_event", "events", "nowhere", "ts", "user"):
        answer = served.redraw("headline", claims, question(ALL), name, name)
        assert card_states(answer) == {"ready"}
        assert_nothing_of_others(answer.text, claims)


SEARCHES: Final = (
    "?user=cyd-secret", "?project=vault-secret&user=cyd-secret", "?isAdmin=true&scope=all",
    "?not_user=cyd-secret&not_project=vault-secret",
    "?user=%25&user=me", "?user='%20OR%201=1", "?preset=custom&from=2000-01-01&to=2100-01-01",
)  # fmt: skip


@pytest.mark.parametrize(
    ("path", "search"),
    [("/settings/analytics", search) for search in SEARCHES]
    + [(f"/settings/{page}", SEARCHES[0]) for page in ("profile", "people")],
)
def test_the_first_layout_names_nobody_who_is_not_seen(
    served: Served, claims: Claims, path: str, search: str
) -> None:
    text = whole(served.layout(f"{path}{search}", claims), [str(claims["sub"])])
    assert_nothing_of_others(text, claims, search)


def page_of(served: Served, claims: Claims, field: str, value: str) -> str:
    """The page about a value, as the browser turns to it."""
    said = {
        f"{ids.URL}.pathname": page_path(field, value), f"{ids.URL}.search": "",
        f"{ids.FILTER_STATE}.data": question(ALL),
    }  # fmt: skip
    return whole(served.fire(f"{ids.BODY}.children", claims, said, f"{ids.URL}.pathname"))


@pytest.mark.parametrize("field", PAGES)
def test_a_page_is_about_what_is_seen_or_there_is_none(
    served: Served, claims: Claims, field: str
) -> None:
    mine = oracle.visible(EVENTS, claims)
    every = sorted(oracle.values(EVENTS, field))
    few = every if len(every) < 9 else every[::14]
    nowhere = page_of(served, claims, field, "nobody-at-all").replace('nobody-at-all"', 'X"')
    assert "There is no such page" in nowhere
    for value in few:
        text = page_of(served, claims, field, value)
        moments = oracle.values([row for row in mine if row[field] == value], "ts")
        if not moments:
            assert text.replace(f'{value}"', 'X"') == nowhere
            continue
        assert f'"of":"{field}:{value}"' in text
        for at in (min(moments), max(moments)):
            assert f'"{moment(at, "UTC")}"' in text
        assert_nothing_of_others(text, claims, value)


@pytest.mark.parametrize(
    "of", ["project:web", "user:cyd-secret", "user:me", "project:vault-secret"]
)
def test_the_latest_of_a_page_is_of_what_is_seen(served: Served, claims: Claims, of: str) -> None:
    said = {f"{ids.FILTER_STATE}.data": question(ALL), f"{ids.RECENT}.data-of": of}
    answer = served.fire(f"{ids.RECENT}.children", claims, said, f"{ids.FILTER_STATE}.data")
    mine = seen(claims, ALL | {"of": of})
    text = some(answer, oracle.values(mine, "conversation_id"))
    assert ("No activity under these filters" in text) == (not mine)
    assert_nothing_of_others(text, claims, of)


@pytest.mark.parametrize("search", SEARCHES)
def test_the_filter_names_nobody_who_is_not_seen(
    served: Served, claims: Claims, search: str
) -> None:
    said = {f"{ids.URL}.search": search, f"{ids.ZONE}.data": "UTC"}
    answer = served.fire(f"{ids.FILTER_STATE}.data", claims, said, f"{ids.URL}.search")
    assert_nothing_of_others(whole(answer, [ids.FILTER_STATE, "choice"]), claims, search)


@pytest.mark.parametrize("field", ["user", "project", "model", "event_id"])
def test_the_pickers_offer_nobody_who_is_not_seen(
    served: Served, claims: Claims, field: str
) -> None:
    mine = oracle.values(seen(claims), field)
    for text in ("", "secret", "%"):
        chosen = ["cyd-secret", "vault-secret"]
        said = {f"{field}.search_value": text, f"{field}.value": chosen}
        changed = json.dumps({"pick": field}, separators=(",", ":")) + ".search_value"
        answer = served.fire('{"pick":["MATCH"]}.options', claims, said, changed, {"pick": field})
        offered = answer.text if field == "event_id" else whole(answer, () if text else mine)
        assert_nothing_of_others(offered, claims, " ".join(chosen))


@pytest.mark.parametrize(("claims", "field", "value", "why"), [
    (REGULAR, "user", "cyd-secret", "unknown, or outside what you may see"),
    (REGULAR, "project", "vault-secret", "unknown, or outside what you may see"),
    (MANAGER, "user", "dan-secret", "unknown, or outside what you may see"),
    (BARE, "user", "nowhere", "unknown, or outside what you may see"),
    ({"sub": "r", "isAdmin": "true"}, "user", "nowhere", "unknown"),
])  # fmt: skip
def test_a_filter_outside_ones_rights_is_empty_and_says_so(
    served: Served, claims: Claims, field: str, value: str, why: str
) -> None:
    mine = oracle.values(seen(claims), field)
    whole(served.get("query", claims, metrics="events", by=field, **spelt(ALL)), mine)
    said = spelt(ALL) | {field: value}
    answer = served.json("query", claims, metrics="cost,requests", by="user", **said)
    assert answer["rows"] == []
    assert answer["totals"] == {"cost": None, "requests": 0}
    assert answer["meta"]["notice"] == f"{value}: {why}"


def test_what_is_unknown_and_what_is_hidden_look_the_same(served: Served) -> None:
    both = {
        who: served.json("query", REGULAR, metrics="cost", by="user", user=who, **spelt(ALL))
        for who in ("cyd-secret", "cyd-nobody")
    }
    whole(served.get("query", REGULAR, metrics="cost", by="user", **spelt(ALL)), ["ana"])
    first, second = (strip(json.dumps(one).replace(who, "X")) for who, one in both.items())
    assert first == second


def strip(answer: str) -> Any:
    read = json.loads(answer)
    read["meta"].pop("elapsed_ms")
    return read


def test_the_oracle_agrees_that_claims_differ() -> None:
    counts = {name: len(seen(one)) for name, one in WHO.items()}
    assert counts == {"regular": 28, "bare": 0, "user of projects": 28, "manager": 42}


def cost(served: Served, claims: Claims) -> Any:
    said = spelt(ALL)
    return served.json("query", claims, metrics="cost,events", by="user,project", **said)["rows"]


def test_answers_kept_for_one_reader_never_reach_another(served: Served) -> None:
    everyone = [*WHO.values(), {"sub": "root", "isAdmin": True}]
    alone = []
    for one in everyone:
        served.store.memo.clear()
        alone.append(cost(served, one))
    assert [len(rows) for rows in alone] == [2, 0, 2, 3, 7]
    served.store.memo.clear()
    assert [cost(served, one) for one in everyone] == alone
    assert [cost(served, one) for one in reversed(everyone)] == alone[::-1]


def test_readers_at_the_same_moment_never_mix(served: Served) -> None:
    everyone = [*WHO.values(), {"sub": "root", "isAdmin": True}]
    wanted = [cost(served, one) for one in everyone]
    assert [len(rows) for rows in wanted] == [2, 0, 2, 3, 7]
    wrong: list[str] = []
    gate = threading.Barrier(10)

    def ask(place: int) -> None:
        gate.wait()
        for turn in range(8):
            if turn == place:
                served.store.memo.clear()
            if cost(served, everyone[place % 5]) != wanted[place % 5]:
                wrong.append(str(everyone[place % 5]))

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize("claims", [
    {"isAdmin": True}, {"sub": "", "isAdmin": True}, {"sub": 7, "isAdmin": True}, {},
])  # fmt: skip
def test_a_token_that_names_nobody_gets_nothing(served: Served, claims: Claims) -> None:
    for path in ("query?metrics=cost", "sections/top-users", "options/users", "catalog"):
        answer = served.client.get(f"/api/v1/{path}", headers=served.headers(claims))
        assert answer.status_code == 401
        assert_nothing_of_others(answer.text, BARE)


def test_without_a_token_every_door_is_closed(served: Served) -> None:
    for path in ("query?metrics=cost", "sections/top-users.csv", "options/users", "catalog"):
        assert served.client.get(f"/api/v1/{path}").status_code == 401
    fired = served.client.post("/_dash-update-component", json={"output": "x"})
    assert fired.status_code == 401


@pytest.mark.parametrize("word", [True, "true"])
def test_isadmin_opens_everything(word: Any) -> None:
    assert Scope.of({"sub": "a", "isAdmin": word}).reach == "all"


@pytest.mark.parametrize("word", ["True", "TRUE", " true", 1, "1", [True], {"a": 1}, None, "false"])
def test_nothing_else_that_looks_like_isadmin_does(word: Any) -> None:
    assert Scope.of({"sub": "a", "isAdmin": word}).reach == "own"


FORMULAS: Final = ("=1+1", "+1", "-1", "@x", "=cmd|' /C calc'!A0", '=HYPERLINK("http://x")')


def test_no_cell_of_a_file_is_a_formula(served: Served) -> None:
    try:
        served.load([row(one, one, n) | {"project_name": one} for n, one in enumerate(FORMULAS)])
        text = served.get("sections/top-projects.csv", {"sub": "r", "isAdmin": True},
                          **spelt(ALL)).text  # fmt: skip
        rows = list(csv.DictReader(io.StringIO(text)))
        assert {each["project"] for each in rows} == {f"'{one}" for one in FORMULAS}
        assert {each["project_name"] for each in rows} == {f"'{one}" for one in FORMULAS}
    finally:
        served.load(RAWS)


ODD: Final = ("o'hara", 'quo"te', "100%", "under_score", "<script>alert(1)</script>", "🦊", "a\\b")


def test_options_find_odd_names_and_nothing_else(served: Served) -> None:
    try:
        served.load([row(one, None, n) | {"user_name": None} for n, one in enumerate(ODD)])
        for one in ODD:
            found = served.json("options/users", {"sub": "r", "isAdmin": True}, q=one)
            assert [option["value"] for option in found] == [one]
        for text in ("%", "_", "\\", "'", '"', "<", "🦊"):
            found = served.json("options/users", {"sub": "r", "isAdmin": True}, q=text)
            assert [o["value"] for o in found] == [one for one in ODD if text in one], text
    finally:
        served.load(RAWS)


def test_a_search_of_ten_thousand_characters_is_harmless(served: Served, claims: Claims) -> None:
    whole(served.get("options/users", claims, q=""), oracle.values(seen(claims), "user"))
    assert served.json("options/users", claims, q="x" * 10_000) == []


def test_every_preset_is_narrowed_alike(served: Served, claims: Claims) -> None:
    for preset in PRESETS:
        choice = (ALL if preset == "custom" else {}) | {"preset": preset}
        answer = served.json("query", claims, metrics="events", by=TIME, **spelt(choice))
        assert answer["totals"]["events"] == len(seen(claims, choice))


def test_there_are_canaries_for_every_dimension() -> None:
    assert METRICS
    # These have few values, which everybody may know; a priced call has no reason to be unpriced.
    words = {"channel", "kind", "source", "status", "service_tier", "unpriced_reason"}
    for name in set(DIMENSIONS) & set(FIELDS) - words:
        assert all(raw.get(name) for raw in RAWS if name != "project"), name
