"""The budgets that are kept: read and changed within rights, each change with its audit entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from data.audit import Hand, record
from data.budget_subjects import refuse_odd
from data.budgets import BUDGETS, KINDS, LIMITS, Budget, draft
from data.catalog import NANO
from data.engines import EventStore
from data.errors import Forbidden, Refused, Unknown
from data.scope import Scope
from data.state import State

Raw = Mapping[str, Any]


def listed(state: State, scope: Scope) -> list[Budget]:
    """The budgets of which this reader may see every event that they count."""
    with state.reading() as connection:
        rows = connection.execute(sa.select(BUDGETS).order_by(BUDGETS.c.id)).all()
    budgets = [Budget.of(row) for row in rows]
    return [one for one in budgets if scope.sees_all_of(one.kind, one.subject)]


def own(state: State, scope: Scope) -> list[Budget]:
    """The budgets that are set for the reader personally."""
    budgets = listed(state, scope)
    return [one for one in budgets if one.kind == "user" and scope.is_me(one.subject)]


def budget(state: State, scope: Scope, number: int) -> Budget:
    """A budget this reader may see; one that is hidden is as unknown as one that is not there."""
    with state.reading() as connection:
        return _seen(connection, scope, number)


def create(state: State, hand: Hand, raw: Raw, store: EventStore) -> Budget:
    """A new budget; `Refused` names the field that is wrong, `Forbidden` is for strangers to it."""
    made = _allowed(draft(raw, hand.now), hand.scope)
    if made.kind == "user":
        made = replace(made, subject=hand.scope.people.person(made.subject))
    refuse_odd(made, hand.scope, store)
    with state.writing() as connection:
        _refuse_second(connection, made)
        insert = BUDGETS.insert().values(made.row()).returning(BUDGETS.c.id)
        result = connection.execute(insert)
        kept = replace(made, id=result.scalar_one())
        record(connection, hand, "create", _thing(kept), None, kept.said())
    return kept


def change(state: State, hand: Hand, number: int, raw: Raw, store: EventStore) -> Budget:
    """Another shape for a budget; what `raw` does not name stays as it is."""
    with state.writing() as connection:
        old = _allowed(_seen(connection, hand.scope, number), hand.scope)
        made = _allowed(draft(_kept(old) | dict(raw), hand.now, number), hand.scope)
        refuse_odd(made, hand.scope, store)
        _refuse_second(connection, made)
        if made != old:
            connection.execute(BUDGETS.update().where(BUDGETS.c.id == number).values(made.row()))
            record(connection, hand, "edit", _thing(made), old.said(), made.said())
    return made


def remove(state: State, hand: Hand, number: int) -> None:
    """No such budget any more; what it was stays in the audit trail."""
    with state.writing() as connection:
        old = _allowed(_seen(connection, hand.scope, number), hand.scope)
        connection.execute(BUDGETS.delete().where(BUDGETS.c.id == number))
        record(connection, hand, "delete", _thing(old), old.said(), None)


def _seen(connection: sa.Connection, scope: Scope, number: int) -> Budget:
    # A number that SQLite cannot hold is nobody's.
    wanted = BUDGETS.c.id == (number if 0 < number < 2**63 else -1)
    row = connection.execute(sa.select(BUDGETS).where(wanted)).first()
    found = Budget.of(row) if row else None
    if found is None or not scope.sees_all_of(found.kind, found.subject):
        raise Unknown("budget", "there is no such budget among those you may see")
    return found


def _allowed(one: Budget, scope: Scope) -> Budget:
    if scope.sets_budgets_of(one.kind, one.subject):
        return one
    if one.kind == "project" and scope.projects:
        raise Forbidden(f"you do not administer the project {one.subject[:40]!r}")
    raise Forbidden(f"you may not set a budget for {_whom(one)}")


def _whom(one: Budget) -> str:
    if one.kind == "everything":
        return "everything"
    return f"the {KINDS[one.kind].lower()} {one.subject[:40]!r}"


def _refuse_second(connection: sa.Connection, made: Budget) -> None:
    same = [BUDGETS.c[name] == getattr(made, name) for name in ("kind", "subject", "period")]
    other = sa.select(BUDGETS.c.id).where(*same, BUDGETS.c.id != made.id)
    if connection.execute(other).first():
        period = "every-N-days" if made.period == "days" else made.period
        raise Refused("period", f"there is a {period} budget for {_whom(made)} already")


def _kept(old: Budget) -> dict[str, Any]:
    """A budget as it would be typed again, to the nano-dollar."""
    typed = {name: Decimal(most) / NANO for name in LIMITS if (most := getattr(old, name))}
    return old.row() | typed


def _thing(one: Budget) -> str:
    return f"budget {one.id}"
