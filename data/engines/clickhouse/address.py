"""How the event store reaches its ClickHouse, and why it cannot be used, in a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Self

import sqlalchemy as sa
from clickhouse_connect import dbapi
from sqlalchemy.engine import URL

from data.engines.clickhouse.dialect import Compiler
from data.errors import SettingsError, StoreError

# Of a question; who writes has as long as it takes.
QUESTION_SECONDS: Final = 120
WRITE_SECONDS: Final = 3_600
CLUSTER: Final = "cluster"
CHDB: Final = "chdb"
NO_URL: Final = (
    "SPENDSCOPE_EVENTS_URL: this is no address of a database: write"
    " clickhousedb://USER@HOST:PORT/DATABASE"
)
UNREACHABLE: Final = "the event store's ClickHouse {} cannot be reached: {}"
UNUSABLE: Final = "the event store cannot be used now: {} says {}"
PORT: Final = 8123
WRONG: Final = "the event store's ClickHouse {1} does not let us in: user or password is wrong"
# By the number of ClickHouse's error: what a reader can do something about.
ADVICE: Final = {
    159: f"the event store took longer than {QUESTION_SECONDS} s for an answer",
    497: "the user of the event store may not make or use its tables: GRANT ALL ON {0}.* to it",
    81: "the event store's ClickHouse {1} has no database {0}: create it",
    **dict.fromkeys((192, 193, 194, 516), WRONG),
}
# What every statement means, whatever the server's own profile says.
MEANT: Final = {
    "final": 1,  # each row as it was last written
    "aggregate_functions_null_for_empty": 1,
    "cast_keep_nullable": 1,
    "join_use_nulls": 1,
    "prefer_column_name_to_alias": 1,
    "enable_positional_arguments": 0,
    "count_distinct_implementation": "uniqExact",
    "distributed_product_mode": "global",
    "max_query_size": 256 << 20,
    "max_ast_elements": 50_000_000,
    "max_expanded_ast_elements": 50_000_000,
}  # fmt: skip
# What is acknowledged is stored: on a quorum where there are replicas, and seen there by the next.
DURABLE: Final = {
    "async_insert": 0, "distributed_foreground_insert": 1,
    "mutations_sync": 2, "allow_nondeterministic_mutations": 1,
}  # fmt: skip
REPLICATED: Final = {
    "insert_quorum": "auto", "insert_quorum_parallel": 0, "select_sequential_consistency": 1,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Address:
    """Where a ClickHouse is; `cluster` names the one that has the tables, where they have many."""

    url: URL
    cluster: str | None

    @classmethod
    def of(cls, url: URL) -> Self:
        """The parts of SPENDSCOPE_EVENTS_URL; raises `SettingsError`."""
        in_process = url.query.get("interface") == CHDB
        if not url.database or not (url.host or in_process):
            raise SettingsError(NO_URL)
        cluster = url.query.get(CLUSTER)
        return cls(url.difference_update_query([CLUSTER]), str(cluster) if cluster else None)

    @property
    def database(self) -> str:
        """The one that has the tables."""
        return str(self.url.database)

    def arguments(self, seconds: int) -> dict[str, str]:
        """What each connection is told, for one that gives up after so many seconds."""
        settings = MEANT | DURABLE | (REPLICATED if self.cluster else {})
        told = {f"ch_{name}": str(value) for name, value in settings.items()}
        told["ch_max_execution_time"] = str(seconds)
        if self.url.host:
            told |= {"send_receive_timeout": str(seconds + 10), "autogenerate_session_id": "0"}
        return told

    def engine(self, connections: int, seconds: int) -> sa.Engine:
        """An engine that connects when it is needed. What fails later says so in a sentence, a
        `StoreError`."""
        made = sa.create_engine(
            self.url, connect_args=self.arguments(seconds), pool_size=connections, max_overflow=0,
            pool_timeout=QUESTION_SECONDS,
        )  # fmt: skip
        made.dialect.statement_compiler = Compiler
        made.dialect.supports_simple_order_by_label = False

        @sa.event.listens_for(made, "handle_error")
        def tell(context: Any) -> None:
            cause = context.original_exception
            if isinstance(cause, dbapi.Error | OSError):
                raise StoreError(sentence(self.url, cause)) from cause

        return made


@contextmanager
def sentences(url: URL) -> Iterator[None]:
    """A failure of the database as one sentence without the password, a `StoreError`."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        raise StoreError(sentence(url, error.orig)) from error
    except (dbapi.Error, OSError) as error:
        raise StoreError(sentence(url, error)) from error


def sentence(url: URL, error: BaseException | None) -> str:
    """What went wrong there."""
    code, place = getattr(error, "code", None), f"{url.host or CHDB}:{url.port or PORT}"
    said = str(error).split("\n", 1)[0][:200]
    if code is None:
        return UNREACHABLE.format(place, said)
    advice = ADVICE.get(code)
    return advice.format(url.database, place) if advice else UNUSABLE.format(place, said)
