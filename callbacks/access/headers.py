"""What every answer tells the browser: what may run, what may be kept, which cookies it holds."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from typing import Final

from flask import Flask, Response, g, request
from flask.sessions import SecureCookieSessionInterface
from flask_login import current_user
from flask_wtf.csrf import generate_csrf

from callbacks.access.session import bearer
from callbacks.access.site import THIS_HOST, is_secure

LIFETIME: Final = timedelta(hours=12)
# The cookie Dash reads by itself and sends back as X-CSRFToken.
CSRF_COOKIE: Final = "_csrf_token"
TLS_ALONE: Final = "max-age=31536000"
CODE: Final = ("/assets/", "/_dash-component-suites/")
FOREVER: Final = "public, max-age=31536000, immutable"
POLICY: Final = (
    "default-src 'self'; script-src 'self' {scripts}; style-src 'self'{styles};"
    " style-src-attr 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:;"
    " connect-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self';"
    " frame-ancestors 'none'"
)
HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Cookies(SecureCookieSessionInterface):
    """Flask's signed session; under TLS its cookie never travels without it, and by its name no
    other host can have set it."""

    def get_cookie_name(self, app: Flask) -> str:
        name = super().get_cookie_name(app)
        return f"{THIS_HOST}{name}" if is_secure() else name

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002
        return is_secure()


def harden(server: Flask, script_hashes: Callable[[], list[str]]) -> None:
    """Safe cookies and headers. The hashes are asked for once, at the first answer."""
    server.session_interface = Cookies()
    server.config.update(
        SESSION_COOKIE_NAME="spendscope",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        # Not renewed by use: 12 hours after signing in it is over.
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=LIFETIME,
        REMEMBER_COOKIE_NAME="spendscope_remember",
    )
    hashes = cache(lambda: " ".join(script_hashes()))
    server.after_request(lambda answer: _add_headers(answer, _policy(hashes())))


def style_nonce() -> str:
    """What the styles of the page that is answered now carry, and no other's: those which its
    libraries make (assets/arrival.js). Styles that somebody wrote into it are not applied."""
    if "style_nonce" not in g:
        g.style_nonce = secrets.token_urlsafe(16)
    nonce: str = g.style_nonce
    return nonce


def _policy(scripts: str) -> str:
    styles = f" 'nonce-{g.style_nonce}'" if "style_nonce" in g else ""
    return POLICY.format(scripts=scripts, styles=styles).replace(" ;", ";")


def _add_headers(answer: Response, policy: str) -> Response:
    answer.headers.update(HEADERS)
    answer.headers["Content-Security-Policy"] = policy
    if is_secure():
        answer.headers["Strict-Transport-Security"] = TLS_ALONE
    if not request.path.startswith(CODE):
        answer.headers.setdefault("Cache-Control", "no-store")
    elif "m" in request.args and answer.status_code == 200:
        # The address has the file's time of change in it.
        answer.headers["Cache-Control"] = FOREVER
    if answer.mimetype == "text/html" and answer.status_code == 200:
        _set_csrf_cookie(answer)
    return answer


def _set_csrf_cookie(answer: Response) -> None:
    if bearer(request) is not None or not current_user.is_authenticated:
        return
    answer.set_cookie(
        CSRF_COOKIE,
        generate_csrf(),
        max_age=LIFETIME,
        secure=is_secure(),
        httponly=False,
        samesite="Lax",
    )
