"""The settings of sign-in by an identity provider (OpenID Connect), read with all others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from data.errors import SettingsError, excerpt
from data.identity import claim_settings
from data.identity.claims import ClaimNames

PREFIX: Final = "SPENDSCOPE_OIDC_"
SCOPES: Final = "openid profile email"
LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_NAMES: Final = ("ISSUER", "CLIENT_ID", "CLIENT_SECRET", "SCOPES", *claim_settings.VARIABLES)
VARIABLES: Final = tuple(f"OIDC_{name}" for name in _NAMES)


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """A provider, who we are for it, and how it says who somebody is."""

    issuer: str
    client_id: str
    client_secret: str | None
    scopes: str
    names: ClaimNames


def read_oidc(given: Mapping[str, str]) -> OidcSettings | None:
    """The provider of an environment (names without their prefix); None without one. Raises
    `SettingsError` naming what is wrong."""
    own = {name: given[f"OIDC_{name}"] for name in _NAMES if f"OIDC_{name}" in given}
    if not own:
        return None
    for name in ("ISSUER", "CLIENT_ID"):
        if name not in own:
            raise SettingsError(f"{PREFIX}{name} is missing: sign-in by a provider needs it")
    return OidcSettings(
        issuer=_issuer(own["ISSUER"]),
        client_id=own["CLIENT_ID"],
        client_secret=own.get("CLIENT_SECRET"),
        scopes=_scopes(own.get("SCOPES", SCOPES)),
        names=claim_settings.read_names(own, PREFIX, own["ISSUER"]),
    )


def _issuer(text: str) -> str:
    """As it stands: the provider must say the very same of itself."""
    if not is_safe(text):
        raise SettingsError(f"{PREFIX}ISSUER must be an https address, not {excerpt(text)}")
    return text


def is_safe(url: str) -> bool:
    """Whether secrets may be sent there: by HTTPS, or on this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    safe = parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)
    return safe and bool(host) and not parts.query and "@" not in parts.netloc


def _scopes(text: str) -> str:
    scopes = text.replace(",", " ").split()
    if "openid" not in scopes:
        raise SettingsError(f"{PREFIX}SCOPES must have openid among them, not {excerpt(text)}")
    return " ".join(scopes)
