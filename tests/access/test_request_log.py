"""A request has one id: in its answer, in what the answer says of an error, and in the log."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from callbacks.access.log import Json, Text
from data.errors import SettingsError
from data.settings import Settings
from tests.serving import ADMIN, Served, serving

HEADER: Final = "X-Request-ID"


def told(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [one.__dict__["fields"] for one in caplog.records if one.name == "spendscope.requests"]


def record(message: str, *args: Any, **more: Any) -> logging.LogRecord:
    return logging.LogRecord("spendscope", logging.INFO, "x.py", 1, message, args, None, **more)


def test_each_answer_has_an_id_of_its_own(served: Served) -> None:
    paths = ("/healthz", "/sign-in", "/nowhere", "/api/v1/query", "/readyz", "/_favicon.ico")
    found = [served.client.get(path).headers[HEADER] for path in paths]
    assert len(set(found)) == len(paths)


def test_an_error_says_the_id_of_its_answer(served: Served) -> None:
    for path, claims in (("query?metrics=x", ADMIN), ("nowhere", ADMIN), ("audit", {"sub": "x"})):
        answer = served.client.get(f"/api/v1/{path}", headers=served.headers(claims))
        assert answer.json
        assert answer.json["error"]["request"] == answer.headers[HEADER]


def test_a_stranger_cannot_choose_the_id(served: Served) -> None:
    sent = {HEADER: "ffffffffffff"}
    assert served.client.get("/healthz", headers=sent).headers[HEADER] != sent[HEADER]


@pytest.mark.parametrize(("given", "kept"), [
    ("4f1c9a-proxy.7", True), ("x", False), ("a" * 65, False), ("12345678\u00e9", False),
    ("12345678 x", False),
])  # fmt: skip
def test_a_proxy_that_is_trusted_can(tmp_path: Path, given: str, kept: bool) -> None:
    with serving(tmp_path, TRUSTED_PROXIES="127.0.0.1") as behind:
        answer = behind.client.get("/healthz", headers={HEADER: given})
        assert (answer.headers[HEADER] == given) is kept


def test_a_bug_is_in_the_log_under_the_id_that_its_reader_is_told(
    served: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError

    lines: list[str] = []
    handler = logging.Handler()
    monkeypatch.setattr(handler, "emit", lambda one: lines.append(Json().format(one)))
    monkeypatch.setattr("callbacks.api.analytics.run_compared", broken)
    logging.getLogger("spendscope").addHandler(handler)
    try:
        answer = served.get("query", metrics="cost")
    finally:
        logging.getLogger("spendscope").removeHandler(handler)
    assert answer.status_code == 500
    assert answer.headers[HEADER] in answer.json["error"]["message"]  # type: ignore[index]
    failed = next(json.loads(one) for one in lines if "ZeroDivisionError" in one)
    assert (failed["request"], failed["level"]) == (answer.headers[HEADER], "error")
    assert "Traceback" in failed["trace"]


def test_a_line_a_request_without_what_was_asked_for(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        served.get("query", metrics="cost", user="ana@x.org")
        served.get("accounts", user="ana@x.org")
        served.client.get("/setup?token=ana@x.org")
        served.client.get("/settings/analytics/ana@x.org")
        served.client.get("/ana@x.org")
        served.client.get("/healthz")
    assert "ana@x.org" not in caplog.text
    lines = told(caplog)
    first = {"method": "GET", "route": "/api/v1/query", "status": 200}
    assert lines[0] == first | {"ms": lines[0]["ms"]}
    assert [one["status"] for one in lines] == [200, 400, 401, 302, 302]


def test_what_somebody_sent_makes_no_line_of_its_own() -> None:
    forged = record("no file: %s", "a\n2026-11-20T12:00:00.000Z ERROR x \x1b[2J\u2028b")
    for formatter in (Text(), Json()):
        assert len(formatter.format(forged).splitlines()) == 1
        assert "\x1b" not in formatter.format(forged)


def test_both_forms_say_the_same() -> None:
    try:
        raise ZeroDivisionError
    except ZeroDivisionError:
        failed = logging.LogRecord(
            "spendscope", logging.ERROR, "x.py", 1, "it broke", (), sys.exc_info()
        )
    failed.created = 1_795_176_000.25
    first, *trace = Text().format(failed).splitlines()
    assert first == "2026-11-20T12:00:00.250Z ERROR spendscope it broke"
    assert json.loads(Json().format(failed)) == {
        "at": "2026-11-20T12:00:00.250Z", "level": "error", "logger": "spendscope",
        "message": "it broke", "trace": "\n".join(trace),
    }  # fmt: skip


@pytest.mark.parametrize(("name", "value"), [("LOG_FORMAT", "xml"), ("LOG_LEVEL", "loud")])
def test_the_settings_of_the_log_are_checked(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"SPENDSCOPE_{name} is .* or .*, not '{value}'"):
        Settings.read({f"SPENDSCOPE_{name}": value})
