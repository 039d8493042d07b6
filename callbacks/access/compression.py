"""Answers compressed for clients that accept it: code files with Brotli or gzip, JSON with gzip.

A code file is compressed once and kept. Plotly alone is 1 MB: it lies in `assets/` as small as it
gets, which is a tenth less and takes seconds (docs/plotly/). What is made for one request is
compressed fast: 258 kB of a callback's JSON become 30 kB in a few milliseconds.
Pages are left as they are: they hold a CSRF token beside words of the request, and how well such
a page compresses tells what the token is (BREACH). Streams are left too, as are files to download.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Final

import brotli
from flask import Flask, Response, request

ASSETS: Final = Path(__file__).resolve().parents[2] / "assets"
CODE: Final = ("/assets/", "/_dash-component-suites/")
JSON: Final = "application/json"
SMALLEST: Final = 1_400  # what one network packet carries anyway
MOST_FILES: Final = 256
GOOD: Final = 9  # Brotli's best takes ten times as long, for a tenth less
FAST: Final = 3
# The one that packs best first.
ENCODERS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "br": lambda content: bytes(brotli.compress(content, quality=GOOD)),
    "gzip": lambda content: gzip.compress(content, GOOD, mtime=0),
}


def attach(server: Flask) -> None:
    """Compress what this server answers, where that pays."""
    compressed: dict[str, bytes] = {}

    @server.after_request
    def compress(answer: Response) -> Response:
        code = request.path.startswith(CODE)
        if not code and (answer.mimetype != JSON or answer.is_streamed):
            return answer
        answer.vary.add("Accept-Encoding")
        if not answer.content_encoding:
            _compress_file(answer, compressed) if code else _compress_json(answer)
        return answer


def _compress_json(answer: Response) -> None:
    if request.accept_encodings["gzip"] and len(content := answer.get_data()) >= SMALLEST:
        _replace(answer, gzip.compress(content, FAST, mtime=0), "gzip")


def _compress_file(answer: Response, compressed: dict[str, bytes]) -> None:
    encoding = next((name for name in ENCODERS if request.accept_encodings[name]), None)
    if encoding is None or answer.status_code != 200:  # a part of a file, or none
        return
    key = f"{encoding} {request.full_path}{answer.headers.get('ETag')}"
    if key not in compressed:
        answer.direct_passthrough = False
        content = answer.get_data()
        if len(content) < SMALLEST or len(compressed) >= MOST_FILES:
            return
        compressed[key] = _beside_it(encoding) or ENCODERS[encoding](content)
    _replace(answer, compressed[key], encoding)


def _beside_it(encoding: str) -> bytes:
    """What lies compressed beside the file that is asked for; nothing, as a rule."""
    folder, _, name = request.path.rpartition("/")
    path = ASSETS / f"{name}.{encoding}"
    return path.read_bytes() if folder == "/assets" and path.is_file() else b""


def _replace(answer: Response, compressed: bytes, encoding: str) -> None:
    answer.call_on_close(
        getattr(answer.response, "close", lambda: None)
    )  # the file's, if it is one
    answer.direct_passthrough = False
    answer.set_data(compressed)
    answer.content_encoding = encoding
