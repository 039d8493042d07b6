"""The page's styles and scripts, each as one file: fifty small ones took longer to ask for than to
send."""

from __future__ import annotations

from functools import partial
from typing import Final

from flask import Flask, Response, request

from components.page import code

MIMETYPES: Final = {"css": "text/css", "js": "text/javascript"}


def attach(server: Flask) -> None:
    """A route each."""
    for suffix in code.BUNDLES:
        path = code.bundle_path(suffix)
        server.add_url_rule(path, f"bundle_{suffix}", partial(_bundle, suffix))


def _bundle(suffix: str) -> Response:
    answer = Response(code.bundle(suffix), mimetype=MIMETYPES[suffix])
    answer.add_etag()
    answer.make_conditional(request)
    return answer
