"""Whose rows a reader may see: the one predicate, and the only place that decides it.

visible(e) = isAdmin  or  isAuditor  or  e.project ∈ applications_admin  or  e.user = me

An auditor changes nothing. `me` is the person, under whichever of their ids the event came
(`data/access/people.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, Self

import sqlalchemy as sa

from data.access.people import NO_ALIASES, People
from data.errors import Stranger
from data.events.table import EVENTS

Reach = Literal["all", "projects", "own"]


@dataclass(frozen=True, slots=True)
class Scope:
    """A reader's reach. Build it with `of`; a wider one cannot be had from outside."""

    user: str
    everything: bool = False
    projects: frozenset[str] = frozenset()
    people: People = NO_ALIASES
    subject: str = field(default="", compare=False)
    changes_nothing: bool = field(default=False, compare=False)

    @classmethod
    def of(cls, claims: Mapping[str, Any], people: People = NO_ALIASES) -> Self:
        """The reach that verified claims give; raises `Stranger` without a subject.

        `user` is the person whom the subject means, `subject` the id they came with.
        """
        subject = claims.get("sub")
        if not isinstance(subject, str) or not subject.strip():
            raise Stranger("the token names nobody: its sub claim is missing")
        administers = claims.get("isAdmin") is True or claims.get("isAdmin") == "true"
        audits = claims.get("isAuditor") is True or claims.get("isAuditor") == "true"
        return cls(
            user=people.signed_in(subject),
            everything=administers or audits,
            projects=frozenset(names(claims.get("applications_admin"))),
            people=people,
            subject=subject,
            changes_nothing=audits and not administers,
        )

    @property
    def reach(self) -> Reach:
        """Whose rows beside their own: of `all`, of the `projects` they administer, or none."""
        if self.everything:
            return "all"
        return "projects" if self.projects else "own"

    def is_me(self, known_as: str) -> bool:
        """Whether an id is one of the reader's own."""
        return self.people.signed_in(known_as) == self.user

    def without_aliases(self) -> Self:
        """The same reach over the ids as they are stored, nobody merged."""
        return replace(self, people=NO_ALIASES)

    @property
    def ids_by_person(self) -> Mapping[str, tuple[str, ...]]:
        """Per person of several ids all of them, where that is for this reader to know."""
        if self.everything:
            return self.people.ids_by_person
        mine = self.people.ids(self.user)
        return {self.user: mine} if len(mine) > 1 else {}

    def administers(self, project: str) -> bool:
        """Whether every event of a project, by its id, is visible here."""
        return self.everything or project in self.projects

    def sees_all_of(self, kind: str, subject: str) -> bool:
        """Whether every event that a budget of this kind and subject counts is visible here."""
        if kind == "user" and self.is_me(subject):
            return True
        return self.everything or (kind == "project" and self.administers(subject))

    def sets_budgets_of(self, kind: str, subject: str) -> bool:
        """Whether this reader says how much may be spent on a subject."""
        able = self.everything or (kind == "project" and self.administers(subject))
        return able and not self.changes_nothing

    def sets_budgets_of_kind(self, kind: str) -> bool:
        """Whether this reader sets budgets for any subject of a kind."""
        able = self.everything or (kind == "project" and bool(self.projects))
        return able and not self.changes_nothing

    @property
    def sets_some_budgets(self) -> bool:
        """Whether there is any subject for which this reader sets budgets."""
        return (self.everything or bool(self.projects)) and not self.changes_nothing

    @property
    def reads_audit(self) -> bool:
        """Whether this reader sees who changed what."""
        return self.everything

    @property
    def manages_platform(self) -> bool:
        """Whether this reader sets up the platform: keys, prices, aliases, accounts."""
        return self.everything and not self.changes_nothing

    def predicate(self) -> sa.ColumnElement[bool]:
        """The rows of `events` this reader may see, as a WHERE clause."""
        if self.everything:
            return sa.true()
        own: sa.ColumnElement[bool] = self.people.own_rows(self.user)
        if not self.projects:
            return own
        return sa.or_(own, EVENTS.c.project.in_(sorted(self.projects)))


def names(claim: Any) -> list[str]:
    """The items of a claim: a comma-separated string, or a list of such; anything else has none."""
    if isinstance(claim, str):
        return [part.strip() for part in claim.split(",") if part.strip()]
    if isinstance(claim, list):
        return [name for item in claim if isinstance(item, str) for name in names(item)]
    return []


# The program's own questions and entries, on nobody's behalf.
SYSTEM: Final = Scope("spendscope", everything=True)
