"""Who an identity provider says somebody is, in our words: which of its claims is which of ours.

A claim is found by its name, or by the path to it where objects are nested (`realm_access.roles`).
Ours are `sub`, `email`, `name`, `isAdmin`, `isAuditor`, `applications` and `applications_admin`;
whose rows they open is `data/access/scope.py`'s matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from data.errors import Stranger

Claims = Mapping[str, Any]
LONGEST_VALUE: Final = 200
MOST_VALUES: Final = 2_000
UNVERIFIED: Final = "the identity provider has not verified this e-mail address"
NOT_OURS: Final = "the identity provider does not say that you belong to this organisation"
LEFT_OUT: Final = (
    "the identity provider left out your groups, as you have too many: have it send those of this"
    " application alone, or roles"
)


@dataclass(frozen=True, slots=True)
class ClaimNames:
    """Where our claims are among a provider's. With `admin_roles` or `auditor_roles` that claim
    lists roles; with a pattern the claim of projects lists groups, and the pattern's one group is
    the project. With `required_values` only who has one of them in that claim comes in."""

    sub: str = "sub"
    email: str = "email"
    name: str = "name"
    admin: str = "isAdmin"
    auditor: str = "isAuditor"
    applications: str = "applications"
    applications_admin: str = "applications_admin"
    required: str = "groups"
    required_values: tuple[str, ...] = ()
    admin_roles: tuple[str, ...] = ()
    auditor_roles: tuple[str, ...] = ()
    applications_pattern: re.Pattern[str] | None = None
    applications_admin_pattern: re.Pattern[str] | None = None

    @property
    def of_rights(self) -> tuple[str, ...]:
        """The claims that decide who comes in and what they see."""
        required = (self.required,) if self.required_values else ()
        return (self.admin, self.auditor, self.applications, self.applications_admin, *required)


def mapped(claims: Claims, names: ClaimNames) -> dict[str, Any]:
    """A provider's claims as ours; raises `Stranger` where they name nobody."""
    user = found(claims, names.sub)
    if not isinstance(user, str) or not user.strip():
        raise Stranger(f"the identity provider names nobody: there is no {names.sub} claim")
    _refuse_unproven(claims, names, user)
    projects = _projects(found(claims, names.applications), names.applications_pattern)
    administered = found(claims, names.applications_admin)
    return {
        "sub": user,
        "email": found(claims, names.email),
        "name": found(claims, names.name),
        "isAdmin": _granted(found(claims, names.admin), names.admin_roles),
        "isAuditor": _granted(found(claims, names.auditor), names.auditor_roles),
        "applications": projects,
        "applications_admin": _projects(administered, names.applications_admin_pattern),
    }


def _refuse_unproven(claims: Claims, names: ClaimNames, user: str) -> None:
    """Raises `Stranger` where the provider does not vouch for what it says."""
    address = found(claims, names.email)
    named = names.sub == "email" or (isinstance(address, str) and user.lower() == address.lower())
    if named and claims.get("email_verified") not in (None, True, "true"):
        raise Stranger(UNVERIFIED)
    if any(_is_left_out(claims, path) for path in names.of_rights):
        raise Stranger(LEFT_OUT)
    wanted = names.required_values
    if wanted and set(wanted).isdisjoint(_values(found(claims, names.required))):
        raise Stranger(NOT_OURS)


def _is_left_out(claims: Claims, path: str) -> bool:
    """Whether the provider says that there is such a claim and that it is elsewhere (OpenID Connect
    Core 5.6.2), as Entra ID does of more than 200 groups."""
    referred, sources = claims.get("_claim_names"), claims.get("_claim_sources")
    value, name = found(claims, path), path.partition(".")[0]
    if isinstance(value, str) and isinstance(sources, Mapping) and value in sources:
        return True
    if value is not None:
        return False
    elsewhere = isinstance(referred, Mapping) and (path in referred or name in referred)
    many = name == "groups" and claims.get("hasgroups") in (True, "true")
    return elsewhere or many or any(one.startswith(f"{name}:src") for one in claims)


def found(claims: Claims, path: str) -> Any:
    """The claim of a name, else the one that a path of names with dots leads to; None without."""
    if path in claims:
        return claims[path]
    here: Any = claims
    for name in path.split("."):
        if not isinstance(here, Mapping) or name not in here:
            return None
        here = here[name]
    return here


def _granted(claim: Any, roles: tuple[str, ...]) -> Any:
    """Whether one of the roles is among those of a claim; without roles, the claim itself."""
    if not roles:
        return claim
    return not set(roles).isdisjoint(_values(claim))


def _projects(claim: Any, pattern: re.Pattern[str] | None) -> Any:
    """The projects that groups stand for; without a pattern, the claim itself."""
    if pattern is None:
        return claim
    matched = (pattern.fullmatch(one) for one in _values(claim))
    projects = (one[1].strip() for one in matched if one and one[1])
    # A comma would make two projects of one that its group names.
    return list(dict.fromkeys(one for one in projects if one and "," not in one))


def _values(claim: Any) -> Iterable[str]:
    """The texts of a list, or a text alone."""
    listed = [claim] if isinstance(claim, str) else claim
    if not isinstance(listed, list | tuple):
        return []
    texts = (one for one in listed[:MOST_VALUES] if isinstance(one, str))
    return [one for one in texts if len(one) <= LONGEST_VALUE]
