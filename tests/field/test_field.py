"""Inputs shaped after what people bring: a folder a case, `input/` and what is right about it.

A case of our own is a folder beside this file. `expect` in its `expect.json` holds totals over all
stored events: metrics of the API, or one of `COUNTED`. `why` says how they follow from the input.
Under the name of a file stands what is right where that file alone is imported. Where `apart` is
true, the totals are the same whatever of `input/` is imported first, and each by itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from itertools import permutations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pytest
import sqlalchemy as sa

from callbacks.commands.checks import run_all
from data.access.scope import SYSTEM
from data.engines.duckdb.store import DuckEvents
from data.engines.protocol import EventStore
from data.events.money import NANO
from data.events.table import EVENTS
from data.ingest.importing import ingest_paths
from data.prices.book import PUBLIC, PriceBook
from data.query.catalog import METRICS
from data.query.filters import Filters
from data.query.query import Query
from data.query.run import run
from data.query.windows import ALL_TIME
from data.sources.report import Report
from tests.serving import Served, serving

HERE: Final = Path(__file__).resolve().parent
SHARED: Final = HERE.parents[2] / "shared" / "field"
# What still comes out wrong, each a fault with a name; a case that is cured has to leave the list.
PENDING: Final[dict[str, str]] = {}
CASES: Final = sorted(path.parent for root in (HERE, SHARED) for path in root.glob("*/expect.json"))
TOLERANCE: Final = 1e-9  # of a sum of floats; money itself is whole nano-dollars


def case(folder: Path) -> Any:
    reason = PENDING.get(folder.name)
    marks = [pytest.mark.xfail(reason=reason, strict=True)] if reason else []
    return pytest.param(folder, id=folder.name, marks=marks)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("field")) as one:
        yield one


@pytest.fixture
def store(served: Served) -> EventStore:
    for source in values("source", served.store):
        served.store.remove(source)
    return served.store


@pytest.mark.parametrize("folder", [case(folder) for folder in CASES])
def test_it_comes_out_right(folder: Path, store: EventStore, served: Served) -> None:
    expect = json.loads((folder / "expect.json").read_text())["expect"]
    for path in sorted((folder / "input").iterdir()):
        for key in {path.name, path.stem} & expect.keys():
            if not isinstance(expect[key], dict):
                continue
            with alone(store.book) as only:
                check(expect.pop(key), ingest_paths([path], only), only)
    report = ingest_paths([folder / "input"], store)
    assert report.rejected == 0, report.rejections
    check(expect, report, store)
    check_api(expect, served)
    again = ingest_paths([folder / "input"], store)
    assert again.accepted == 0
    assert again.duplicates == again.read == report.read


APART: Final = [folder for folder in CASES
                if json.loads((folder / "expect.json").read_text()).get("apart")]  # fmt: skip


@pytest.mark.parametrize("folder", [case(folder) for folder in APART])
def test_it_comes_out_right_in_any_order(folder: Path, served: Served) -> None:
    expect = json.loads((folder / "expect.json").read_text())["expect"]
    for paths in permutations(sorted((folder / "input").iterdir())):
        with alone(served.store.book) as store:
            reports = [ingest_paths([path], store) for path in paths]
            assert not any(report.rejected for report in reports)
            check(expect, reports[-1], store)
            assert not any(ingest_paths([path], store).accepted for path in paths)
            check(expect, reports[-1], store)


def test_all_cases_together_pass_the_checks(store: EventStore) -> None:
    for folder in CASES:
        ingest_paths([folder / "input"], store)
    assert [problem for _, problem in run_all(store) if problem] == []


@contextmanager
def alone(book: Callable[[], PriceBook]) -> Iterator[EventStore]:
    """A store of its own, for one file of a case."""
    with TemporaryDirectory() as folder:
        store = DuckEvents(Path(folder) / "events.duckdb", book)
        yield store
        store.close()


def check(expect: Mapping[str, Any], report: Report, store: EventStore) -> None:
    wanted = {name: value for name, value in expect.items() if name not in ("why", "note")}
    told = {
        name: values(LISTED[name], store) if isinstance(value, list) else found(name, report, store)
        for name, value in wanted.items()
    }
    assert told == {
        name: value if isinstance(value, list) else pytest.approx(value, abs=TOLERANCE)
        for name, value in wanted.items()
    }


def check_api(expect: Mapping[str, Any], served: Served) -> None:
    """The totals that are metrics, as somebody asks for them from outside."""
    wanted = {name: value for name, value in expect.items() if name in METRICS}
    if not wanted:
        return
    asked = {"preset": "custom", "from_": "2000-01-01", "to": "2100-01-01"}
    totals = served.json("query", metrics=",".join(wanted), **asked)["totals"]
    assert totals == {name: pytest.approx(value, abs=TOLERANCE) for name, value in wanted.items()}


def found(name: str, report: Report, store: EventStore) -> Any:
    """A total by its name in `expect`."""
    name = OTHERWISE.get(name, name)
    if name in COUNTED:
        return COUNTED[name](report, store)
    assert name in METRICS, f"{name} is no metric and not counted here"
    value = run(Query((name,), (), Filters(ALL_TIME)), SYSTEM, store)[name].iloc[0]
    return None if value != value else value


def stored(expression: Any, store: EventStore) -> Any:
    """One number, in the same type on every engine: PostgreSQL adds integers up to decimals."""
    with store.sql.connect() as connection:
        value = connection.execute(sa.select(expression).select_from(EVENTS)).scalar_one()
    return int(value) if isinstance(value, Decimal) else value


def unpriced(store: EventStore, *only: Any) -> list[str]:
    """The models of calls without a price."""
    calls = sa.select(EVENTS.c.model).where(EVENTS.c.kind == "llm", EVENTS.c.cost_nano.is_(None))
    with store.sql.connect() as connection:
        return list(connection.execute(calls.where(*only)).scalars())


def quantity(unit: str, store: EventStore) -> float:
    """What stands in the tags of Copilot's rows, which are billed by something else than tokens."""
    with store.sql.connect() as connection:
        tags = connection.execute(sa.select(EVENTS.c.tags)).scalars().all()
    told = [json.loads(each) for each in tags if each]
    return float(sum(Decimal(each["quantity"]) for each in told if each["unit"] == unit))


