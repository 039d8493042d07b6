"""“Contains” finds a text in values whatever its case, taken as it is written; of people and
projects in their names, too, and only in what the reader may see."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.serving import ADMIN, Claims, Served, serving

MODELS: Final = ("claude-sonnet-5-5", "CLAUDE-Sonnet-4", "gpt_6", "gptx6", "100%", "100 of it",
                 "a/b", "a{0}b", "it's")  # fmt: skip
# Most events have no name, and Ana was called otherwise before.
NAMES: Final = (("u1", "Ana Lopes"), ("u1", None), ("u1", "Ana Silva"), ("u2", "Bo"), ("u2", None),
                ("ana.x", None), ("u3", "Aña_Ü"))  # fmt: skip
SPAN: Final = {"preset": "custom", "from": "2026-11-01", "to": "2026-12-01"}


def raw(n: int, **more: Any) -> dict[str, Any]:
    common = {"event_id": f"c{n}", "ts": f"2026-11-{n % 20 + 1:02}T10:00:00Z", "kind": "llm",
              "channel": "api", "source": "test", "status": "ok", "cost_nano": 10**9}  # fmt: skip
    return common | more


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("contains")) as one:
        models = [raw(n, model=model, project="p1") for n, model in enumerate(MODELS)]
        people = [
            raw(100 + n, user=user, user_name=name, project="web" if n % 2 else "etl",
                project_name="Web & Shop" if n == 1 else None)
            for n, (user, name) in enumerate(NAMES)
        ]  # fmt: skip
        one.load([*models, *people])
        yield one


def counted(served: Served, claims: Claims = ADMIN, **said: Any) -> int:
    told = served.json("query", claims, metrics="events,cost", **SPAN, **said)["totals"]
    assert told["cost"] == (told["events"] or None)
    return int(told["events"])


@pytest.mark.parametrize(("text", "found"), [
    ("sonnet", 2), ("SONNET", 2), ("sonnet-4", 1), ("gpt_", 1), ("%", 1), ("100", 2), ("/", 1),
    ("{0}", 1), ("'", 1), ("\\", 0), ("(none)", 0),
])  # fmt: skip
def test_a_text_is_found_as_it_is_written(served: Served, text: str, found: int) -> None:
    assert counted(served, contains_model=text) == found


def test_several_texts_are_alternatives_and_fields_narrow_each_other(served: Served) -> None:
    assert counted(served, contains_model=["sonnet", "gpt"]) == 4
    assert counted(served, contains_model="sonnet", not_model=MODELS[0]) == 1
    assert counted(served, contains_model="sonnet", model=MODELS[0]) == 1
    assert counted(served, contains_model="sonnet", contains_project="P") == 2
    assert counted(served, contains_model="sonnet", contains_project="web") == 0


@pytest.mark.parametrize(("text", "found"), [
    ("lopes", 3), ("SILVA", 3), ("ana", 4), ("u", 6), ("bo", 2), ("_ü", 1), ("x_", 0), ("me", 0),
])  # fmt: skip
def test_who_was_called_so_once_is_meant_with_all_events(
    served: Served, text: str, found: int
) -> None:
    assert counted(served, contains_user=text) == found
    assert counted(served, contains_user=text, project=["web", "etl"]) == found


def test_a_name_is_found_only_where_the_reader_sees_it(served: Served) -> None:
    """In `etl` both names of Ana, in `web` none of hers: whoever sees that alone finds nobody."""
    leader, other = (
        {"sub": "x", "applications_admin": "etl"},
        {"sub": "y", "applications_admin": "web"},
    )
    assert (counted(served, leader), counted(served, other)) == (4, 3)
    assert (
        counted(served, leader, contains_user="lopes"),
        counted(served, other, contains_user="u1"),
    ) == (2, 1)
    assert counted(served, other, contains_user="lopes") == 0
    assert counted(served, {"sub": "u2"}) == counted(served, {"sub": "u2"}, contains_user="BO") == 2
    assert counted(served, {"sub": "u2"}, contains_user="lopes") == 0
    assert counted(served, contains_project="SHOP") == 3


def test_every_door_asks_the_same(served: Served) -> None:
    asked = SPAN | {"contains_user": "lopes"}
    rows = served.json("sections/users", ADMIN, **asked)["rows"]
    assert [row["user"] for row in rows] == ["u1"]
    lines = served.get("sections/users.csv", ADMIN, **asked).text.splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == ["u1"]
    events = served.json("events", ADMIN, metric="cost", **asked)
    assert len(events["rows"]) == 3
    refused = served.get("query", ADMIN, metrics="cost", contains_hour="1")
    assert refused.status_code == 400
    assert "contains_*" in (refused.json or {})["error"]["message"]
