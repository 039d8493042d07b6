"""Settings → Data → Connect: what its cards say to set is what the product takes, and the line that
waits says what came."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import threading
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from werkzeug.serving import make_server

from callbacks.commands.main import parser
from components.settings.connections import ADDRESS, CONNECTIONS, KEY, connection
from data.events.table import FIELDS
from data.sources import formats
from tests.resources import body, link
from tests.serving import ADMIN, Served, serving_with
from tests.sources.test_otlp_logs import COMPLETED, REQUEST, log

SITE: Final = "http://spendscope.test:8050"
SENDING: Final = [one for one in CONNECTIONS if one.sends]
CODES: Final = [
    pytest.param(each.code, id=f"{one.key}-{place}")
    for one in CONNECTIONS
    for place, each in enumerate(one.steps)
    if each.code and each.language == "sh"
]
CURL: Final = '#!/bin/sh\nprintf "%s\\n" "$@" CALL >> "$CALLS"\n'
GEMINI: Final = {
    "event.name": "gemini_cli.api_response", "event.timestamp": "2026-11-20T10:00:00Z",
    "session.id": "s", "model": "gemini-2.5-pro", "input_token_count": 10,
    "output_token_count": 5, "duration_ms": 900,
}  # fmt: skip
CALLBACK: Final = {
    "id": "c1", "call_type": "acompletion", "startTime": 1_795_000_000.0,
    "endTime": 1_795_000_001.0, "model": "gpt-4o", "status": "success", "metadata": {},
    "prompt_tokens": 3, "completion_tokens": 4,
}  # fmt: skip
served = serving_with([])


def lines(key: str, step: int, secret: str = "", site: str = SITE) -> str:
    """The lines of a step, as the card shows them."""
    return connection(key).steps[step].code.replace(ADDRESS, site).replace(KEY, secret)


def made(served: Served, key: str, **bound: str) -> tuple[int, str]:
    """The number and the secret of a key as the card makes it."""
    one = connection(key)
    answer = served.ask("post", "ingest-keys", json={"name": key, "source": one.source} | bound)
    return answer.json["id"], answer.json["key"]


def heard(served: Served, name: str, /, **asked: int) -> Any:
    return served.json(f"connections/{name}", **asked)


def logs(attributes: Mapping[str, Any], text: str | None = None) -> dict[str, Any]:
    return {"resourceLogs": [{"scopeLogs": [{"logRecords": [log(dict(attributes), text)]}]}]}


def post(served: Served, url: str, headers: Mapping[str, str], content: Any) -> None:
    assert url.startswith(f"{SITE}/"), url
    place = urlsplit(url)
    answer = served.client.post(f"{place.path}?{place.query}", json=content, headers=dict(headers))
    assert answer.status_code == 200, answer.text


def in_header(variable: str) -> dict[str, str]:
    """What an exporter makes of `OTEL_EXPORTER_OTLP_HEADERS`."""
    name, _, value = variable.partition("=")
    return {name: unquote(value)}


# What the lines do


@contextmanager
def listening(served: Served) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, served.app.server)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_real_exporter_sends_with_the_variables_alone(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, secret = made(served, "opentelemetry")
    with listening(served) as site:
        for step in (0, 1):
            for line in lines("opentelemetry", step, secret, site).splitlines():
                name, _, value = shlex.split(line.removeprefix("export "))[0].partition("=")
                monkeypatch.setenv(name, value)
        tracing = TracerProvider()
        tracing.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter()))
        told: dict[str, str | int] = {
            "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o",
            "gen_ai.provider.name": "openai", "gen_ai.usage.input_tokens": 12,
        }  # fmt: skip
        tracing.get_tracer("shop").start_span("chat gpt-4o", attributes=told).end()
        tracing.shutdown()
    assert heard(served, "opentelemetry", key=number)["text"].startswith(
        "Received 1 event · gpt-4o · 12 tokens · <$0.01"
    )
    with served.store.sql.connect() as opened:
        rows = opened.exec_driver_sql("SELECT source, project FROM events").all()
    assert [tuple(row) for row in rows] == [("otlp", "PROJECT")]


def test_claude_code_and_codex_and_gemini_are_set_to_where_they_are_read(served: Served) -> None:
    _, secret = made(served, "claude-code")
    env = json.loads(lines("claude-code", 0, secret))["env"]
    assert (env["CLAUDE_CODE_ENABLE_TELEMETRY"], env["OTEL_LOGS_EXPORTER"]) == ("1", "otlp")
    where = f"{env['OTEL_EXPORTER_OTLP_ENDPOINT']}/v1/logs"
    headers = in_header(env["OTEL_EXPORTER_OTLP_HEADERS"])
    post(served, where, headers, logs(REQUEST, "claude_code.api_request"))
    _, secret = made(served, "codex")
    told = tomllib.loads(lines("codex", 0, secret))["otel"]["exporter"]["otlp-http"]
    assert told["protocol"] == "binary"
    post(served, told["endpoint"], told["headers"], logs(COMPLETED))
    _, secret = made(served, "gemini-cli")
    asked = json.loads(lines("gemini-cli", 0))["telemetry"]
    assert (asked["enabled"], asked["otlpProtocol"], asked["logPrompts"]) == (True, "http", False)
    variable = lines("gemini-cli", 1, secret).removeprefix("OTEL_EXPORTER_OTLP_HEADERS=")
    post(served, f"{asked['otlpEndpoint']}/v1/logs", in_header(variable), logs(GEMINI))
    rows = served.json("query", metrics="requests", by="source,model", preset="custom",
                       from_="2020-01-01", to="2030-01-01")["rows"]  # fmt: skip
    assert {(row["source"], row["model"]) for row in rows} == {
        ("claude_code", REQUEST["model"]), ("codex", "gpt-5-codex"),
        ("gemini_cli", "gemini-2.5-pro"),
    }  # fmt: skip


def test_the_callback_of_litellm_posts_to_where_it_is_read(served: Served) -> None:
    number, secret = made(served, "litellm-callback")
    told = lines("litellm-callback", 0, secret)
    endpoint, name, value = re.search(  # type: ignore[union-attr]
        r"endpoint: (\S+)\n    headers: \{(\w+): (.*)\}$", told
    ).groups()
    post(served, endpoint, {name: value}, [CALLBACK])
    assert heard(served, "litellm-callback", key=number)["text"].startswith(
        "Received 1 event · gpt-4o · 7 tokens"
    )


@pytest.mark.parametrize("code", CODES)
def test_lines_for_a_shell_run_and_name_options_that_there_are(code: str, tmp_path: Path) -> None:
    """Commands of vendors are noted instead of run; each of ours is one the parser takes."""
    for name in ("curl", "aws", "pip", "systemctl", "spendscope", "opentelemetry-instrument"):
        (tmp_path / name).write_text(CURL)
        (tmp_path / name).chmod(0o755)
    noted = tmp_path / "calls"
    environ = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "CALLS": str(noted)}
    told = code.replace(ADDRESS, SITE).replace(KEY, "ssk_x")
    subprocess.run(["sh", "-ec", told], env=environ, cwd=tmp_path, check=True)
    for line in told.splitlines():
        words = shlex.split(line) if "spendscope " in line else []
        while words and words[0] != "spendscope":
            words.pop(0)
        assert not words or parser().parse_args(words[1:])
    if "curl" in code:
        _is_a_request(noted.read_text())


def _is_a_request(calls: str) -> None:
    for call in calls.split("CALL\n")[:-1]:
        words = call.splitlines()
        assert [one for one in words if one.startswith("https://")], words
        assert not [one for one in words if "$" in one], words


def test_the_reports_of_vendors_are_asked_for_as_they_want(tmp_path: Path) -> None:
    for key, wanted in (
        ("openai", ("organization/usage/completions", "organization/costs", "group_by=line_item",
                    "group_by=user_id", "bucket_width=1d")),
        ("anthropic", ("usage_report/messages", "cost_report", "group_by[]=description",
                       "group_by[]=service_tier", "anthropic-version: 2023-06-01")),
    ):  # fmt: skip
        (tmp_path / "curl").write_text(CURL)
        (tmp_path / "curl").chmod(0o755)
        noted = tmp_path / key
        environ = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "CALLS": str(noted)}
        subprocess.run(["sh", "-ec", lines(key, 0)], env=environ, cwd=tmp_path, check=True)
        assert all(one in noted.read_text() for one in wanted), noted.read_text()


# What the cards say


def test_the_cards_are_declared_well(served: Served) -> None:
    assert len({one.key for one in CONNECTIONS}) == len(CONNECTIONS) >= 15
    for one in CONNECTIONS:
        assert one.sends == any(KEY in each.code for each in one.steps), one.key
        assert not (one.sends and (one.formats or one.sender)), one.key
        assert set(one.formats) <= {*formats(), "litellm-database"}, one.key
    named = re.search(r'--map "(.*)"', lines("file", 2))
    assert named
    assert {part.partition("=")[0] for part in named[1].split(",")} <= {*FIELDS, "cost"}


def test_the_page_has_them_with_this_servers_address(served: Served) -> None:
    page = body(served, "data", ADMIN).replace("\\u002f", "/")
    assert all(f'"data-testid":"connect-{one.key}"' in page for one in CONNECTIONS)
    assert '"http://localhost"' in page
    assert "connect-demo" not in page
    served.load([event("1", source="sample")])
    page = body(served, "data", ADMIN)
    assert "This is a demo with sample data" in page
    assert "spendscope account add NAME --admin" in page
    assert ADDRESS not in page
    assert KEY not in page


# What the line says


def event(number: str, **more: Any) -> dict[str, Any]:
    return {"event_id": number, "ts": "2026-11-20T10:00:00Z", "kind": "llm", "provider": "openai",
            "model": "gpt-4o", "input_tokens": 1_000, "output_tokens": 200} | more  # fmt: skip


def send(served: Served, secret: str, *events: Any) -> None:
    headers = {"Authorization": f"Bearer {secret}"}
    assert served.client.post("/api/v1/events", json=events, headers=headers).status_code == 200


def test_a_key_is_waited_for_and_what_it_brought_is_said(served: Served) -> None:
    number, secret = made(served, "team")
    assert heard(served, "team", key=number)["state"] == "waiting"
    send(served, secret, {"event_id": "x", "kind": "llm"})
    told = heard(served, "team", key=number)
    assert (told["state"], told["more"]) == ("nothing", ["body:1: ts is missing"])
    assert told["text"] == "Something came, and all of it was rejected (1):"
    send(served, secret, event("a"), event("b", model="gpt-4o-mini"), event("c", model="ours"))
    send(served, secret, event("a"))
    told = heard(served, "team", key=number)
    assert told["state"] == "received"
    assert told["text"].startswith("Received 4 events (1 were there already) · ")
    assert {"gpt-4o", "gpt-4o-mini", "ours"} <= set(re.findall(r"[\w.-]+", told["text"]))
    assert told["text"].endswith(" · 3,600 tokens · <$0.01")
    assert told["more"] == [
        "Nothing that may hold tokens or money was left unread.",
        "Without a price: 1 (see Settings → Prices).", "Rejected: 1.", "body:1: ts is missing",
    ]  # fmt: skip


def test_columns_that_nobody_reads_are_named(served: Served) -> None:
    number, secret = made(served, "litellm-callback")
    headers = {"Authorization": f"Bearer {secret}"}
    path = f"{SITE}/api/v1/events?format=litellm-callback"
    post(served, path, headers, [CALLBACK | {"thinking_tokens_spent": 7}])
    more = heard(served, "litellm-callback", key=number)["more"]
    assert "thinking_tokens_spent" in more[0]


def upload(served: Served, name: str, content: bytes) -> None:
    """A file, looked at, imported and in the log."""
    number = served.ask("post", f"imports?name={name}", data=content).json["id"]
    while (told := served.json(f"imports/{number}"))["state"] == "looking":
        pass
    assert told["state"] == "ready", told
    served.ask("post", f"imports/{number}")
    while name not in [one["what"] for one in served.json("imports")["imports"]]:
        pass


def test_an_import_is_waited_for_from_when_the_card_is_opened(served: Served) -> None:
    first = json.dumps(event("1")).encode()
    upload(served, "before.jsonl", first)
    opened = heard(served, "file")
    assert (opened["state"], opened["after"]) == ("waiting", 1)
    cursor = heard(served, "cursor")["after"]
    upload(served, "now.jsonl", json.dumps(event("2")).encode())
    told = heard(served, "file", after=opened["after"])
    assert (told["state"], told["after"]) == ("received", opened["after"])
    assert told["text"].startswith("Received 1 event · gpt-4o · 1,200 tokens")
    assert heard(served, "cursor", after=cursor)["state"] == "waiting"


def test_who_may_not_ask_is_told_nothing(served: Served) -> None:
    for claims in ({"sub": "ana"}, {"sub": "lena", "applications_admin": "web"}):
        assert served.get("connections/file", claims).status_code == 403
        assert link(served, "data", claims)
    assert served.get("connections/teapot").status_code == 404
    assert served.get("connections/team", key=77).status_code == 404
    assert served.get("connections/file", after="x").status_code == 400
    assert served.get("connections/file", before=1).status_code == 400


# Where nothing is yet


def test_an_empty_dashboard_leads_there_or_says_whom_to_ask(served: Served) -> None:
    account = {"user": "root@here", "name": "Rosa", "email": "rosa@here.test", "isAdmin": True}
    assert served.ask("post", "accounts", json=account).status_code == 201
    page = body(served, "analytics", ADMIN).replace("\\u002f", "/")
    assert '"href":"/settings/data"' in page
    assert "section-cost" not in page
    page = body(served, "analytics", {"sub": "ana"}).replace("\\u002f", "/")
    assert "ask Rosa (rosa@here.test) to connect what you use" in page
    assert "/settings/data" not in page
    send(served, made(served, "team")[1], event("a", user="ana"))
    for claims in (ADMIN, {"sub": "ana"}):
        assert '"data-testid":"welcome"' not in body(served, "analytics", claims)
    assert '"data-testid":"welcome"' in body(served, "analytics", {"sub": "bob"})


def test_nobody_is_named_who_cannot_be_asked(served: Served) -> None:
    assert "ask an administrator of this platform" in body(served, "analytics", {"sub": "ana"})
    for name, admin in (("a", True), ("b", False)):
        served.ask("post", "accounts", json={"user": name, "name": name, "isAdmin": admin})
    served.ask("post", "accounts/disable", json={"user": "a"})
    assert "ask an administrator of this platform" in body(served, "analytics", {"sub": "ana"})
