"""Checks of a right: each lets a reader on or raises `Forbidden`. Who has it, the scope says."""

from __future__ import annotations

from collections.abc import Callable

from data.access.scope import Scope
from data.errors import Forbidden


def platform_admins_only(what: str) -> Callable[[Scope], None]:
    """The check for what only those who set up the platform may see and change; `what` begins the
    sentence, as `prices are`."""

    def require_platform_admin(scope: Scope) -> None:
        if not scope.manages_platform:
            raise Forbidden(f"{what} for platform administrators")

    return require_platform_admin
