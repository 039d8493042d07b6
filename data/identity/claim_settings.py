"""The settings that say where our claims are among those of a provider: the same variables under a
prefix of each door, as `SPENDSCOPE_OIDC_CLAIM_ADMIN`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from data.errors import SettingsError
from data.identity.claims import ClaimNames

CLAIM: Final = re.compile(r"[^\s,]{1,200}")
CLAIMS: Final = (
    "sub", "email", "name", "admin", "auditor", "applications", "applications_admin", "required",
)  # fmt: skip
ROLES: Final = ("required_values", "admin_roles", "auditor_roles")
PATTERNS: Final = ("applications_pattern", "applications_admin_pattern")
VARIABLES: Final = (
    *(f"CLAIM_{name.upper()}" for name in CLAIMS),
    *(name.upper() for name in (*ROLES, *PATTERNS)),
)
OPEN_TO_ALL: Final = ("https://accounts.google.com",)
FOR_EVERYBODY: Final = "whoever has an account at this provider would come in, of any organisation"
_PLAIN: Final = ClaimNames()


def read_names(own: Mapping[str, str], prefix: str, issuer: str) -> ClaimNames:
    """Those of variables without their prefix, for the tokens of an issuer; raises `SettingsError`
    naming what is wrong."""
    claims: dict[str, Any] = {name: _claim(own, prefix, name) for name in CLAIMS}
    roles: dict[str, Any] = {name: listed(own.get(name.upper(), "")) for name in ROLES}
    patterns: dict[str, Any] = {name: pattern_of(own, prefix, name.upper()) for name in PATTERNS}
    if issuer in OPEN_TO_ALL and not roles["required_values"]:
        raise SettingsError(f"{prefix}REQUIRED_VALUES is missing: {FOR_EVERYBODY}")
    return ClaimNames(**claims, **roles, **patterns)


def listed(text: str) -> tuple[str, ...]:
    """The items of a list with commas."""
    return tuple(one.strip() for one in text.split(",") if one.strip())


def pattern_of(own: Mapping[str, str], prefix: str, name: str) -> re.Pattern[str] | None:
    """The regular expression of a variable, whose one group is the project."""
    text = own.get(name)
    if text is None:
        return None
    try:
        pattern = re.compile(text)
    except re.error:
        pattern = re.compile("")
    if pattern.groups != 1:
        example = "with one group for the project, as spendscope-(.+)-admins"
        raise SettingsError(f"{prefix}{name} must be a regular expression {example}")
    return pattern


def _claim(own: Mapping[str, str], prefix: str, name: str) -> str:
    text = str(own.get(f"CLAIM_{name.upper()}", getattr(_PLAIN, name)))
    if not CLAIM.fullmatch(text):
        raise SettingsError(f"{prefix}CLAIM_{name.upper()} is the name of a claim or a path to it")
    return text
