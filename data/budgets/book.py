"""The budgets that are kept: read and changed within rights, each change with its audit entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa

from data.access.people import People
from data.access.scope import Scope
from data.budgets.budget import KINDS, LIMITS, Budget, draft
from data.budgets.subjects import refuse_unlikely, subject_identity
from data.engines.protocol import EventStore
from data.errors import Forbidden, Refused, Unknown, excerpt
from data.events.money import NANO
from data.state.audit import Actor
from data.state.records import Records
from data.state.store import State
from data.state.tables import BUDGETS

Raw = Mapping[str, Any]
UNKNOWN: Final = "there is no such budget among those you may see"
RECORDS: Final = Records(BUDGETS, Budget.of, "budget", "budget", UNKNOWN)


def visible_budgets(state: State, scope: Scope) -> list[Budget]:
    """The budgets of which this reader may see every event that they count."""
    with state.reading() as connection:
        rows = connection.execute(sa.select(BUDGETS).order_by(BUDGETS.c.id)).all()
    budgets = [Budget.of(row) for row in rows]
    return [one for one in budgets if scope.sees_all_of(one.kind, one.subject)]


def own(state: State, scope: Scope) -> list[Budget]:
    """The budgets that are set for the reader personally."""
    budgets = visible_budgets(state, scope)
    return [one for one in budgets if one.kind == "user" and scope.is_me(one.subject)]


def budget(state: State, scope: Scope, number: int) -> Budget:
    """A budget this reader may see; raises `Unknown` for one that is hidden as for none."""
    with state.reading() as connection:
        return _visible(connection, scope, number)


def create(state: State, actor: Actor, raw: Raw, store: EventStore) -> Budget:
    """A new budget, described as a form or JSON does, limits in US dollars.

    Raises `Refused` naming the field that is wrong, `Forbidden` for who may not set it.
    """
    made = _shaped(raw, actor)
    refuse_unlikely(made, actor.scope, store)
    with state.writing() as connection:
        _refuse_second(connection, made, actor.scope.people)
        return RECORDS.create(connection, actor, made.row())


def change(state: State, actor: Actor, number: int, raw: Raw, store: EventStore) -> Budget:
    """Another shape for a budget; what `raw` does not name stays. Raises as `create` does."""
    # Asked before the lock: who writes must not wait for a question to the events.
    refuse_unlikely(_reshaped(budget(state, actor.scope, number), raw, actor), actor.scope, store)
    with state.writing() as connection:
        old = _visible(connection, actor.scope, number)
        made = _reshaped(old, raw, actor)
        if _place(made) != _place(old):
            _refuse_second(connection, made, actor.scope.people)
        return old if made == old else RECORDS.change(connection, actor, old, made.row())


def remove(state: State, actor: Actor, number: int) -> None:
    """No such budget any more; what it was stays in the audit trail. Raises as `budget`."""
    with state.writing() as connection:
        old = _allowed(_visible(connection, actor.scope, number), actor.scope)
        RECORDS.remove(connection, actor, old)


def _visible(connection: sa.Connection, scope: Scope, number: int) -> Budget:
    found = RECORDS.get(connection, number)
    if not scope.sees_all_of(found.kind, found.subject):
        raise Unknown("budget", UNKNOWN)
    return found


def _shaped(raw: Raw, actor: Actor, old: Budget | None = None) -> Budget:
    """The budget that was described; a user is kept under their person's id.

    A user who was there before keeps theirs: two budgets of one person are what a later merger
    leaves, and both stay as they are.
    """
    made = _allowed(draft(raw, actor.now, old.id if old else 0), actor.scope)
    same = old is not None and (old.kind, old.subject) == (made.kind, made.subject)
    if made.kind != "user" or same:
        return made
    return replace(made, subject=actor.scope.people.person(made.subject))


def _reshaped(old: Budget, raw: Raw, actor: Actor) -> Budget:
    return _shaped(_as_typed(_allowed(old, actor.scope)) | dict(raw), actor, old)


def _allowed(one: Budget, scope: Scope) -> Budget:
    if scope.sets_budgets_of(one.kind, one.subject):
        return one
    if one.kind == "project" and scope.projects:
        problem = f"you do not administer the project {excerpt(one.subject)}"
        raise Forbidden(problem, "subject")
    raise Forbidden(f"you may not set a budget for {_whom(one)}", "subject")


def _whom(one: Budget) -> str:
    if one.kind == "everything":
        return "everything"
    return f"the {KINDS[one.kind].lower()} {excerpt(one.subject)}"


def _refuse_second(connection: sa.Connection, made: Budget, people: People) -> None:
    """A subject has one budget a kind of period: two that count the same in different lengths of
    days would be told apart by nothing but their limits."""
    alike = [BUDGETS.c[name] == getattr(made, name) for name in ("kind", "period")]
    others = sa.select(BUDGETS).where(*alike, BUDGETS.c.id != made.id)
    for other in map(Budget.of, connection.execute(others)):
        if subject_identity(other, people) == subject_identity(made, people):
            raise Refused("period", _second(other, made))


def _second(other: Budget, made: Budget) -> str:
    if made.period != "days":
        return f"there is a {made.period} budget for {_whom(other)} already"
    return (
        f"there is a budget {other.every} for {_whom(other)} already: of those of N days a"
        " subject has one"
    )


def _place(one: Budget) -> tuple[str, str, str]:
    """What no two budgets share."""
    return one.kind, one.subject, one.period


def _as_typed(old: Budget) -> dict[str, Any]:
    """A budget as it would be typed again, to the nano-dollar."""
    typed = {name: Decimal(most) / NANO for name in LIMITS if (most := getattr(old, name))}
    return old.row() | typed
