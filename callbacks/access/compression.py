"""Answers compressed with gzip for clients that accept it: code files and JSON.

A code file is compressed once and kept: Plotly alone is 1.5 MB. What is made for one request is
compressed fast: 258 kB of a callback's JSON become 30 kB in a few milliseconds.
Pages are left as they are: they hold a CSRF token beside words of the request, and how well such
a page compresses tells what the token is (BREACH). Streams are left too, as are files to download.
"""

from __future__ import annotations

import gzip
from typing import Final

from flask import Flask, Response, request

CODE: Final = ("/assets/", "/_dash-component-suites/")
JSON: Final = "application/json"
SMALLEST: Final = 1_400  # what one network packet carries anyway
MOST_FILES: Final = 256
BEST: Final = 9
FAST: Final = 3


def attach(server: Flask) -> None:
    """Compress what this server answers, where that pays."""
    compressed: dict[str, bytes] = {}

    @server.after_request
    def compress(answer: Response) -> Response:
        code = request.path.startswith(CODE)
        if not code and (answer.mimetype != JSON or answer.is_streamed):
            return answer
        answer.vary.add("Accept-Encoding")
        if request.accept_encodings["gzip"] and not answer.content_encoding:
            _compress_file(answer, compressed) if code else _compress_json(answer)
        return answer


def _compress_json(answer: Response) -> None:
    content = answer.get_data()
    if len(content) >= SMALLEST:
        _replace(answer, gzip.compress(content, FAST, mtime=0))


def _compress_file(answer: Response, compressed: dict[str, bytes]) -> None:
    if answer.status_code != 200:  # a part of a file, or none
        return
    key = request.full_path + str(answer.headers.get("ETag"))
    if key not in compressed:
        answer.direct_passthrough = False
        content = answer.get_data()
        if len(content) < SMALLEST or len(compressed) >= MOST_FILES:
            return
        compressed[key] = gzip.compress(content, BEST, mtime=0)
    _replace(answer, compressed[key])


def _replace(answer: Response, compressed: bytes) -> None:
    answer.call_on_close(
        getattr(answer.response, "close", lambda: None)
    )  # the file's, if it is one
    answer.direct_passthrough = False
    answer.set_data(compressed)
    answer.content_encoding = "gzip"
