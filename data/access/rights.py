"""Checks of a right: each lets a reader on or raises `Forbidden`. Who has it, the scope says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from data.access.scope import Scope
from data.errors import Forbidden

AUDITOR: Final = "an auditor sees everything and changes nothing"


def require_changes(scope: Scope) -> None:
    """Raises `Forbidden` for whoever may look only, wherever something would be changed."""
    if scope.changes_nothing:
        raise Forbidden(AUDITOR)


def platform_readers_only(what: str) -> Callable[[Scope], None]:
    """The check for what those who set up the platform may see, and auditors with them; `what`
    begins the sentence, as `prices are`."""

    def require_platform_reader(scope: Scope) -> None:
        if not scope.everything:
            raise Forbidden(f"{what} for platform administrators")

    return require_platform_reader


def platform_admins_only(what: str) -> Callable[[Scope], None]:
    """The check for what only those who set up the platform may change; `what` begins the sentence,
    as `prices are`."""

    def require_platform_admin(scope: Scope) -> None:
        require_changes(scope)
        if not scope.manages_platform:
            raise Forbidden(f"{what} for platform administrators")

    return require_platform_admin
