"""The reach of a reader: every claim and every right, one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest
import sqlalchemy as sa

from data.access.people import NO_ALIASES, Alias, People
from data.access.scope import SYSTEM, Scope
from data.engines.protocol import EventStore
from data.errors import Stranger
from data.events.table import EVENTS, Event

PEOPLE: Final = People([Alias("ana@x", "ana")])
ROOT: Final = Scope.of({"sub": "root", "isAdmin": True}, PEOPLE)
LENA: Final = Scope.of({"sub": "lena", "applications_admin": "web, app"}, PEOPLE)
ANA: Final = Scope.of({"sub": "ana@x"}, PEOPLE)
BOB: Final = Scope.of({"sub": "bob"}, PEOPLE)
READERS: Final = (ROOT, LENA, ANA, BOB)
Make = Callable[..., Event]


@pytest.mark.parametrize(("claim", "projects"), [
    (None, set()), ("", set()), ("web", {"web"}), (" web ,, app,", {"web", "app"}),
    (["web", "app, api"], {"web", "app", "api"}), (["web", 7, None], {"web"}), ({"web": 1}, set()),
])  # fmt: skip
def test_a_claim_names_projects(claim: Any, projects: set[str]) -> None:
    scope = Scope.of({"sub": "lena", "applications_admin": claim})
    assert scope.projects == projects
    assert scope.reach == ("projects" if projects else "own")


@pytest.mark.parametrize("subject", [None, "", " ", 7, ["ana"]])
def test_claims_without_a_subject_are_nobodys(subject: Any) -> None:
    with pytest.raises(Stranger, match="the token names nobody"):
        Scope.of({"sub": subject, "isAdmin": True})


def test_reach_is_the_least_unless_more_is_given() -> None:
    assert Scope("ana").reach == "own"
    assert [one.reach for one in (*READERS, SYSTEM)] == ["all", "projects", "own", "own", "all"]


def test_one_person_has_one_scope_under_any_id() -> None:
    assert (ANA.user, ANA.subject) == ("ana", "ana@x")
    assert Scope.of({"sub": "ana"}, PEOPLE) == ANA != ANA.without_aliases()
    assert [ANA.is_me(one) for one in ("ana", "ana@x", "bob")] == [True, True, False]
    assert ANA.without_aliases().people == NO_ALIASES


def test_all_ids_of_a_person_are_for_them_and_administrators() -> None:
    ids = {"ana": ("ana", "ana@x")}
    assert [one.ids_by_person for one in READERS] == [ids, {}, ids, {}]


def test_everything_is_administrators_to_set_up() -> None:
    assert [one.reads_audit for one in READERS] == [True, False, False, False]
    assert [one.manages_platform for one in READERS] == [True, False, False, False]
    assert [one.administers("web") for one in READERS] == [True, True, False, False]
    assert [one.administers("api") for one in READERS] == [True, False, False, False]


@pytest.mark.parametrize(("kind", "subject", "sees", "sets"), [
    ("everything", "", [1, 0, 0, 0], [1, 0, 0, 0]),
    ("model", "ana", [1, 0, 0, 0], [1, 0, 0, 0]),
    ("model", "web", [1, 0, 0, 0], [1, 0, 0, 0]),
    ("project", "web", [1, 1, 0, 0], [1, 1, 0, 0]),
    ("project", "ana", [1, 0, 0, 0], [1, 0, 0, 0]),
    ("user", "ana@x", [1, 0, 1, 0], [1, 0, 0, 0]),
    ("user", "web", [1, 0, 0, 0], [1, 0, 0, 0]),
])  # fmt: skip
def test_a_budget_is_seen_by_whom_it_counts_and_set_by_who_administers(
    kind: str, subject: str, sees: list[int], sets: list[int]
) -> None:
    assert [one.sees_all_of(kind, subject) for one in READERS] == sees
    assert [one.sets_budgets_of(kind, subject) for one in READERS] == sets


def test_budgets_of_projects_are_set_by_who_administers_one() -> None:
    assert [one.sets_some_budgets for one in READERS] == [True, True, False, False]
    assert [one.sets_budgets_of_kind("project") for one in READERS] == [True, True, False, False]
    assert [one.sets_budgets_of_kind("user") for one in READERS] == [True, False, False, False]


def test_rows_are_visible_to_their_user_their_projects_admin_and_administrators(
    store: EventStore, event: Make
) -> None:
    users, projects = ("ana", "ana@x", "lena", "bob", None), ("web", "app", "api", "lena", None)
    rows = [(user, project) for user in users for project in projects]
    store.write([event(event_id=f"{u}/{p}", user=u, project=p) for u, p in rows])

    def visible(scope: Scope) -> set[str]:
        with store.sql.connect() as connection:
            found = connection.execute(sa.select(EVENTS.c.event_id).where(scope.predicate()))
            return set(found.scalars())

    assert visible(ROOT) == {f"{u}/{p}" for u, p in rows}
    assert visible(LENA) == {f"{u}/{p}" for u, p in rows if u == "lena" or p in ("web", "app")}
    assert visible(ANA) == {f"{u}/{p}" for u, p in rows if u in ("ana", "ana@x")}
    assert visible(ANA.without_aliases()) == {f"ana/{p}" for p in projects}


@pytest.mark.parametrize("told", [True, "true"])
def test_an_auditor_sees_everything_and_changes_nothing(told: Any) -> None:
    auditor, admin = (Scope.of({"sub": "a", name: told}) for name in ("isAuditor", "isAdmin"))
    assert auditor.everything
    assert auditor.changes_nothing
    assert not admin.changes_nothing
    assert auditor == admin  # the same rows: answers are kept once for both


@pytest.mark.parametrize(
    "claims", [{}, {"isAuditor": False}, {"isAuditor": 1}, {"isAuditor": True, "isAdmin": "true"}]
)
def test_nobody_else_is_kept_from_changes(claims: dict[str, Any]) -> None:
    assert not Scope.of({"sub": "a"} | claims).changes_nothing
    assert not Scope("a").changes_nothing
