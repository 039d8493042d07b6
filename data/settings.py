"""Every setting, read once from the environment and checked before anything starts."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from data.errors import SettingsError, excerpt
from data.events.table import micros
from data.identity.provider import OidcSettings, read_oidc

PREFIX: Final = "SPENDSCOPE_"
DEFAULT_PORTS: Final = {"http": 80, "https": 443}
SIGN_INS: Final = ("demo", "local", "oidc")
LOG_FORMATS: Final = ("text", "json")
LOG_LEVELS: Final = ("debug", "info", "warning", "error")
SECRET_ALGORITHMS: Final = ("HS256",)
KEY_ALGORITHMS: Final = ("RS256", "ES256", "EdDSA")
SHORTEST_SECRET: Final = 32
LONGEST_PAUSE: Final = 86_400
LONGEST_RETENTION: Final = 36_500


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
    ingest_key: str | None
    metrics_key: str | None
    sign_in: tuple[str, ...]
    trusted_proxies: tuple[str, ...]  # addresses and networks
    public_url: str | None
    oidc: OidcSettings | None
    litellm_url: str | None
    litellm_every: int
    audit_retention: int | None  # days
    log_format: str
    log_level: str
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
            ingest_key=given.get("INGEST_KEY"),
            metrics_key=given.get("METRICS_KEY"),
            sign_in=_sign_ins(given.get("SIGN_IN", "demo,local")),
            trusted_proxies=_networks(given.get("TRUSTED_PROXIES", "")),
            public_url=_site(given.get("PUBLIC_URL")),
            oidc=_oidc(given),
            litellm_url=given.get("LITELLM_URL"),
            litellm_every=_seconds("LITELLM_EVERY", given.get("LITELLM_EVERY", "60")),
            audit_retention=_days("AUDIT_RETENTION", given.get("AUDIT_RETENTION")),
            log_format=_one_of("LOG_FORMAT", given.get("LOG_FORMAT", "text"), LOG_FORMATS),
            log_level=_one_of("LOG_LEVEL", given.get("LOG_LEVEL", "info"), LOG_LEVELS),
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


def _seconds(name: str, text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= LONGEST_PAUSE:
        allowed = f"whole seconds, 1 to {LONGEST_PAUSE:,}"
        raise SettingsError(f"{PREFIX}{name} must be {allowed}, not {excerpt(text)}")
    return int(text)


def _days(name: str, text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isdecimal() or not 0 < int(text) <= LONGEST_RETENTION:
        allowed = f"whole days, 1 to {LONGEST_RETENTION:,}"
        raise SettingsError(f"{PREFIX}{name} must be {allowed}, not {excerpt(text)}")
    return int(text)


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


def _sign_ins(text: str) -> tuple[str, ...]:
    chosen = tuple(part.strip() for part in text.split(",") if part.strip())
    for name in chosen:
        if name not in SIGN_INS:
            raise SettingsError(
                f"SPENDSCOPE_SIGN_IN lists some of {', '.join(SIGN_INS)}, not {excerpt(name)}"
            )
    return chosen


def _oidc(given: Mapping[str, str]) -> OidcSettings | None:
    """The identity provider, where people sign in by one, and all that takes."""
    named, found = "oidc" in _sign_ins(given.get("SIGN_IN", "")), read_oidc(given)
    if found and not named:
        raise SettingsError("SPENDSCOPE_OIDC_ISSUER is set, but SPENDSCOPE_SIGN_IN names no oidc")
    if named and not found:
        raise SettingsError("SPENDSCOPE_OIDC_ISSUER is missing: SPENDSCOPE_SIGN_IN names oidc")
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
