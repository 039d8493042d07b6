"""The events behind a number: exactly those, for who may see them, at every door."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any, Final

import pytest

from components import ids
from components.sections.declared import SECTIONS
from data.access.scope import Scope
from data.query.catalog import METRICS
from data.query.leading import columns, leading, ordered
from data.query.listing import COLUMNS
from tests.presence import whole
from tests.serving import ADMIN, Claims, Served, serving

SPAN: Final = {"preset": "custom", "from": "2026-11-01T00:00Z", "to": "2026-11-20T00:00Z"}
REGULAR: Final = {"sub": "ana", "applications": "web"}
MANAGER: Final = {"sub": "bob", "applications_admin": "web"}
NOBODY: Final = {"sub": "zoe"}
WHO: Final = {"admin": ADMIN, "regular": REGULAR, "manager": MANAGER, "nobody": NOBODY}
SEEN: Final = {"admin": 90, "regular": 30, "manager": 54, "nobody": 0}
KINDS: Final = ("llm", "llm", "tool")
# Their numbers are sums of what the events themselves cost.
OF_COST: Final = (
    "cost", "cost_platform", "cost_cli", "cost_api", "cost_other", "cost_of_errors",
    "cost_of_aborted", "reported_cost",
)  # fmt: skip


def raw(n: int) -> dict[str, Any]:
    kind, user = KINDS[n % 3], ("ana", "bob", "cyd")[n % 9 // 3]
    made: dict[str, Any] = {
        "event_id": f"e{n:03}", "ts": f"2026-11-{n % 18 + 1:02}T{n % 24:02}:00:00Z", "kind": kind,
        "user": user, "user_name": f"={user}", "project": ("web", "etl", None)[n // 9 % 3],
        "model": f"m{n % 4}", "status": ("ok", "aborted", "ok", "error")[n % 4],
        "channel": ("platform", "cli", "api", "other")[n % 7 % 4],
        "tool": "grep" if kind == "tool" else None, "duration_ms": n,
    }  # fmt: skip
    priced = {"cost_nano": n * 10**6 if n % 5 else None, "input_tokens": n, "output_tokens": 2}
    return made | (priced | {"request_count": n % 7 or None} if kind == "llm" else {})


RAWS: Final = [raw(n) for n in range(90)]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("listing")) as one:
        one.load(RAWS)
        yield one


def visible(who: str, row: dict[str, Any]) -> bool:
    user, claims = row["user"], WHO[who]
    own = user == claims["sub"]
    return who == "admin" or own or (who == "manager" and row["project"] == "web")


@pytest.mark.parametrize("who", WHO)
def test_the_list_is_what_the_reader_sees(served: Served, who: str) -> None:
    told = served.json("events", WHO[who], **SPAN)
    wanted = {row["event_id"] for row in RAWS if visible(who, row)}
    assert {row["event_id"] for row in told["rows"]} == wanted
    assert told["row_count"] == len(wanted)
    assert [c["name"] for c in told["columns"]] == list(COLUMNS)


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("metric", ["cost", "tokens", "requests", "errors", "tool_calls", "events"])
def test_the_list_adds_up_to_the_number(served: Served, who: str, metric: str) -> None:
    number = served.json("query", WHO[who], metrics=metric, **SPAN)["totals"][metric]
    told = served.json("events", WHO[who], metric=metric, **SPAN)
    rows, counts = told["rows"], metric not in ("cost", "tokens")
    column = "requests" if metric == "errors" else metric
    parts = [row.get(column, 1) for row in rows if row["kind"] == "llm" or column not in row]
    known = [part for part in parts if part is not None]
    assert told["totals"][metric] == number
    assert told["totals"]["events"] == told["row_count"] == len(rows)
    assert (sum(known) if known or counts else None) == pytest.approx(number)


@pytest.mark.parametrize("key", SECTIONS)
def test_every_metric_of_every_section_lists_its_events(served: Served, key: str) -> None:
    totals = served.json(f"sections/{key}", **SPAN)["totals"]
    for metric in SECTIONS[key].metrics:
        told = served.json("events", section=key, metric=metric, **SPAN)
        if metric in OF_COST:
            listed = [row["cost"] for row in told["rows"] if row["cost"] is not None]
            assert sum(listed) == pytest.approx(totals[metric] or 0), metric
        # A mean of counts by group may see groups that the wider question leaves out.
        if METRICS[metric].additive:
            assert (told["totals"][metric] or 0) == pytest.approx(totals[metric] or 0)


def test_pages_follow_each_other_in_the_order_asked_for(served: Served) -> None:
    for order in ("-cost", "ts", "user,-ts", "-error_class", "model,cost"):
        whole = [r["event_id"] for r in served.json("events", order=order, **SPAN)["rows"]]
        parts: list[str] = []
        for offset in range(0, 90, 7):
            page = served.json("events", order=order, limit=7, offset=offset, **SPAN)
            parts += [row["event_id"] for row in page["rows"]]
        assert parts == whole
        assert len(set(whole)) == 90
    costs = [row["cost"] for row in served.json("events", order="-cost", **SPAN)["rows"]]
    known = [cost for cost in costs if cost is not None]
    assert known == sorted(known, reverse=True)
    assert costs[len(known) :] == [None] * (90 - len(known))


def test_far_pages_are_the_same_rows(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    near = served.json("events", ADMIN, order="user", limit=5, offset=40, **SPAN)["rows"]
    monkeypatch.setattr("data.query.listing.DEEP_OFFSET", 10)
    assert served.json("events", ADMIN, order="user", limit=5, offset=40, **SPAN)["rows"] == near
    seen = served.json("events", REGULAR, order="-user", limit=9, offset=25, **SPAN)["rows"]
    assert {row["user"] for row in seen} == {"ana"}
    assert len(seen) == 5


@pytest.mark.parametrize("who", WHO)
def test_the_file_is_the_list_and_no_formula(served: Served, who: str) -> None:
    answer = served.get("events.csv", WHO[who], **SPAN)
    lines = list(csv.DictReader(io.StringIO(whole(answer))))
    assert len(lines) == SEEN[who]
    told = served.json("events", WHO[who], **SPAN)["rows"]
    assert answer.mimetype == "text/csv"
    assert [line["event_id"] for line in lines] == [row["event_id"] for row in told]
    assert {line["user_name"][:2] for line in lines} == ({"'="} if lines else set())
    assert sum(float(line["cost"] or 0) for line in lines) == pytest.approx(
        sum(row["cost"] or 0 for row in told)
    )


@pytest.mark.parametrize("order", ["ts", "-ts", "-cost"])
def test_a_file_read_in_stretches_is_the_same(
    served: Served, monkeypatch: pytest.MonkeyPatch, order: str
) -> None:
    monkeypatch.setattr("data.query.listing.STRETCH_EVENTS", 7)
    span = SPAN | {"from": "2026-11-03T09:30Z", "to": "2026-11-15T11:00Z"}
    lines = list(csv.DictReader(io.StringIO(served.get("events.csv", order=order, **span).text)))
    told = served.json("events", order=order, **span)["rows"]
    assert [line["event_id"] for line in lines] == [row["event_id"] for row in told]
    assert len(told) > 50


@pytest.mark.parametrize(("said", "parameter"), [
    ({"order": "tags"}, "order"), ({"order": "id_hash"}, "order"), ({"order": "-1; --"}, "order"),
    ({"limit": "0"}, "limit"), ({"limit": "10001"}, "limit"), ({"offset": "-1"}, "offset"),
    ({"metric": "nowhere"}, "metrics"), ({"section": "nowhere"}, "section"),
    ({"section": "models", "metric": "lines_added"}, "metric"), ({"scope": "all"}, "scope"),
])  # fmt: skip
def test_what_cannot_be_asked_is_refused(
    served: Served, said: dict[str, str], parameter: str
) -> None:
    answer = served.get("events", REGULAR, **SPAN, **said)
    assert answer.status_code in (400, 404)
    assert answer.json
    assert answer.json["error"]["parameter"] == parameter


def test_a_forged_filter_lists_nothing(served: Served) -> None:
    assert served.json("events", REGULAR, user="ana", **SPAN)["row_count"] == SEEN["regular"]
    told = served.json("events", REGULAR, user="cyd", **SPAN)
    assert (told["rows"], told["row_count"]) == ([], 0)
    assert told["meta"]["notice"]
    assert served.client.get("/api/v1/events").status_code == 401
    assert served.client.get("/api/v1/events.csv").status_code == 401


def asked(**more: Any) -> dict[str, Any]:
    return {"choice": SPAN, "zone": "UTC", "now": 1_795_000_000_000_000, "section": "models",
            "metric": "cost"} | more  # fmt: skip


def grid(served: Served, claims: Claims, store: Any, **request: Any) -> Any:
    told = {"startRow": 0, "endRow": 100, "sortModel": []} | request
    said = {f"{ids.EVENTS_GRID}.getRowsRequest": told, f"{ids.EVENTS_REQUEST}.data": store}
    changed = f"{ids.EVENTS_GRID}.getRowsRequest"
    return served.fire(f"{ids.EVENTS_GRID}.getRowsResponse", claims, said, changed)


def test_the_grid_gets_the_readers_rows(served: Served) -> None:
    for who, claims in WHO.items():
        answer = json.loads(grid(served, claims, asked()).text)["response"]
        page = answer[ids.EVENTS_GRID]["getRowsResponse"]
        mine = [r for r in RAWS if visible(who, r) and r["kind"] == "llm"]
        assert page["rowCount"] == len(mine) == len(page["rowData"])
        assert {row["event_id"] for row in page["rowData"]} == {row["event_id"] for row in mine}


LATEST: Final = ("ts", True)


@pytest.mark.parametrize(("metric", "by", "first", "order"), [
    # What the number is by, what it is about, its values; and so by what it is sorted.
    ("cost", ("model",), ("model", "cost"), ("cost", True)),
    ("cost_per_1k_tokens", ("project",), ("project", "cost", "tokens"), ("cost", True)),
    ("tokens", ("user",), ("user", "tokens"), ("tokens", True)),
    ("ttft_p95", ("time",), ("ttft_ms",), ("ttft_ms", True)),
    ("lines_added", (), ("lines_added",), ("lines_added", True)),
    ("cache_saved", (), ("cached_input_tokens",), ("cached_input_tokens", True)),
    # A field that a condition fixes is the same everywhere; why it failed is not.
    ("cost_platform", (), ("cost",), ("cost", True)),
    ("tool_errors", ("tool_type",), ("tool_type", "tool", "error_class"), LATEST),
    ("errors", ("error_class",), ("error_class", "requests"), LATEST),
    ("error_rate", (), ("status", "error_class", "requests"), LATEST),
    ("runs_succeeded", (), ("workflow", "run_id"), LATEST),
    ("integration_duration_p95", (), ("integration", "duration_ms"), ("duration_ms", True)),
    # Of what is only counted the newest come first.
    ("requests", ("client",), ("client", "requests"), LATEST),
    ("active_users", (), ("user",), LATEST), ("events", (), (), LATEST),
])  # fmt: skip
def test_a_list_leads_with_what_was_asked(
    metric: str, by: tuple[str, ...], first: tuple[str, ...], order: tuple[str, bool]
) -> None:
    assert leading(METRICS[metric], by) == first
    assert ordered(METRICS[metric]) == (order,)


@pytest.mark.parametrize("metric", METRICS)
def test_every_list_has_all_columns_once_the_time_first(metric: str) -> None:
    made = columns(METRICS[metric], ("model",))
    assert sorted(made) == sorted(COLUMNS)
    assert made[:2] == ("ts", "model")
    assert all(name in COLUMNS for name, _ in ordered(METRICS[metric]))


def test_the_grid_has_the_largest_first_until_it_is_sorted_otherwise(served: Served) -> None:
    page = json.loads(grid(served, ADMIN, asked()).text)["response"][ids.EVENTS_GRID]
    costs = [row["cost"] for row in page["getRowsResponse"]["rowData"]]
    known = [cost for cost in costs if cost is not None]
    assert costs == sorted(known, reverse=True) + [None] * (len(costs) - len(known))
    sort = [{"colId": "ts", "sort": "asc"}]
    page = json.loads(grid(served, ADMIN, asked(), sortModel=sort).text)["response"]
    times = [row["ts"] for row in page[ids.EVENTS_GRID]["getRowsResponse"]["rowData"]]
    assert times == sorted(times)


def opened(served: Served, **clicked: Any) -> list[dict[str, Any]]:
    """The columns of the drawer that a click opens."""
    said = {f"{ids.EVENTS_OF}.data": clicked, f"{ids.FILTER_STATE}.data": asked()}
    answer = served.fire(f"{ids.EVENTS}.is_open", ADMIN, said, f"{ids.EVENTS_OF}.data")
    body = json.loads(answer.text)["response"][ids.EVENTS_BODY]["children"]
    shown = body[-1]["props"]["children"]["props"]
    made: list[dict[str, Any]] = shown["columnDefs"]
    return made


def test_the_drawer_leads_with_the_breakdown_that_is_chosen(served: Served) -> None:
    made = opened(served, section="errors-by-class", metric="errors", by="provider")
    assert [one["field"] for one in made[:4]] == ["ts", "provider", "error_class", "requests"]
    assert [one["field"] for one in made if "sort" in one] == ["ts"]
    for by in ("nowhere", ["model"], None):  # what is not offered is not chosen
        made = opened(served, section="models", metric="cost", by=by)
        assert [one["field"] for one in made[:3]] == ["ts", "model", "cost"]
    assert [(one["field"], one["sort"]) for one in made if "sort" in one] == [("cost", "desc")]


def test_columns_that_say_nothing_of_any_event_are_left_out(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = {"section": "tools", "metric": "tool_errors"}
    page = json.loads(grid(served, ADMIN, asked(**where)).text)["response"][ids.EVENTS_GRID]
    events = page["getRowsResponse"]["rowData"]
    told = {name for name in COLUMNS if any(row[name] is not None for row in events)}
    assert {"tool", "model", "status"} <= told
    assert not told & {"cost", "tokens", "error_class", "ttft_ms"}
    fields = {one["field"] for one in opened(served, **where)}
    assert fields == (told | {"error_class"}) - {"user_name", "project_name"}  # that was asked
    monkeypatch.setattr("callbacks.analytics.events_drawer.MOST_READ", len(events) - 1)
    assert "cost" in {one["field"] for one in opened(served, **where)}


@pytest.mark.parametrize(("store", "request_"), [
    (asked(choice=SPAN | {"user": ["cyd"]}), {}), (asked(scope="all", isAdmin=True), {}),
    (asked(section="nowhere"), {}), (asked(metric=["cost"]), {}), ([], {}), (None, {}),
    (asked(), {"sortModel": [{"colId": "tags", "sort": "desc"}]}), (asked(), {"sortModel": "x"}),
    (asked(), {"startRow": -5}), (asked(), {"endRow": "all"}), (asked(), {"endRow": 10**12}),
], ids=range(11))  # fmt: skip
def test_a_forged_grid_opens_nothing(served: Served, store: Any, request_: dict[str, Any]) -> None:
    page = json.loads(whole(grid(served, REGULAR, asked()), ["ana"]))["response"]
    assert page[ids.EVENTS_GRID]["getRowsResponse"]["rowCount"] == 20
    answer = grid(served, REGULAR, store, **request_)
    told = (answer.json or {}).get("response", {})
    told.pop(ids.EVENTS_FILE, None)  # a link to what was asked for, which is as closed
    assert "bob" not in json.dumps(told)
    assert "cyd" not in json.dumps(told)


def test_a_scope_sees_no_more_however_it_lists(served: Served) -> None:
    assert Scope.of(NOBODY).reach == "own"
    for who, count in SEEN.items():
        assert served.json("events", WHO[who], **SPAN)["row_count"] == count
