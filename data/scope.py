"""Whose rows a reader may see: the one predicate, and the only place that decides it.

visible(e) = isAdmin  or  e.project ∈ applications_admin  or  e.user = me
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

import sqlalchemy as sa

from data.errors import Stranger
from data.events import EVENTS

Breadth = Literal["all", "projects", "own"]


@dataclass(frozen=True, slots=True)
class Scope:
    """A reader's reach. Build it with `of`; a wider one cannot be had from outside."""

    user: str
    everything: bool = False
    projects: frozenset[str] = frozenset()

    @classmethod
    def of(cls, claims: Mapping[str, Any]) -> Self:
        """The reach that verified claims give; raises `Stranger` without a subject."""
        subject = claims.get("sub")
        if not isinstance(subject, str) or not subject.strip():
            raise Stranger("the token names nobody: its sub claim is missing")
        return cls(
            user=subject,
            everything=claims.get("isAdmin") is True or claims.get("isAdmin") == "true",
            projects=frozenset(names(claims.get("applications_admin"))),
        )

    @property
    def breadth(self) -> Breadth:
        if self.everything:
            return "all"
        return "projects" if self.projects else "own"

    def administers(self, project: str) -> bool:
        return self.everything or project in self.projects

    def sees_all_of(self, kind: str, subject: str) -> bool:
        """Whether every event that a budget of this kind and subject counts is visible here."""
        if kind == "user" and subject == self.user:
            return True
        return self.everything or (kind == "project" and self.administers(subject))

    def sets_budgets_of(self, kind: str, subject: str) -> bool:
        """Whether this reader says how much may be spent on a subject."""
        return self.everything or (kind == "project" and self.administers(subject))

    def sets_budgets_of_kind(self, kind: str) -> bool:
        """Whether this reader sets budgets for any subject of a kind."""
        return self.everything or (kind == "project" and bool(self.projects))

    @property
    def sets_some_budgets(self) -> bool:
        return self.everything or bool(self.projects)

    @property
    def reads_audit(self) -> bool:
        return self.everything

    def predicate(self) -> sa.ColumnElement[bool]:
        """The rows of `events` this reader may see, as a WHERE clause."""
        if self.everything:
            return sa.true()
        own: sa.ColumnElement[bool] = EVENTS.c.user == self.user
        if not self.projects:
            return own
        return sa.or_(own, EVENTS.c.project.in_(sorted(self.projects)))


def names(claim: Any) -> list[str]:
    """The items of a claim: a comma-separated string, or a list of such strings."""
    if isinstance(claim, str):
        return [part.strip() for part in claim.split(",") if part.strip()]
    if isinstance(claim, list):
        return [name for item in claim if isinstance(item, str) for name in names(item)]
    return []
