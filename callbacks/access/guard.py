"""The guard in front of every route, our own and Dash's alike: nobody unknown gets further.

It goes by the matched rule, not by the path's spelling. What is not listed here is closed, so
a new route is closed until somebody opens it on purpose.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from flask import Flask, Response, jsonify, redirect, request, session
from flask_login import current_user
from flask_wtf.csrf import CSRFError, CSRFProtect

from callbacks.access import pages
from callbacks.access.browser_session import ID, note_use
from callbacks.access.request_log import request_id
from callbacks.access.session import bearer, by_proxy, provider_away, refusal
from callbacks.access.viewing import of_another_view, refusal_while_viewing
from data.errors import Away, Forbidden, Refused, SpendscopeError, Stranger, TooMany

SIGN_IN: Final = "/sign-in"
SIGN_OUT: Final = "/sign-out"
SETUP: Final = "/setup"
OWN_PASSWORD: Final = "/set-password"  # noqa: S105  # an address
OIDC: Final = "/sign-in/oidc"
OIDC_CALLBACK: Final = "/sign-in/oidc/callback"
OIDC_LOGOUT: Final = "/sign-in/oidc/back-channel-logout"
GITHUB: Final = "/sign-in/github"
GITHUB_CALLBACK: Final = "/sign-in/github/callback"
# Away to an identity provider, and back from it.
PROVIDERS: Final = {"oidc": (OIDC, OIDC_CALLBACK), "github": (GITHUB, GITHUB_CALLBACK)}
FORMS: Final = (SIGN_IN, SETUP, OWN_PASSWORD)
# What the sign-in page tells somebody whose session has ended, once.
NOTE: Final = "note"
API: Final = "/api/v1/"
READS_AND_SENDS: Final = "an API token reads and sends: sign in to change something"
FILES: Final = (".csv", ".xlsx", ".json")
READ: Final = frozenset({"GET", "HEAD"})
POST: Final = frozenset({"POST"})
OF_THIS_SITE: Final = ("same-origin", "none")
OTHER_SITE: Final = "another site sent this: it changes nothing here"
BY_PROXY: Final = "Not signed in"
PUBLIC: Final[dict[str, frozenset[str]]] = {
    "/healthz": READ,
    "/readyz": READ,
    "/favicon.ico": READ,
    "/_favicon.ico": READ,
    # Our stylesheets and scripts: published code, no data, and the sign-in page needs them.
    "/assets/<path:filename>": READ,
    "/assets/bundle.css": READ,
    "/assets/bundle.js": READ,
    SIGN_IN: READ | POST,
    # To the identity provider and back; it shows a signed token of its own for the last.
    OIDC: READ,
    OIDC_CALLBACK: READ,
    OIDC_LOGOUT: POST,
    GITHUB: READ,
    GITHUB_CALLBACK: READ,
    SETUP: READ | POST,
    OWN_PASSWORD: READ | POST,
    # It asks for its key itself, or for a reader who sees the whole platform.
    "/metrics": READ,
    # The receiving endpoints ask for the ingest key themselves.
    "/api/v1/events": POST,
    "/api/v1/store/<verb>": POST,
}
RECEIVING: Final = "/v1/"
NO_PAGES: Final = ("/api/", "/v1/", "/_", "/assets/")
LONGEST_PATH: Final = 2_000
PATH_SAFE: Final = "/:@!$&'()*+,;=~"
CSRF_FAILED: Final = (
    "this form is too old, or was not sent from here: go back, reload and try again"
)


def guard(server: Flask) -> None:
    """Put the guard before everything that is registered later, so before Dash."""
    server.config["WTF_CSRF_CHECK_DEFAULT"] = False
    # A CSRF token lives as long as its session; behind a proxy the referrer is not comparable.
    server.config["WTF_CSRF_TIME_LIMIT"] = None
    server.config["WTF_CSRF_SSL_STRICT"] = False
    csrf = CSRFProtect()
    server.before_request(lambda: check_request(csrf))
    csrf.init_app(server)


def check_request(csrf: CSRFProtect) -> Any:
    """Let this request pass (None), or the answer it gets instead."""
    rule = request.url_rule.rule if request.url_rule else ""
    if is_public(rule, request.method):
        return _check_csrf(csrf) if rule in FORMS else None
    if not current_user.is_authenticated:
        return _cannot_say(away) if (away := provider_away()) else _unauthenticated()
    if bearer(request) is not None:
        return _refuse_other_sites() or _refuse_beyond(current_user.grants, rule)
    note_use()
    if answer := _check_csrf(csrf) or of_another_view():
        return answer
    refused = refusal_while_viewing(rule)
    return error_response(refused) if refused else None


def _refuse_other_sites() -> Any:
    """The answer to what a page of another site would change by a token that it does not know: an
    authenticating proxy adds that to whatever a browser sends (None: it is no such page's).

    Browsers say where a request comes from (https://www.w3.org/TR/fetch-metadata/); scripts need
    not.
    """
    if request.method in READ:
        return None
    site, origin = (request.headers.get(name) for name in ("Sec-Fetch-Site", "Origin"))
    ours = origin is None or urlsplit(origin).netloc == request.host
    if site in OF_THIS_SITE if site else ours:
        return None
    return error_response(Forbidden(OTHER_SITE))


def _refuse_beyond(grants: tuple[str, ...] | None, rule: str) -> Any:
    """The answer to an API token that is used for what it is not for (None: it is)."""
    if grants is None:
        return None
    wanted = "export" if request.path.endswith(FILES) else "read"
    if request.method not in READ or not rule.startswith(API):
        return error_response(Forbidden(READS_AND_SENDS))
    if wanted not in grants:
        return error_response(Forbidden(f"this API token is not for {wanted}: make another"))
    return None


def is_public(rule: str, method: str) -> bool:
    """Whether strangers may use this rule."""
    if rule.startswith(RECEIVING):
        return method in POST
    return method in PUBLIC.get(rule, ())


def error_response(error: SpendscopeError) -> Response:
    """An error as the JSON every door answers with."""
    details = {"code": error.code, "message": str(error), "request": request_id()}
    if isinstance(error, Refused):
        details["parameter"] = error.parameter
    answer = jsonify(error=details)
    answer.status_code = error.status
    if error.status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    answer.headers.update(retry_after(error))
    return answer


def retry_after(error: SpendscopeError) -> dict[str, str]:
    """The header that says when to ask again, where that is known."""
    return {"Retry-After": str(error.seconds)} if isinstance(error, TooMany) else {}


def local_path(text: str | None) -> str:
    """Where to go on after signing in: a path of this site, or its start."""
    path = text or "/"
    if len(path) > LONGEST_PATH or not path.isprintable() or "\\" in path or " " in path:
        return "/"
    if not path.startswith("/") or path.startswith("//"):
        return "/"
    doors = (*FORMS, SIGN_OUT, *(one for both in PROVIDERS.values() for one in both))
    return "/" if urlsplit(path).path in doors else path


def _check_csrf(csrf: CSRFProtect) -> Any:
    try:
        csrf.protect()
    except CSRFError:
        if request.path in (*FORMS, SIGN_OUT):
            return pages.notice("That did not work", CSRF_FAILED, SIGN_IN), 400
        return error_response(Refused("csrf_token", CSRF_FAILED))
    return None


def _unauthenticated() -> Any:
    if by_proxy(request) is not None and _is_page_visit():
        return pages.notice(BY_PROXY, str(refusal()), SIGN_IN), Stranger.status
    if bearer(request) is not None:
        return error_response(refusal())
    why = refusal()
    if ID in session:
        session.clear()
        session[NOTE] = str(why)
    if request.path == SIGN_OUT:
        return redirect(SIGN_IN)
    return (
        redirect(f"{SIGN_IN}?{urlencode({'next': _requested_path()})}")
        if _is_page_visit()
        else error_response(why)
    )


def _cannot_say(away: Away) -> Any:
    """The session stays; who it is for cannot be asked now."""
    if not _is_page_visit():
        return error_response(away)
    return pages.notice("Try again in a minute", str(away), SIGN_IN), away.status


def _is_page_visit() -> bool:
    """Whether a browser goes to a page, as opposed to a script asking for something."""
    accepts = request.accept_mimetypes
    wants_page = not accepts or accepts.accept_html
    return request.method in READ and wants_page and not request.path.startswith(NO_PAGES)


def _requested_path() -> str:
    path = quote(request.path, safe=PATH_SAFE)
    query = request.query_string.decode("ascii", "ignore")
    return local_path(f"{path}?{query}" if query else path)
