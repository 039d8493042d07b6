"""The settings of sign-in by GitHub (OAuth), and what GitHub's API says of somebody in our words.

Whoever comes in is a member of one of the organisations of the settings; only what those say of
them counts. It is a list of texts: `acme` (a member), `acme:admin` (an owner, as the API has it),
`acme/web-leads` (a team by its slug), all in small letters, since GitHub knows no others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final
from urllib.parse import urlsplit

from data.errors import SettingsError, excerpt
from data.identity.claim_settings import listed, pattern_of
from data.identity.claims import ClaimNames
from data.identity.provider import is_safe

PREFIX: Final = "SPENDSCOPE_GITHUB_"
GITHUB: Final = "https://github.com"
WITH_RESIDENCY: Final = ".ghe.com"
USERS: Final = ("login", "email", "id")
ORGANIZATION: Final = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,99})")


@dataclass(frozen=True, slots=True)
class GitHubSettings:
    """A GitHub, who we are for it, and what makes somebody what they are here. Each field is a
    variable."""

    url: str
    client_id: str
    client_secret: str
    organizations: tuple[str, ...]
    user: str
    admins: tuple[str, ...]
    auditors: tuple[str, ...]
    applications_pattern: re.Pattern[str] | None
    applications_admin_pattern: re.Pattern[str] | None

    @property
    def api(self) -> str:
        """Where its REST API is."""
        host = urlsplit(self.url).netloc
        if self.url == GITHUB or host.endswith(WITH_RESIDENCY):
            return f"https://api.{host}"
        return f"{self.url}/api/v3"

    @property
    def names(self) -> ClaimNames:
        """Where our claims are among what `as_claims` says."""

        def groups(asked: Any) -> str:
            return "groups" if asked else ""

        return ClaimNames(
            sub=self.user,
            admin=groups(self.admins), admin_roles=self.admins,
            auditor=groups(self.auditors), auditor_roles=self.auditors,
            applications=groups(self.applications_pattern),
            applications_pattern=self.applications_pattern,
            applications_admin=groups(self.applications_admin_pattern),
            applications_admin_pattern=self.applications_admin_pattern,
        )  # fmt: skip


def as_claims(
    user: Mapping[str, Any], emails: Iterable[Any], roles: Mapping[str, str], teams: Iterable[Any]
) -> dict[str, Any]:
    """What the API answered, as the claims of one person. `roles` are those in our organisations;
    the address is the one that the person calls the first, if GitHub has verified it."""
    first = next((one for one in emails if isinstance(one, dict) and one.get("primary")), {})
    groups = [*roles, *(f"{name}:{role}" for name, role in roles.items())]
    for one in teams:
        home, slug = _team(one)
        groups.extend([f"{home}/{slug}"] if home in roles and slug else [])
    return {
        "login": user.get("login"), "id": str(user["id"]), "name": user.get("name"),
        "email": first.get("email") if first.get("verified") is True else None,
        "groups": list(dict.fromkeys(groups)),
    }  # fmt: skip


def _team(one: Any) -> tuple[str, str]:
    """The organisation and the slug of a team."""
    home = one.get("organization") if isinstance(one, dict) else None
    if not isinstance(home, dict):
        return "", ""
    return str(home.get("login") or "").lower(), str(one.get("slug") or "").lower()


VARIABLES: Final = tuple(f"GITHUB_{one.name.upper()}" for one in fields(GitHubSettings))


def read_github(given: Mapping[str, str]) -> GitHubSettings | None:
    """The GitHub of an environment (names without their prefix); None without one. Raises
    `SettingsError` naming what is wrong."""
    names = (one.name.upper() for one in fields(GitHubSettings))
    own = {name: given[f"GITHUB_{name}"] for name in names if f"GITHUB_{name}" in given}
    if not own:
        return None
    for name in ("CLIENT_ID", "CLIENT_SECRET", "ORGANIZATIONS"):
        if name not in own:
            raise SettingsError(f"{PREFIX}{name} is missing: sign-in by GitHub needs it")
    return GitHubSettings(
        url=_url(own.get("URL", GITHUB)),
        client_id=own["CLIENT_ID"],
        client_secret=own["CLIENT_SECRET"],
        organizations=_organizations(own["ORGANIZATIONS"]),
        user=_user(own.get("USER", USERS[0])),
        admins=listed(own.get("ADMINS", "").lower()),
        auditors=listed(own.get("AUDITORS", "").lower()),
        applications_pattern=pattern_of(own, PREFIX, "APPLICATIONS_PATTERN"),
        applications_admin_pattern=pattern_of(own, PREFIX, "APPLICATIONS_ADMIN_PATTERN"),
    )


def _url(text: str) -> str:
    url = text.rstrip("/")
    if not is_safe(url) or urlsplit(url).path:
        raise SettingsError(f"{PREFIX}URL must be an https address, not {excerpt(text)}")
    return url


def _organizations(text: str) -> tuple[str, ...]:
    found = listed(text.lower())
    if not found or not all(ORGANIZATION.fullmatch(one) for one in found):
        problem = f"lists organisations, as acme, acme-labs: not {excerpt(text)}"
        raise SettingsError(f"{PREFIX}ORGANIZATIONS {problem}")
    return found


def _user(text: str) -> str:
    if text not in USERS:
        raise SettingsError(f"{PREFIX}USER is {' or '.join(USERS)}, not {excerpt(text)}")
    return text
