"""Spendscope itself, over HTTP: the API of a server of its own on DuckDB."""

from __future__ import annotations

import json
from datetime import timedelta
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode

from callbacks.commands.accounts import token
from data.settings import Settings
from tests.bench.peers.questions import END, START, TOP, Answer
from tests.bench.serving import send


class Ours:
    """Each question is a new one, its end a second later than the last one's: no answer that is
    kept says it. With `again` it is the same one."""

    def __init__(self, port: int, *, again: bool = False) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=120)
        self._bearer, self._again = token(Settings.read(), "boss", admin=True), again
        self._asked = 0

    def close(self) -> None:
        self._connection.close()

    def ask(self, question: str) -> Answer:
        by = "time" if question == "day" else question
        more: dict[str, Any] = {"order": "-cost", "limit": TOP}
        rows = self._rows(by, {"grain": "day"} if by == "time" else more)
        return {str(row[by])[: 10 if by == "time" else None]: row["cost"] or 0.0 for row in rows}

    def _rows(self, by: str, more: dict[str, Any]) -> list[dict[str, Any]]:
        self._asked += not self._again
        end = END + timedelta(seconds=self._asked)
        window = {"preset": "custom", "from": START.isoformat(), "to": end.isoformat()}
        said = urlencode({"metrics": "cost", "by": by, **window, **more})
        answer = send(self._connection, "GET", f"/api/v1/query?{said}", None, self._bearer)
        rows: list[dict[str, Any]] = json.loads(answer)["rows"]
        return rows
