"""The JSON API: what it answers, and the sentence for what it cannot answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest

from data.query.catalog import DIMENSIONS, METRICS
from data.query.windows import PRESETS
from tests.presence import whole
from tests.serving import ADMIN, Served, serving

ODD: Final = ("o'hara", 'a "b"', "<script>alert(1)</script>", "🦊", "' OR 1=1 --", "%", "x" * 1_000)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("api")) as one:
        one.load(
            {"event_id": f"e{n}", "ts": f"2026-11-{15 + n % 5}T10:00:00Z", "kind": "llm",
             "user": ODD[n % len(ODD)], "project": f"p{n % 3}", "model": f"m{n % 4}",
             "cost_nano": 10**9 + n, "input_tokens": n}
            for n in range(28)
        )  # fmt: skip
        yield one


def refused(served: Served, path: str, **said: Any) -> tuple[int, str, str]:
    """The status, the parameter and the sentence of an answer that is none."""
    answer = served.get(path, **said)
    error = (answer.json or {})["error"]
    assert set(error) <= {"code", "message", "parameter", "request"}
    assert "Traceback" not in answer.text
    return answer.status_code, error.get("parameter", ""), error["message"]


@pytest.mark.parametrize(("said", "parameter", "sentence"), [
    ({"preset": "tomorrow"}, "preset", "preset is 'tomorrow'; use one of last_hour, last_n"),
    ({"n": "0"}, "n", "N must be a whole number of days from 1 to 3,660"),
    ({"n": "-3"}, "n", "N must be a whole number of days from 1 to 3,660"),
    ({"n": "seven"}, "n", "N must be a whole number, not 'seven'"),
    ({"n": "9" * 5_000}, "n", "N must be a whole number"),
    ({"preset": "last_n_hours", "n": "9999"}, "n", "of hours from 1 to 8,784"),
    ({"preset": "custom", "from": "2026-02-01", "to": "2026-01-01"}, "to", "must end after it"),
    ({"preset": "custom", "from": "then", "to": "2026-01-01"}, "from", "from is no date and time"),
    ({"preset": "custom", "from": "2026-01-01", "to": "2026-13-01"}, "to", "to is no date and"),
    ({"preset": "custom"}, "from", "a custom range needs from as a date and time"),
    ({"tz": "Atlantis"}, "tz", "'Atlantis' is no time zone; use an IANA name like"),
    ({"users": "ana"}, "users", "there is no parameter 'users'; use preset, n, from, to, tz"),
    ({"<script>": "1"}, "<script>", "there is no parameter '<script>'"),
    ({"user": "x" * 10_000}, "user", "a user is a name of at most 1,000 characters"),
    ({"project": "a\x00b"}, "project", "a project is a name of at most 1,000 characters"),
    ({"user": [f"u{n}" for n in range(501)]}, "user", "user takes at most 500 values"),
    ({"channel": "fax"}, "channel", "channel is 'fax'; use one of platform, cli, api, other"),
    ({"status": "OK"}, "status", "status is 'OK'; use one of ok, error, aborted"),
])  # fmt: skip
@pytest.mark.parametrize("path", ["query", "sections/models", "sections/models.csv"])
def test_filters_that_cannot_be_meant(
    served: Served, path: str, said: Any, parameter: str, sentence: str
) -> None:
    asked = {"metrics": "cost"} if path == "query" else {}
    answer = served.get(path, **asked, **{k: v for k, v in said.items() if k != "from"},
                        **({"from_": said["from"]} if "from" in said else {}))  # fmt: skip
    assert answer.status_code == 400
    error = (answer.json or {})["error"]
    assert error["parameter"] == parameter
    assert sentence in error["message"]
    assert len(error["message"]) < 400


@pytest.mark.parametrize(("said", "parameter", "sentence"), [
    ({}, "metrics", "metrics is missing; name some of cost,"),
    ({"metrics": "money"}, "metrics", "'money' is no metric; use one of cost,"),
    ({"metrics": "cost", "by": "colour"}, "by", "'colour' is no dimension; use one of time,"),
    ({"metrics": "cost", "by": "id_hash"}, "by", "'id_hash' is no dimension"),
    ({"metrics": "cost", "by": "time", "grain": "second"}, "grain", "grain is 'second'; use auto"),
    ({"metrics": "cost", "limit": "0"}, "limit", "limit must be a whole number from 1 to 100,000"),
    ({"metrics": "cost", "limit": "x"}, "limit", "limit must be a whole number from 1"),
    ({"metrics": "cost", "limit": "²"}, "limit", "limit must be a whole number from 1"),
    ({"metrics": "cost", "offset": "-1"}, "offset", "offset must be a whole number from 0"),
    ({"metrics": "cost", "order": "tokens"}, "order", "'tokens' is neither asked for nor broken"),
    ({"metrics": "cost", "compare": "later"}, "compare",
     "compare is 'later'; use one of previous, week, month, year, custom, off"),
    ({"metrics": "cost", "compare": "custom"}, "compare_from",
     "a custom range needs compare_from as a date and time"),
    ({"metrics": "cost", "compare": "custom", "compare_from": "2026-11-01"}, "compare_to",
     "a custom range needs compare_to as a date and time"),
    ({"metrics": "cost", "compare": "custom", "compare_from": "2026-11-02",
      "compare_to": "2026-11-01"}, "compare_to", "the range must end after it starts"),
])  # fmt: skip
def test_questions_that_cannot_be_asked(
    served: Served, said: Any, parameter: str, sentence: str
) -> None:
    status, named, told = refused(served, "query", **said)
    assert (status, named) == (400, parameter)
    assert sentence in told


@pytest.mark.parametrize(("path", "said", "status", "sentence"), [
    ("sections/nowhere", {}, 404, "there is no section 'nowhere'; see headline,"),
    ("sections/Models", {}, 404, "there is no section 'Models'"),
    ("sections/models.exe", {}, 404, "not as .exe"),
    ("sections/models", {"by": "user"}, 400, "by is 'user'; use one of model"),
    ("sections/models", {"measure": "colour"}, 400, "measure is 'colour'; use one of cost,"),
    ("sections/models", {"metrics": "cost"}, 400, "there is no parameter 'metrics'"),
    ("options/users", {"limit": "501"}, 400, "limit must be a whole number from 1 to 500"),
    ("options/users", {"user": "x"}, 400, "there is no parameter 'user'; use q, limit"),
    ("freshness", {"user": "x"}, 400, "there is no parameter 'user'; none is taken here"),
    ("options/colours", {}, 404, "there are options for"),
    ("nowhere", {}, 404, ""),
])  # fmt: skip
def test_doors_that_do_not_exist(
    served: Served, path: str, said: Any, status: int, sentence: str
) -> None:
    told = refused(served, path, **said)
    assert told[0] == status
    assert sentence in told[2]


def test_too_many_buckets_are_refused_wherever_they_are_drawn(served: Served) -> None:
    answer = served.get("query", metrics="cost", by="time", grain="minute", preset="last_n_days",
                        n="3660")  # fmt: skip
    assert answer.status_code == 200
    assert len((answer.json or {})["rows"]) <= 5
    for key in ("cost-over-time", "models-over-time"):
        assert served.get(f"sections/{key}", preset="last_n_days", n="3660").status_code == 200


@pytest.mark.parametrize("field", ["user", "project"])
@pytest.mark.parametrize("value", ["nobody", "o''hara", '"', "<script>", "🦉", "y" * 1_000, "_"])
def test_a_filter_for_what_does_not_exist_is_empty_and_says_so(
    served: Served, field: str, value: str
) -> None:
    whole(served.get("sections/models"), ["m0", "m1", "m2", "m3"])
    assert len(served.json("query", metrics="cost,requests", by="model")["rows"]) == 4
    answer = served.json("query", metrics="cost,requests", by="model", **{field: value})
    assert answer["rows"] == []
    assert answer["totals"] == {"cost": None, "requests": 0}
    assert answer["meta"]["notice"] == f"{value[:60]}: unknown"
    assert served.json("sections/models", **{field: value})["rows"] == []


@pytest.mark.parametrize("value", ODD)
def test_odd_names_are_found_as_they_are(served: Served, value: str) -> None:
    answer = served.json("query", metrics="requests", by="user", user=value)
    assert [(row["user"], row["requests"]) for row in answer["rows"]] == [(value, 4)]
    assert answer["meta"]["filters"] == {"user": [value]}
    assert answer["meta"]["notice"] is None


def test_the_answer_has_the_promised_shape(served: Served) -> None:
    answer = served.json("query", metrics="cost,active_users", by="time,project", tz="Asia/Kolkata",
                         grain="day", order="-cost", limit=2)  # fmt: skip
    names = ["time", "project", "project_name", "cost", "active_users"]
    assert [column["name"] for column in answer["columns"]] == names
    assert {"name": "cost", "label": "Cost", "unit": "usd"} in answer["columns"]
    assert all(list(row) and set(row) == set(names) for row in answer["rows"])
    assert answer["row_count"] == 15
    assert len(answer["rows"]) == 2
    assert answer["rows"][0]["time"].endswith("T00:00:00+05:30")
    assert answer["totals"] == {"cost": 28.000000378, "active_users": len(ODD)}
    meta = {"from", "to", "tz", "preset", "filters", "scope", "data_as_of", "elapsed_ms",
            "priced_share", "notice", "compared"}  # fmt: skip
    assert set(answer["meta"]) == meta
    assert answer["meta"]["from"] == "2026-11-14T00:00:00+05:30"
    assert answer["meta"]["data_as_of"] == "2026-11-19T15:30:00+05:30"
    assert (answer["meta"]["scope"], answer["meta"]["priced_share"]) == ("all", 1.0)


def test_pages_of_rows_are_the_whole(served: Served) -> None:
    said: dict[str, Any] = {"metrics": "cost", "by": "user,model", "order": "-cost"}
    whole = served.json("query", **said)["rows"]
    pages = [served.json("query", **said, limit=5, offset=at)["rows"] for at in range(0, 30, 5)]
    assert [row for page in pages for row in page] == whole
    assert len(whole) == 28


def test_comparing_answers_the_window_before(served: Served) -> None:
    said = {"preset": "custom", "from_": "2026-11-17", "to": "2026-11-19"}
    this = served.json("query", metrics="cost", compare="previous", **said)
    before = served.json(
        "query", metrics="cost", **(said | {"from_": "2026-11-15", "to": "2026-11-17"})
    )
    assert this["totals"] == {
        "cost": this["totals"]["cost"], "cost_before": before["totals"]["cost"],
    }  # fmt: skip
    assert before["totals"]["cost"] > 0
    assert this["meta"]["compared"] == {
        "from": "2026-11-15T00:00:00+00:00", "to": "2026-11-17T00:00:00+00:00",
    }  # fmt: skip
    assert {"name": "cost_before", "label": "Cost before", "unit": "usd"} in this["columns"]
    unasked = served.json("query", metrics="cost", **said)
    assert (unasked["totals"].keys(), unasked["meta"]["compared"]) == ({"cost"}, None)


def test_a_list_of_events_is_compared_with_none(served: Served) -> None:
    status, named, _ = refused(served, "events", metric="cost", compare="previous")
    assert (status, named) == (400, "compare")


def test_the_catalog_lists_everything(served: Served) -> None:
    answer = served.json("catalog")
    assert [one["name"] for one in answer["metrics"]] == list(METRICS)
    assert [one["name"] for one in answer["dimensions"]] == list(DIMENSIONS)
    assert [one["name"] for one in answer["presets"]] == list(PRESETS)
    assert {"cost-over-time", "cost-by-project", "cost-by-user", "models"} <= {
        one["key"] for one in answer["sections"]
    }
    assert all(one["label"] and one["description"] and one["unit"] for one in answer["metrics"])


def test_the_file_is_a_csv_with_a_name(served: Served) -> None:
    answer = served.get("sections/top-models.csv")
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="spendscope-top')
    assert len(answer.text.split("\r\n")) == 1 + 4 + 1


def test_health_needs_nobody_and_readiness_both_stores(tmp_path: Any) -> None:
    with serving(tmp_path) as one:
        assert one.client.get("/healthz").json == {"status": "ok"}
        assert one.client.get("/readyz").json == {"status": "ready"}
        one.store.close()
        answer = one.client.get("/readyz")
        assert (answer.status_code, answer.json) == (503, {"status": "a store does not answer"})
        assert one.client.get("/healthz").status_code == 200


def test_me_is_whoever_asks(served: Served) -> None:
    answer = served.json("query", {"sub": "🦊", "isAdmin": "true"}, metrics="requests", user="me")
    assert answer["totals"]["requests"] == 4
    assert served.json("query", ADMIN, metrics="requests", user="me")["totals"]["requests"] == 0


def test_a_section_answers_to_the_key_it_had_before(served: Served) -> None:
    now, before = (served.json(f"sections/{key}") for key in ("users", "power-users"))
    assert now["rows"]
    assert before["rows"] == now["rows"]
