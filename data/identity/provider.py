"""The settings of sign-in by an identity provider (OpenID Connect), read with all others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final
from urllib.parse import urlsplit

from data.errors import SettingsError, excerpt
from data.identity.claims import ClaimNames

PREFIX: Final = "SPENDSCOPE_OIDC_"
SCOPES: Final = "openid profile email"
LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
CLAIM: Final = re.compile(r"[^\s,]{1,200}")


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """A provider, who we are for it, and how it says who somebody is. Each field is a variable;
    those from `claim_sub` on are read into `names`."""

    issuer: str
    client_id: str
    client_secret: str | None
    scopes: str
    claim_sub: str
    claim_email: str
    claim_name: str
    claim_admin: str
    claim_auditor: str
    claim_applications: str
    claim_applications_admin: str
    admin_roles: tuple[str, ...]
    auditor_roles: tuple[str, ...]
    applications_pattern: re.Pattern[str] | None
    applications_admin_pattern: re.Pattern[str] | None

    @property
    def names(self) -> ClaimNames:
        """Where our claims are among the provider's."""
        plain = {name: getattr(self, f"claim_{name}") for name in CLAIMS}
        others = {name: getattr(self, name) for name in (*ROLES, *PATTERNS)}
        return ClaimNames(**plain, **others)


CLAIMS: Final = ("sub", "email", "name", "admin", "auditor", "applications", "applications_admin")
ROLES: Final = ("admin_roles", "auditor_roles")
PATTERNS: Final = ("applications_pattern", "applications_admin_pattern")
VARIABLES: Final = tuple(f"OIDC_{one.name.upper()}" for one in fields(OidcSettings))


def read_oidc(given: Mapping[str, str]) -> OidcSettings | None:
    """The provider of an environment (names without their prefix); None without one. Raises
    `SettingsError` naming what is wrong."""
    own = {name: given[f"OIDC_{name}"] for name in _names() if f"OIDC_{name}" in given}
    if not own:
        return None
    for name in ("ISSUER", "CLIENT_ID"):
        if name not in own:
            raise SettingsError(f"{PREFIX}{name} is missing: sign-in by a provider needs it")
    claims: dict[str, Any] = {f"claim_{name}": _claim(own, name) for name in CLAIMS}
    roles: dict[str, Any] = {name: _listed(own.get(name.upper(), "")) for name in ROLES}
    return OidcSettings(
        issuer=_issuer(own["ISSUER"]),
        client_id=own["CLIENT_ID"],
        client_secret=own.get("CLIENT_SECRET"),
        scopes=_scopes(own.get("SCOPES", SCOPES)),
        applications_pattern=_pattern(own, "APPLICATIONS_PATTERN"),
        applications_admin_pattern=_pattern(own, "APPLICATIONS_ADMIN_PATTERN"),
        **claims,
        **roles,
    )


def _names() -> tuple[str, ...]:
    return tuple(one.name.upper() for one in fields(OidcSettings))


def _listed(text: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in text.split(",") if one.strip())


def _issuer(text: str) -> str:
    """As it stands: the provider must say the very same of itself."""
    try:
        parts = urlsplit(text)
        safe = parts.scheme == "https" or parts.hostname in LOOPBACK
    except ValueError:
        safe, parts = False, urlsplit("")
    if not safe or parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
        raise SettingsError(f"{PREFIX}ISSUER must be an https address, not {excerpt(text)}")
    return text


def _scopes(text: str) -> str:
    scopes = text.replace(",", " ").split()
    if "openid" not in scopes:
        raise SettingsError(f"{PREFIX}SCOPES must have openid among them, not {excerpt(text)}")
    return " ".join(scopes)


def _claim(own: Mapping[str, str], name: str) -> str:
    text = str(own.get(f"CLAIM_{name.upper()}", getattr(_PLAIN, name)))
    if not CLAIM.fullmatch(text):
        raise SettingsError(f"{PREFIX}CLAIM_{name.upper()} is the name of a claim or a path to it")
    return text


def _pattern(own: Mapping[str, str], name: str) -> re.Pattern[str] | None:
    text = own.get(name)
    if text is None:
        return None
    try:
        pattern = re.compile(text)
    except re.error:
        pattern = re.compile("")
    if pattern.groups != 1:
        example = "with one group for the project, as spendscope-(.+)-admins"
        raise SettingsError(f"{PREFIX}{name} must be a regular expression {example}")
    return pattern


_PLAIN: Final = ClaimNames()
