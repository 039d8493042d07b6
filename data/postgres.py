"""Where a PostgreSQL database is and who asks there; the password is shown nowhere."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Self

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url

from data.errors import SourceError

SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
BACKENDS: Final = ("postgresql", "postgres")
PORT: Final = 5432
SECONDS: Final = 60
VERIFIED: Final = ("verify-ca", "verify-full")
MODES: Final = ("disable", "allow", "prefer", "require", *VERIFIED)
NO_URL: Final = "this is no address of a database: write postgresql://USER@HOST:PORT/DATABASE"
WRONG: Final = ("28P01", "28000")  # SQLSTATE: a password, a user or a host that is not let in
TIMEOUT: Final = "57014"
NO_DATABASE: Final = "3D000"


class TooSlow(SourceError):
    """An answer took longer than we let a database of somebody else's work for us."""


def is_address(text: str) -> bool:
    """Whether this is meant as an address, which may hold a password, and not as a path."""
    return SCHEME.match(text) is not None


@dataclass(frozen=True, slots=True)
class Address:
    """A URL's parts. `schema` and `sslmode` are read from its query, all else there is ignored."""

    host: str
    port: int
    database: str
    user: str
    password: str | None = field(repr=False)
    schema: str | None
    sslmode: str

    @classmethod
    def of(cls, url: str, environ: Mapping[str, str] = os.environ) -> Self:
        """The address of a URL, without a password that of PGPASSWORD; raises `SourceError`."""
        try:
            parsed = make_url(url)
            port = parsed.port or PORT
        except (sa.exc.ArgumentError, ValueError):
            raise SourceError(NO_URL) from None
        options = {name: value for name, value in parsed.query.items() if isinstance(value, str)}
        mode = options.get("sslmode", "prefer")
        postgres = parsed.get_backend_name().lower() in BACKENDS
        if not (postgres and parsed.host and parsed.database and parsed.username):
            raise SourceError(NO_URL)
        if mode not in MODES:
            raise SourceError(f"sslmode is {mode[:20]!r}, not one of {', '.join(MODES)}")
        password = str(parsed.password) if parsed.password else environ.get("PGPASSWORD")
        schema = options.get("schema")
        return cls(parsed.host, port, parsed.database, parsed.username, password, schema, mode)

    def __str__(self) -> str:
        schema = f" schema {self.schema}" if self.schema else ""
        return f"{self.host}:{self.port}/{self.database}{schema}"

    def engine(
        self, connections: int = 1, settings: Mapping[str, str] | None = None,
        patience: int = SECONDS, **options: Any,
    ) -> sa.Engine:  # fmt: skip
        """An engine of so many connections, encrypted as `sslmode` says, with these settings of the
        server and options of SQLAlchemy's, which waits so many seconds for the server; not
        connected yet."""
        arguments = {
            "timeout": patience,
            "application_name": "spendscope",
            "password": self.password or "",
            "startup_params": dict(settings or {}),
        }
        engine = sa.create_engine(
            URL.create("postgresql+pg8000", self.user, None, self.host, self.port, self.database),
            connect_args=arguments | {"ssl_context": self._encryption()},
            pool_size=connections, max_overflow=0, hide_parameters=True, **options,
        )  # fmt: skip
        sa.event.listen(engine, "checkout", _require_alive)
        return engine

    def _encryption(self) -> ssl.SSLContext | bool | None:
        """What the driver takes: False is none, None is where the server has it."""
        if self.sslmode in ("disable", "allow"):
            return False
        if self.sslmode == "prefer":
            return None
        context = ssl.create_default_context()
        context.check_hostname = self.sslmode == "verify-full"
        if self.sslmode not in VERIFIED:
            context.verify_mode = ssl.CERT_NONE
        return context

    @contextmanager
    def sentences(self) -> Iterator[None]:
        """A failure of the database as one sentence, a `SourceError`."""
        try:
            yield
        except sa.exc.DBAPIError as error:
            kind = TooSlow if state_and_message(error)[0] == TIMEOUT else SourceError
            raise kind(self.sentence(error)) from None
        except OSError as error:
            raise SourceError(self.unreachable(error)) from None

    def unreachable(self, error: OSError) -> str:
        """That there is no way to it, in a sentence."""
        reason = str(error.strerror or error)[:80]
        return f"the database {self} cannot be reached: {reason}"

    def sentence(self, error: sa.exc.DBAPIError) -> str:
        """What went wrong there, in a sentence without the password and what was asked."""
        code, message = state_and_message(error)
        if code in WRONG or (not code and "password" in message):
            return f"the database {self} does not let {self.user} in: password or user is wrong"
        if code == NO_DATABASE:
            return f"the server {self.host}:{self.port} has no database {self.database}"
        if code == TIMEOUT:
            return f"the database {self} took longer than {SECONDS} s for an answer"
        if "refuses SSL" in message:
            return f"the database {self} does not encrypt, as sslmode={self.sslmode} asks for"
        if not code:
            return f"the database {self} cannot be reached: no PostgreSQL answers there"
        return f"the database {self} says: {message[:160]}"


def state_and_message(error: sa.exc.DBAPIError) -> tuple[str, str]:
    """SQLSTATE and message, as the server sent them; without a code the driver's own words."""
    fields = error.orig.args[0] if error.orig and error.orig.args else ""
    if isinstance(fields, Mapping):
        return str(fields.get("C", "")), str(fields.get("M", ""))
    return "", str(fields)


def _require_alive(connection: Any, _record: Any, _proxy: Any) -> None:
    """Of a server that was started again, the old connections go before anybody asks by them. The
    pool's own way (`pool_pre_ping`) does not know this driver's failures for what they are."""
    try:
        connection.cursor().execute("SELECT 1")
        connection.rollback()
    except Exception as error:
        raise sa.exc.DisconnectionError from error
