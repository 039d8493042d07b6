"""What is compressed, for whom, and what is left as it is."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import brotli
import pytest
from flask import Flask, Response, jsonify
from werkzeug.test import TestResponse

from callbacks.access import compression
from components import ids
from tests.serving import ADMIN, Served, serving

GZIP = {"Accept-Encoding": "gzip, deflate, br"}
UNPACK = {"br": brotli.decompress, "gzip": gzip.decompress}
TABLE = "sections/models"
JSON_PATHS = ("/_dash-layout", "/_dash-dependencies", "/api/v1/catalog", f"/api/v1/{TABLE}")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("compression")) as one:
        one.load({"event_id": f"e{n}", "ts": "2026-11-20T10:00:00Z", "user": f"user {n % 40}",
                  "model": f"model {n % 40}", "cost_nano": n} for n in range(200))  # fmt: skip
        yield one


def get(served: Served, path: str, **headers: str) -> TestResponse:
    return served.client.get(path, headers=served.headers(ADMIN) | headers, buffered=True)


def encoding(answer: TestResponse) -> str | None:
    return answer.headers.get("Content-Encoding")


@pytest.mark.parametrize("path", JSON_PATHS)
def test_json_is_compressed_for_who_accepts_it(served: Served, path: str) -> None:
    plain, packed = get(served, path), get(served, path, **GZIP)
    assert plain.status_code == packed.status_code == 200
    assert encoding(plain) is None
    assert packed.content_encoding == "gzip"
    assert int(packed.headers["Content-Length"]) == len(packed.data) < len(plain.data) / 2
    assert json.loads(gzip.decompress(packed.data)) == plain.json


@pytest.mark.parametrize("path", JSON_PATHS)
def test_caches_are_told_that_it_varies_and_not_to_store_it(served: Served, path: str) -> None:
    for headers in ({}, GZIP):
        answer = get(served, path, **headers)
        assert "Accept-Encoding" in answer.vary
        assert answer.headers["Cache-Control"] == "no-store"


def test_an_answer_of_a_callback_is_compressed(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = page_opened(served)
    monkeypatch.setitem(served.client.environ_base, "HTTP_ACCEPT_ENCODING", "gzip")
    packed = page_opened(served)
    assert (plain.status_code, encoding(plain)) == (200, None)
    assert (packed.status_code, encoding(packed)) == (200, "gzip")
    assert len(packed.data) < len(plain.data) / 2
    assert json.loads(gzip.decompress(packed.data)) == plain.json


def page_opened(served: Served) -> TestResponse:
    address = {f"{ids.URL}.pathname": "/settings/analytics/overview"}
    return served.fire(f"{ids.BODY}.children", ADMIN, address, f"{ids.URL}.pathname")


@pytest.mark.parametrize("accepted", ["", "identity", "br", "gzip;q=0", "*;q=0"])
def test_nobody_gets_gzip_who_does_not_accept_it(served: Served, accepted: str) -> None:
    answer = get(served, "/_dash-layout", **{"Accept-Encoding": accepted})
    assert encoding(answer) is None
    assert answer.json


def test_streams_and_files_are_left_as_they_are(served: Served) -> None:
    for path in ("/api/v1/events.csv", f"/api/v1/{TABLE}.csv", f"/api/v1/{TABLE}.xlsx"):
        answer = get(served, path, **GZIP)
        assert (answer.status_code, encoding(answer)) == (200, None)
        assert answer.data


def test_pages_with_a_token_are_not_compressed(served: Served) -> None:
    answer = served.client.get("/sign-in", headers=GZIP)
    assert b"csrf" in answer.data
    assert encoding(answer) is None


def test_a_small_answer_is_not_worth_it(served: Served) -> None:
    answer = get(served, "/healthz", **GZIP)
    assert encoding(answer) is None
    assert "Accept-Encoding" in answer.vary


@pytest.mark.parametrize(
    ("accepted", "sent"), [("gzip, deflate, br", "br"), ("gzip", "gzip"), ("br;q=0, gzip", "gzip")]
)
def test_a_code_file_is_compressed_and_found_unchanged(
    served: Served, accepted: str, sent: str
) -> None:
    accept = {"Accept-Encoding": accepted}
    first = get(served, "/assets/theme.css", **accept)
    assert encoding(first) == sent
    assert UNPACK[sent](first.data) == get(served, "/assets/theme.css").data
    assert get(served, "/assets/theme.css", **accept).data == first.data
    same = get(served, "/assets/theme.css", **accept, **{"If-None-Match": first.headers["ETag"]})
    assert (same.status_code, same.data, encoding(same)) == (304, b"", None)
    assert "Accept-Encoding" in same.vary


def test_what_lies_compressed_beside_a_file_is_sent(served: Served) -> None:
    ready = (Path(__file__).parents[2] / "assets" / "plotly.min.js.br").read_bytes()
    assert get(served, "/assets/plotly.min.js", **{"Accept-Encoding": "br"}).data == ready
    zipped = get(served, "/assets/plotly.min.js", **{"Accept-Encoding": "gzip"})
    assert UNPACK["gzip"](zipped.data) == UNPACK["br"](ready)


def test_what_is_compressed_or_streamed_already_is_sent_on() -> None:
    server = Flask("server", static_folder=None)
    compression.attach(server)
    large = json.dumps(["x"] * 5_000).encode()

    @server.get("/streamed")
    def streamed() -> Response:
        return Response(iter([large[:10], large[10:]]), mimetype="application/json")

    @server.get("/packed")
    def packed() -> Response:
        answer = jsonify()
        answer.set_data(gzip.compress(large))
        answer.content_encoding = "gzip"
        return answer

    client = server.test_client()
    streamed_answer = client.get("/streamed", headers=GZIP)
    assert (encoding(streamed_answer), streamed_answer.data) == (None, large)
    assert gzip.decompress(client.get("/packed", headers=GZIP).data) == large
