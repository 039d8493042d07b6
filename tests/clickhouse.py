"""ClickHouse's own engine for tests, in this process (chDB): a folder of its own, thrown away.

A process has one such folder at most; stores have databases in it. `over_http` is a small server
before it, so that ClickHouse's own client speaks as it does to a real one.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import clickhouse_connect
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError
from sqlalchemy.engine import make_url

from data.engines.clickhouse.schema import SCHEMA, TABLES

NUMBERS: Final = count(1)


@dataclass(frozen=True)
class ClickHouse:
    """A folder with databases."""

    path: Path

    def client(self, database: str | None = None) -> Client:
        """Who may do anything in it."""
        return clickhouse_connect.get_client(
            interface="chdb", path=str(self.path), database=database
        )

    def make(self) -> str:
        """The address of a new database."""
        name = f"events_{next(NUMBERS)}"
        with closing(self.client()) as client:
            client.command(f"CREATE DATABASE {name}")
        return f"clickhousedb:///{name}?interface=chdb&path={self.path}"

    def empty(self, url: str) -> None:
        """Take everything out of a store that is closed."""
        with closing(self.client(url.partition("?")[0].rpartition("/")[2])) as client:
            for table in TABLES:
                if table is not SCHEMA:
                    client.command(f"TRUNCATE TABLE {table.name}")


@pytest.fixture(scope="session")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouse]:
    made = ClickHouse(tmp_path_factory.mktemp("clickhouse"))
    with closing(made.client()):  # the engine stays as long as somebody is connected
        yield made


class _Request(BaseHTTPRequestHandler):
    """ClickHouse's HTTP interface, as far as its client uses it."""

    protocol_version = "HTTP/1.1"
    path_of_data: Path

    def do_POST(self) -> None:  # as the library has it
        given = dict(parse_qsl(urlsplit(self.path).query))
        body = b"".join(self._parts())
        settings = {name: value for name, value in given.items() if name not in APART}
        try:
            with closing(ClickHouse(self.path_of_data).client(given.get("database"))) as client:
                self._answer(200, _done(client, given.get("query"), body, settings))
        except DatabaseError as error:
            self._answer(500, str(error).encode(), {"X-ClickHouse-Exception-Code": str(error.code)})

    def _parts(self) -> Iterator[bytes]:
        """The body, which comes in chunks where its length is not known."""
        if length := self.headers["Content-Length"]:
            yield self.rfile.read(int(length))
            return
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


APART: Final = ("database", "query", "wait_end_of_query", "compress", "client_protocol_version")
INSERT: Final = re.compile(r"INSERT INTO (\S+) \((.*?)\) FORMAT Native", re.DOTALL)


def _done(client: Client, query: str | None, body: bytes, settings: dict[str, str]) -> bytes:
    """What a statement answers; rows that are inserted are the body, after their statement."""
    said = query.encode() if query else body
    if query is None and (head := re.match(rb"INSERT INTO \S+ \(.*?\) FORMAT Native\n", body)):
        said, body = head.group(), body[head.end() :]
    if found := INSERT.match(said.decode()):
        table, columns = found.groups()
        names = [name.strip(" `") for name in columns.split(",")]
        client.raw_insert(table, names, body, settings, "Native")
        return b""
    return client.raw_query(said.decode(), settings=settings)


@pytest.fixture
def over_http(clickhouse: ClickHouse) -> Iterator[str]:
    """The address of a new database of a server, for ClickHouse's own client."""
    name = make_url(clickhouse.make()).database
    handler = type("Request", (_Request,), {"path_of_data": clickhouse.path})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        place = f"127.0.0.1:{server.server_port}"
        yield f"clickhousedb://ana:geheim@{place}/{name}?compress=false"
        server.shutdown()
