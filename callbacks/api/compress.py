"""Our own code files, compressed once and kept: Plotly alone is 1.5 MB a visit otherwise."""

from __future__ import annotations

import gzip
from typing import Final

from flask import Flask, Response, request

CODE: Final = ("/assets/", "/_dash-component-suites/")
LEAST: Final = 1_024
MOST_KEPT: Final = 256


def attach(server: Flask) -> None:
    """Answer code files with gzip to who takes it."""
    kept: dict[str, bytes] = {}

    @server.after_request
    def shrink(answer: Response) -> Response:
        code = request.path.startswith(CODE) and answer.status_code == 200
        if not code or not request.accept_encodings["gzip"] or answer.content_encoding:
            return answer
        key = request.full_path + str(answer.headers.get("ETag"))
        if key not in kept:
            answer.direct_passthrough = False
            content = answer.get_data()
            if len(content) < LEAST or len(kept) >= MOST_KEPT:
                return answer
            kept[key] = gzip.compress(content, 9, mtime=0)
        answer.direct_passthrough = False
        answer.set_data(kept[key])
        answer.content_encoding = "gzip"
        answer.vary.add("Accept-Encoding")
        return answer
