"""How the event store reaches its PostgreSQL, and why it cannot be used, in a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import URL

from data.engines.postgresql.dialect import PARAMSTYLE, Compiler, Context
from data.errors import SettingsError, SourceError, StoreError
from data.postgres import NO_DATABASE, TIMEOUT, Address, state_and_message

# Of a question; who writes has as long as it takes.
QUESTION_SECONDS: Final = 120
WRITE_SECONDS: Final = 3_600
# SQLSTATE: there is no such right, schema; another has the lock for too long.
NO_RIGHT: Final = "42501"
NO_SCHEMA: Final = "3F000"
LOCKED: Final = "55P03"
UNUSABLE: Final = "the event store cannot be used now: {}"
RIGHTS: Final = (
    "the role {} may not make tables in the database {} of the event store: GRANT CREATE, USAGE ON"
    " SCHEMA to it, or give it a schema of its own"
)
NOT_OURS: Final = "the role {} may not use the tables of the event store in the database {}: {}"


def address(url: URL) -> Address:
    """The parts of SPENDSCOPE_EVENTS_URL; raises `SettingsError`."""
    try:
        return Address.of(url.render_as_string(hide_password=False))
    except SourceError as error:
        raise SettingsError(f"SPENDSCOPE_EVENTS_URL: {error}") from None


def engine(place: Address, connections: int, patience: int) -> sa.Engine:
    """An engine that connects when it is needed, to the schema that the address may name, and gives
    up an answer after so many seconds. Whatever the database's own setting is, each statement reads
    what was committed before it: who waited for the lock must see what the one before wrote. What
    fails later says so in a sentence, a `StoreError`."""
    settings = {"statement_timeout": f"{QUESTION_SECONDS}s", "timezone": "UTC"}
    if place.schema:
        settings["search_path"] = '"' + place.schema.replace('"', '""') + '"'
    made = place.engine(
        connections, settings, patience, paramstyle=PARAMSTYLE, isolation_level="READ COMMITTED",
        pool_timeout=QUESTION_SECONDS,
    )  # fmt: skip
    made.dialect.statement_compiler = Compiler
    made.dialect.execution_ctx_cls = Context

    @sa.event.listens_for(made, "handle_error")
    def tell(context: Any) -> None:
        cause = context.original_exception
        if isinstance(cause, OSError):
            raise StoreError(UNUSABLE.format(place.unreachable(cause))) from cause
        error = context.sqlalchemy_exception
        if not isinstance(error, sa.exc.DBAPIError):
            return
        slow = state_and_message(error)[0] == TIMEOUT
        if context.connection is None or context.is_disconnect or slow:
            raise StoreError(sentence(place, error)) from error

    return made


@contextmanager
def sentences(place: Address) -> Iterator[None]:
    """A failure of the database as one sentence without the password, a `StoreError`."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        raise StoreError(sentence(place, error)) from error
    except OSError as error:
        raise StoreError(UNUSABLE.format(place.unreachable(error))) from error


def sentence(place: Address, error: sa.exc.DBAPIError) -> str:
    """What went wrong there."""
    code, message = state_and_message(error)
    if code == NO_SCHEMA:
        return f"the database {place} of the event store lacks the schema that its URL names"
    if code == NO_RIGHT and ("for schema" in message or "for database" in message):
        return RIGHTS.format(place.user, place.database)
    if code == NO_RIGHT:
        return NOT_OURS.format(place.user, place.database, message[:200])
    if code == TIMEOUT:
        return f"the event store took longer than {QUESTION_SECONDS} s for an answer"
    advice = ": create it" if code == NO_DATABASE else ""
    return UNUSABLE.format(place.sentence(error)) + advice


def is_locked(error: sa.exc.DBAPIError) -> bool:
    """Whether another writer had the lock for too long."""
    return state_and_message(error)[0] == LOCKED
