"""Every setting, read once from the environment and checked before anything starts."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from data.errors import SettingsError, excerpt
from data.events.table import micros
from data.identity import claim_settings
from data.identity.claims import ClaimNames
from data.identity.github import GitHubSettings, read_github
from data.identity.provider import OidcSettings, read_oidc

PREFIX: Final = "SPENDSCOPE_"
DEFAULT_PORTS: Final = {"http": 80, "https": 443}
SIGN_INS: Final = ("demo", "local", "oidc", "github")
CHOICES: Final = {
    "LOG_FORMAT": ("text", "json"),
    "LOG_LEVEL": ("info", "debug", "warning", "error"),
    "TELEMETRY": ("off", "otlp"),
}
SECRET_ALGORITHMS: Final = ("HS256",)
KEY_ALGORITHMS: Final = ("RS256", "ES256", "EdDSA")
SHORTEST_SECRET: Final = 32
LONGEST_PAUSE: Final = 86_400
LONGEST_RETENTION: Final = 36_500
LONGEST_HOURS: Final = 8_760
HEADER: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,99}")
# What has a meaning of its own: a token in it would be read by others, too.
NO_HEADERS: Final = ("authorization", "cookie", "host", "forwarded", "via", "x-api-key")
P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Settings:
    """What the program runs with. `now_frozen` is µs UTC where the clock stands still."""

    host: str
    port: int
    data_dir: Path
    events_url: str
    state_url: str
    secret_key: str
    jwt_secret: str | None
    jwks_url: str | None
    jwt_issuer: str | None
    jwt_audience: str | None
    jwt_algorithms: tuple[str, ...]
    jwt_header: str | None  # in which a trusted proxy says who asks
    jwt_claims: ClaimNames | None
    ingest_key: str | None
    metrics_key: str | None
    sign_in: tuple[str, ...]
    trusted_proxies: tuple[str, ...]  # addresses and networks
    public_url: str | None
    oidc: OidcSettings | None
    github: GitHubSettings | None
    api_token_hours: int
    litellm_url: str | None
    litellm_every: int
    audit_retention: int | None  # days
    log_format: str
    log_level: str
    telemetry: str
    now_frozen: int | None

    def now(self) -> int:
        """The present instant in µs UTC."""
        return micros(datetime.now(UTC)) if self.now_frozen is None else self.now_frozen

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ) -> Settings:
        """The settings of an environment; raises `SettingsError` naming the wrong one."""
        given = _given(environ)
        data_dir = Path(given.get("DATA_DIR", "var")).absolute()
        return cls(
            host=given.get("HOST", "127.0.0.1"),
            port=_port(given.get("PORT", "8050")),
            data_dir=data_dir,
            events_url=given.get("EVENTS_URL", f"duckdb:///{data_dir / 'events.duckdb'}"),
            state_url=given.get("STATE_URL", f"sqlite:///{data_dir / 'state.sqlite'}"),
            secret_key=given.get("SECRET_KEY") or _kept_secret(data_dir),
            jwt_secret=_long("JWT_SECRET", given.get("JWT_SECRET")),
            **_jwks(given),
            jwt_header=_header(given),
            jwt_claims=_claim_names(given),
            ingest_key=given.get("INGEST_KEY"),
            metrics_key=given.get("METRICS_KEY"),
            sign_in=_sign_ins(given.get("SIGN_IN", "demo,local")),
            trusted_proxies=_networks(given.get("TRUSTED_PROXIES", "")),
            public_url=_site(given.get("PUBLIC_URL")),
            oidc=_provider(given, "oidc", "OIDC_ISSUER", read_oidc(given)),
            github=_provider(given, "github", "GITHUB_CLIENT_ID", read_github(given)),
            api_token_hours=_whole(given, "API_TOKEN_HOURS", "24", LONGEST_HOURS, "hours"),
            litellm_url=given.get("LITELLM_URL"),
            litellm_every=_whole(given, "LITELLM_EVERY", "60", LONGEST_PAUSE, "seconds"),
            audit_retention=_days(given, "AUDIT_RETENTION"),
            **_chosen(given),
            now_frozen=_now(given.get("NOW")),
        )


def _given(environ: Mapping[str, str]) -> dict[str, str]:
    """Our variables, without their prefix; one that is empty is none."""
    return {
        key.removeprefix(PREFIX): value.strip()
        for key, value in environ.items()
        if key.startswith(PREFIX) and value.strip()
    }


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65_536:
        raise SettingsError(f"SPENDSCOPE_PORT must be a port from 1 to 65535, not {excerpt(text)}")
    return int(text)


def _whole(given: Mapping[str, str], name: str, default: str, most: int, unit: str) -> int:
    text = given.get(name, default)
    if not text.isdecimal() or not 0 < int(text) <= most:
        allowed = f"whole {unit}, 1 to {most:,}"
        raise SettingsError(f"{PREFIX}{name} must be {allowed}, not {excerpt(text)}")
    return int(text)


def _days(given: Mapping[str, str], name: str) -> int | None:
    return _whole(given, name, "", LONGEST_RETENTION, "days") if name in given else None


def _chosen(given: Mapping[str, str]) -> dict[str, Any]:
    """What is one of a few words, the first of which holds where nothing is said."""
    return {name.lower(): _one_of(name, given.get(name, allowed[0]), allowed)
            for name, allowed in CHOICES.items()}  # fmt: skip


def _one_of(name: str, text: str, allowed: tuple[str, ...]) -> str:
    if text.lower() not in allowed:
        raise SettingsError(f"{PREFIX}{name} is {' or '.join(allowed)}, not {excerpt(text)}")
    return text.lower()


def _long(name: str, secret: str | None) -> str | None:
    if secret is not None and len(secret.encode()) < SHORTEST_SECRET:
        raise SettingsError(f"{PREFIX}{name} must have at least {SHORTEST_SECRET} bytes")
    return secret


def _jwks(given: Mapping[str, str]) -> dict[str, Any]:
    names = ("JWKS_URL", "JWT_ISSUER", "JWT_AUDIENCE")
    named = [name for name in names if name in given]
    if "JWKS_URL" in given and "JWT_SECRET" in given:
        raise SettingsError("SPENDSCOPE_JWKS_URL and SPENDSCOPE_JWT_SECRET exclude each other")
    if named and len(named) < len(names):
        missing = next(name for name in names if name not in given)
        raise SettingsError(f"{PREFIX}{missing} is missing: the three JWKS settings go together")
    plain = {name.lower(): given.get(name) for name in names}
    return plain | {"jwt_algorithms": _algorithms(given)}


def _algorithms(given: Mapping[str, str]) -> tuple[str, ...]:
    """How tokens may be signed: fixed here, whatever a token says of itself."""
    allowed = KEY_ALGORITHMS if "JWKS_URL" in given else SECRET_ALGORITHMS
    text = given.get("JWT_ALGORITHMS", ",".join(allowed))
    chosen = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not chosen or not set(chosen) <= set(allowed):
        problem = f"lists some of {', '.join(allowed)} here, not {excerpt(text)}"
        raise SettingsError(f"{PREFIX}JWT_ALGORITHMS {problem}")
    return chosen


def _header(given: Mapping[str, str]) -> str | None:
    """The header of an authenticating proxy, and all that it takes to believe one."""
    name = given.get("JWT_HEADER")
    if name is None:
        return None
    if not HEADER.fullmatch(name) or name.lower() in NO_HEADERS:
        example = "the name of a header of its own, as X-Forwarded-Access-Token"
        raise SettingsError(f"{PREFIX}JWT_HEADER must be {example}, not {excerpt(name)}")
    if "TRUSTED_PROXIES" not in given:
        raise SettingsError(f"{PREFIX}TRUSTED_PROXIES is missing: JWT_HEADER is read from those")
    if "JWKS_URL" not in given and "JWT_SECRET" not in given:
        raise SettingsError(f"{PREFIX}JWKS_URL is missing: JWT_HEADER holds a token to verify")
    return name


def _claim_names(given: Mapping[str, str]) -> ClaimNames | None:
    """What the tokens of a key set call our claims; None where they have our names."""
    names = claim_settings.VARIABLES
    own = {name: given[f"JWT_{name}"] for name in names if f"JWT_{name}" in given}
    if own and "JWKS_URL" not in given:
        raise SettingsError(f"{PREFIX}JWKS_URL is missing: JWT_{next(iter(own))} is of its tokens")
    issuer = given.get("JWT_ISSUER", "")
    if not own and issuer not in claim_settings.OPEN_TO_ALL:
        return None
    return claim_settings.read_names(own, f"{PREFIX}JWT_", issuer)


def _sign_ins(text: str) -> tuple[str, ...]:
    chosen = tuple(part.strip() for part in text.split(",") if part.strip())
    for name in chosen:
        if name not in SIGN_INS:
            raise SettingsError(
                f"SPENDSCOPE_SIGN_IN lists some of {', '.join(SIGN_INS)}, not {excerpt(name)}"
            )
    return chosen


def _provider(given: Mapping[str, str], way: str, first: str, found: P | None) -> P | None:
    """An identity provider, where people sign in by one, and all that takes."""
    named = way in _sign_ins(given.get("SIGN_IN", ""))
    if found and not named:
        raise SettingsError(f"{PREFIX}{first} is set, but SPENDSCOPE_SIGN_IN names no {way}")
    if named and not found:
        raise SettingsError(f"{PREFIX}{first} is missing: SPENDSCOPE_SIGN_IN names {way}")
    if named and "PUBLIC_URL" not in given:
        raise SettingsError(
            "SPENDSCOPE_PUBLIC_URL is missing: an identity provider sends people back there"
        )
    return found


def _networks(text: str) -> tuple[str, ...]:
    listed = tuple(part.strip() for part in text.split(",") if part.strip())
    for one in listed:
        try:
            ip_network(one)
        except ValueError:
            allowed = "lists addresses or networks, as 127.0.0.1, 10.0.0.0/8"
            problem = f"{PREFIX}TRUSTED_PROXIES {allowed}: not {excerpt(one)}"
            raise SettingsError(problem) from None
    return listed


def _site(text: str | None) -> str | None:
    """Scheme and host, in small letters, without the port that the scheme means anyway."""
    if text is None:
        return None
    try:
        parts = urlsplit(text.lower())
        port = parts.port
    except ValueError:
        raise _no_site() from None
    host = parts.netloc.removesuffix(f":{DEFAULT_PORTS.get(parts.scheme)}")
    plain = all(one.isalnum() or one in "-.:[]" for one in host)
    rest = parts.path.strip("/") or parts.query or parts.fragment
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or port == 0 or not plain or rest:
        raise _no_site()
    return f"{parts.scheme}://{host}"


def _no_site() -> SettingsError:
    example = "https://spendscope.example.org, without a path"
    return SettingsError(f"{PREFIX}PUBLIC_URL must be an address as {example}")


def _now(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"SPENDSCOPE_NOW is no ISO 8601 instant: {excerpt(text)}") from None
    return micros(moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment)


def _kept_secret(data_dir: Path) -> str:
    """The session key of this data folder, made on first use and readable by its owner only."""
    path = data_dir / "secret_key"
    data_dir.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(handle, "w") as file:
        file.write(key := secrets.token_urlsafe(48))
    return key
