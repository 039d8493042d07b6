"""A whole Spendscope for tests: the real app on stores of its own, its clock standing still."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.parse import urlencode

import pytest
from dash import Dash
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import create_app
from callbacks.access.tokens import sign
from callbacks.settings.budgets import TAB
from callbacks.settings.pages import PAGES
from callbacks.settings.resource import Page, Resource, by_key
from components import ids
from data.engines.protocol import EventStore, open_events
from data.events.cleaning import clean
from data.prices.own import PriceBookStore
from data.settings import Settings
from data.state.store import State

NOW: Final = "2026-11-20T12:00:00+00:00"
SECRET: Final = "a secret of more than thirty-two bytes"
KEY: Final = "the key of those who send events"
SOURCE: Final = "test"
CARD: Final = '{"card":["MATCH"]}.answer'
LEAST: Final = {"kind": "llm", "channel": "api", "source": SOURCE, "status": "ok"}
Claims = Mapping[str, Any]
ADMIN: Final[Claims] = {"sub": "root", "isAdmin": True}


@dataclass(frozen=True)
class Served:
    """The app, and short ways to ask it."""

    app: Dash
    client: FlaskClient
    store: EventStore
    settings: Settings
    pages: tuple[Page, ...] = PAGES
    _wires: list[dict[str, Any]] = field(default_factory=list)

    def load(self, raws: Iterable[Mapping[str, Any]]) -> None:
        """Have these events and no others."""
        self.store.remove(SOURCE)
        self.store.write([clean({**LEAST, **raw}) for raw in raws])

    def get(self, path: str, claims: Claims = ADMIN, /, **parameters: Any) -> TestResponse:
        """A GET under /api/v1/; `from_` says `from`."""
        named = {name.rstrip("_"): value for name, value in parameters.items()}
        query = urlencode(named, doseq=True)
        return self.client.get(f"/api/v1/{path}?{query}", headers=self.headers(claims))

    def json(self, path: str, claims: Claims = ADMIN, /, **parameters: Any) -> Any:
        answer = self.get(path, claims, **parameters)
        assert answer.status_code == 200, answer.text
        return answer.json

    def ask(self, method: str, path: str, claims: Claims = ADMIN, /, **more: Any) -> Any:
        """The response to any request under /api/v1/."""
        call = getattr(self.client, method)
        return call(f"/api/v1/{path}", headers=self.headers(claims), **more)

    def resource(self, key: str) -> Resource[Any]:
        """A resource of the settings, as it is declared."""
        return by_key((*self.pages, TAB))[key]

    def headers(self, claims: Claims) -> dict[str, str]:
        return {"Authorization": f"Bearer {sign(self.settings, claims, 600)}"}

    def fire(
        self,
        output: str,
        claims: Claims,
        values: Mapping[str, Any],
        changed: str,
        wild: Mapping[str, Any] | None = None,
    ) -> TestResponse:
        """The callback that writes `output`, as a browser that says `values` would call it."""
        content = json.dumps(self.request_of(output, values, changed, wild or {}))
        headers = self.headers(claims)
        return self.client.post(
            "/_dash-update-component",
            data=content,
            headers=headers,
            content_type="application/json",
        )

    def request_of(
        self, output: str, values: Mapping[str, Any], changed: str, wild: Mapping[str, Any]
    ) -> dict[str, Any]:
        """What a browser posts to have the callback called."""
        return body(self._wired(output), values, changed, wild)

    def redraw(
        self, key: str, claims: Claims, state: Any, measure: str = "", by: Any = ""
    ) -> TestResponse:
        """A section's card, as a browser that holds this store would have it drawn."""
        given = {f"{ids.FILTER_STATE}.data": state, f"{key}.measure": measure, f"{key}.by": by}
        return self.fire(CARD, claims, given, f"{ids.FILTER_STATE}.data", {"card": key})

    def answer(self, key: str, state: Any, measure: str = "", by: str = "") -> Any:
        """What that card shows to who may see everything."""
        (written,) = self.redraw(key, ADMIN, state, measure, by).get_json()["response"].values()
        return written["answer"]

    def layout(self, address: str, claims: Claims = ADMIN, zone: str = "UTC") -> TestResponse:
        """The first layout of an address."""
        page = {"X-Page-Address": address, "X-Time-Zone": zone}
        return self.client.get("/_dash-layout", headers=self.headers(claims) | page)

    def _wired(self, output: str) -> dict[str, Any]:
        if not self._wires:  # the same for everybody who may ask
            every = self.client.get("/_dash-dependencies", headers=self.headers(ADMIN)).json
            assert every is not None
            self._wires.extend(every)
        found = [one for one in self._wires if output in one["output"]]
        assert len(found) == 1, f"{len(found)} callbacks write {output}"
        return dict(found[0])


