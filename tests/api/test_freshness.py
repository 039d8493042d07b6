"""How fresh the data are, of the sources that a reader sees and no others."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, Final

import pytest

from callbacks.api import freshness
from tests.serving import ADMIN, Claims, Served, serving

SOURCES: Final = {
    "litellm": ("2026-11-20T10:00:00+00:00", "ana", "web"),
    "claude_code": ("2026-11-19T09:30:00+00:00", "bo", "etl"),
    "cursor": ("2026-11-18T08:00:00+00:00", "ana", "etl"),
}
SYNC: Final[Any] = SimpleNamespace(last_success=1_795_000_000.5, failures=2)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("freshness")) as one:
        one.load(
            {"event_id": f"{source}-{n}", "ts": at if n == 0 else f"2026-11-0{n}T00:00:00Z",
             "source": source, "user": user, "project": project}
            for source, (at, user, project) in SOURCES.items() for n in range(3)
        )  # fmt: skip
        yield one


@pytest.mark.parametrize(("claims", "seen"), [
    (ADMIN, ["litellm", "claude_code", "cursor"]),
    ({"sub": "ana"}, ["litellm", "cursor"]),
    ({"sub": "bo"}, ["claude_code"]),
    ({"sub": "x", "applications_admin": "etl"}, ["claude_code", "cursor"]),
    ({"sub": "nobody"}, []),
])  # fmt: skip
def test_a_reader_hears_of_the_sources_of_what_they_see(
    served: Served, claims: Claims, seen: list[str]
) -> None:
    told = served.json("freshness", claims)
    assert told["sources"] == [{"source": one, "last_event": SOURCES[one][0]} for one in seen]
    assert told["litellm_sync"] is None
    assert told["now"].startswith("20")


def test_when_litellm_was_read_is_for_who_sees_everything(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(served.app.server.extensions, freshness.EXTENSION, SYNC)
    told = served.json("freshness", ADMIN)["litellm_sync"]
    assert told == {"last_success": "2026-11-18T11:06:40.500000+00:00", "failures": 2}
    assert served.json("freshness", {"sub": "ana"})["litellm_sync"] is None
    never = SimpleNamespace(last_success=0.0, failures=0)
    freshness.watch_sync(served.app.server, never)  # type: ignore[arg-type]
    told = served.json("freshness", {"sub": "a", "isAuditor": True})["litellm_sync"]
    assert told == {"last_success": None, "failures": 0}
    assert served.get("freshness", ADMIN, user="ana").status_code == 400
