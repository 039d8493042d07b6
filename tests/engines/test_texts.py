"""Statements as text say what SQLAlchemy's own compiling of each by itself says."""

from __future__ import annotations

import random

import pytest
import sqlalchemy as sa
from sqlalchemy.util import LRUCache

from data.access.scope import Scope
from data.engines.duckdb import texts
from data.events.table import EVENTS
from data.query.catalog import DIMENSIONS, METRICS
from data.query.filters import Filters
from data.query.query import Query
from data.query.run import _form
from data.query.windows import Window

DAY = 86_400_000_000
ZONES = ("UTC", "Asia/Kolkata", "Europe/Berlin")
FIELDS = ("user", "not_user", "project", "model", "status")
SCOPES = (
    Scope.of({"sub": "root", "isAdmin": True}),
    Scope.of({"sub": "ana", "applications_admin": ["web", "mobile"]}),
    Scope.of({"sub": "bo", "applications_admin": ["web"]}),
)


def question(dice: random.Random) -> Query:
    chosen = tuple(
        (field, tuple(f"{field}{dice.randrange(3)}" for _ in range(dice.randint(1, 3))))
        for field in FIELDS if dice.random() < 0.3
    )  # fmt: skip
    by = tuple(dice.sample(sorted(DIMENSIONS), dice.randint(0, 2)))
    metrics = tuple(dice.sample(sorted(METRICS), dice.randint(1, 3)))
    window = Window(20_000 * DAY, dice.randint(20_001, 20_003) * DAY, dice.choice(ZONES))
    return Query(metrics, by, Filters(window, chosen), "day" if "time" in by else None)


def by_itself(statement: sa.Select[object]) -> texts.Text:
    options = {"render_postcompile": True}
    made = statement.compile(dialect=texts.DIALECT, compile_kwargs=options)
    return texts.Text(made.string, tuple(made.params[name] for name in made.positiontup or ()))


def test_every_question_has_its_own_words_and_values() -> None:
    dice = random.Random(7)
    for _ in range(150):
        statement = _form(question(dice), dice.choice(SCOPES), None).statement()
        assert texts.compiled(statement) == by_itself(statement)


def test_what_differs_in_its_values_is_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = LRUCache[object, object](9)
    monkeypatch.setattr(texts, "_COMPILED", kept)
    users = [["ana"], ["bo", "cyd"], ["dee"]]
    made = [texts.compiled(sa.select(EVENTS.c.ts).where(EVENTS.c.user.in_(one))) for one in users]
    assert [list(one.parameters) for one in made] == users
    assert len(kept) == 1