def body(
    wired: Mapping[str, Any], values: Mapping[str, Any], changed: str, wild: Mapping[str, Any]
) -> dict[str, Any]:
    """What a browser posts; `values` goes by an id's name or by its first value, `.property`.
    `wild` says what MATCH stands for, and ALL, where that is not the same as `<name>*`."""
    outputs_named = (part.rsplit(".", 1) for part in _parts(wired["output"]))
    outputs = [_wire(key, prop, values, wild) for key, prop in outputs_named]
    return {
        "output": wired["output"],
        "outputs": outputs if wired["output"].startswith("..") else outputs[0],
        "inputs": [_wire(one["id"], one["property"], values, wild) for one in wired["inputs"]],
        "state": [_wire(one["id"], one["property"], values, wild) for one in wired["state"]],
        "changedPropIds": [changed],
    }


def _parts(output: str) -> list[str]:
    return output.strip(".").split("...") if output.startswith("..") else [output]


def _wire(key: str, prop: str, values: Mapping[str, Any], wild: Mapping[str, Any]) -> Any:
    if not key.startswith("{"):
        return {"id": key, "property": prop, "value": values.get(f"{key}.{prop}")}
    pattern = json.loads(key)
    matched = {k: wild.get(k) if v == ["MATCH"] else v for k, v in pattern.items()}
    if ["ALL"] not in matched.values():
        return _matched(matched, prop, values)
    names = [k for k, v in matched.items() if v == ["ALL"]]
    every = product(*(_all(wild.get(f"{name}*", wild.get(name, ()))) for name in names))
    return [_matched(matched | dict(zip(names, one, strict=True)), prop, values) for one in every]


def _all(wild: Any) -> Iterable[Any]:
    """The components that are there of a name: several, or the one that is asked about."""
    return (wild,) if isinstance(wild, str) else wild


def _matched(key: dict[str, Any], prop: str, values: Mapping[str, Any]) -> dict[str, Any]:
    value = key if prop == "id" else values.get(f"{next(iter(key.values()))}.{prop}")
    return {"id": key, "property": prop, "value": value}


@cache
def _state_at_start(now: int) -> bytes:
    """The state store of a first start: to write the public prices into each took half of it."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "state.sqlite"
        state = State(f"sqlite:///{path}")
        PriceBookStore.at_start(state, now)
        state.close()
        return path.read_bytes()


@contextmanager
def serving(folder: Path, pages: tuple[Page, ...] = PAGES, **more: str) -> Iterator[Served]:
    """The app under these settings, with an empty event store in memory where none is named."""
    environ = {"DATA_DIR": str(folder), "JWT_SECRET": SECRET, "INGEST_KEY": KEY, "NOW": NOW}
    environ["EVENTS_URL"] = "duckdb://"
    settings = Settings.read({f"SPENDSCOPE_{k}": v for k, v in (environ | more).items()})
    kept = folder / "state.sqlite"
    if settings.state_url == f"sqlite:///{kept}" and not kept.exists():
        folder.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(_state_at_start(settings.now()))
    state = State(settings.state_url)
    store = open_events(settings.events_url, PriceBookStore.at_start(state, settings.now()))
    app = create_app(settings, state, store, "the key of commands", pages=pages)
    yield Served(app, app.server.test_client(), store, settings, pages)
    store.close()
    state.close()


def serving_with(events: Sequence[Mapping[str, Any]]) -> Any:
    """The fixture `served` of a module of tests: the app over these events."""

    @pytest.fixture
    def served(tmp_path: Path) -> Iterator[Served]:
        with serving(tmp_path) as one:
            one.load(events)
            yield one

    return served