def values(column: str, store: EventStore) -> list[str]:
    """The values of a column, in the order of time."""
    names = sa.select(EVENTS.c[column]).order_by(EVENTS.c.ts, EVENTS.c.event_id)
    with store.sql.connect() as connection:
        return list(dict.fromkeys(name for name in connection.execute(names).scalars() if name))


def workspace_cost(project: str, _: Report, store: EventStore) -> float:
    cost = sa.func.sum(EVENTS.c.cost_nano).filter(EVENTS.c.project == project)
    return float(stored(cost, store) / NANO)


OTHERWISE: Final = {"cost_usd": "cost"}
LISTED: Final = {"models": "model", "users": "user"}
COUNTED: Final[dict[str, Callable[[Report, EventStore], Any]]] = {
    "notes": lambda report, _: len(report.notes),
    "sessions": lambda _, store: stored(sa.func.count().filter(EVENTS.c.kind == "session"), store),
    "unpriced_or_list": lambda _, store: stored(
        sa.func.count().filter(EVENTS.c.kind == "llm", EVENTS.c.cost_origin != "reported"), store
    ),
    "rows": lambda _, store: stored(sa.func.count(), store),
    "users": lambda _, store: stored(sa.func.count(sa.distinct(EVENTS.c.user)), store),
    "duration_ms": lambda _, store: stored(
        sa.func.sum(EVENTS.c.duration_ms).filter(EVENTS.c.kind == "session"), store
    ),
    "unpriced of models that the book prices without a provider": lambda _, store: len(
        [model for model in unpriced(store) if PUBLIC.rates(None, model, datetime.now(UTC))]
    ),
    "langfuse.json cost": lambda _, store: (
        stored(sa.func.sum(EVENTS.c.cost_nano).filter(EVENTS.c.source == "langfuse"), store) / NANO
    ),
    "unpriced": lambda _, store: len(unpriced(store, EVENTS.c.source == "langfuse")),
    # Rows of a workspace each.
    **{row: partial(workspace_cost, f"wrkspc_01{row}") for row in "abc"},
    "readable": lambda report, _: report.files - len(report.rejections),
    "premium_requests": lambda _, store: quantity("requests", store),
    "ai_credits": lambda _, store: quantity("ai-credits", store),
    "cost_charged": lambda _, store: stored(sa.func.sum(EVENTS.c.cost_nano), store) / NANO,
}
