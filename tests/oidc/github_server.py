"""A GitHub on loopback for the tests, as its documentation describes it: the OAuth web flow (a
question to the person, a code for ten minutes and one use, PKCE) and the five calls of its REST API
that we make. It is as strict as the documents are, and no cleverer."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Final
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from tests.oidc.recorded import GITHUB_EMAIL, GITHUB_MEMBERSHIP, GITHUB_TEAM, GITHUB_USER

CLIENT: Final = "Iv1.8a61f9b3a7aba766"
SECRET: Final = "the secret of spendscope at GitHub"
PAGE: Final = 100


@dataclass
class Member:
    """Somebody with an account there: the state and role in organisations, teams as `org/slug`."""

    id: int
    orgs: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    teams: tuple[str, ...] = ()
    emails: tuple[Mapping[str, Any], ...] = ({},)


@dataclass
class GitHubServer:
    """What it knows, and what it was asked."""

    url: str = ""
    people: dict[str, Member] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    scope: str = "read:org,user:email"
    answers: dict[str, tuple[int, dict[str, str]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def authorize(self, url: str, login: str) -> str:
        """Where it sends the browser of somebody who agrees."""
        query = dict(parse_qsl(urlsplit(url).query))
        assert query["client_id"] == CLIENT
        assert query["code_challenge_method"] == "S256"
        code = secrets.token_hex(10)
        self.codes[code] = query | {"login": login}
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def redeem(self, form: Mapping[str, str]) -> dict[str, str]:
        """What `POST /login/oauth/access_token` answers: an error is a 200, too."""
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT, SECRET):
            return {"error": "incorrect_client_credentials"}
        begun = self.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if begun is None or begun["code_challenge"] != challenge:
            return {"error": "bad_verification_code",
                    "error_description": "The code passed is incorrect or expired."}  # fmt: skip
        if form.get("redirect_uri") != begun["redirect_uri"]:
            return {"error": "redirect_uri_mismatch"}
        token = f"gho_{secrets.token_hex(18)}"
        self.tokens[token] = begun["login"]
        return {"access_token": token, "scope": self.scope, "token_type": "bearer"}

    def read(self, path: str, query: Mapping[str, str], login: str) -> tuple[int, Any]:
        """What the API answers to a token of somebody."""
        one = self.people[login]
        if path == "/user":
            return 200, GITHUB_USER | {"login": login, "id": one.id, "name": login.title()}
        if path == "/user/emails":
            mine = {"email": f"{login}@example.org"}
            return 200, [GITHUB_EMAIL | mine | dict(more) for more in one.emails]
        if path == "/user/teams":
            start = (int(query["page"]) - 1) * int(query["per_page"])
            return 200, [_team(name) for name in one.teams[start : start + int(query["per_page"])]]
        org = path.removeprefix("/user/memberships/orgs/")
        if org in one.orgs:
            state, role = one.orgs[org]
            return 200, GITHUB_MEMBERSHIP | {"state": state, "role": role}
        return 404, {"message": "Not Found"}


def _team(name: str) -> dict[str, Any]:
    org, _, slug = name.partition("/")
    return GITHUB_TEAM | {"slug": slug, "organization": {"login": org}}


class Handler(BaseHTTPRequestHandler):
    """Its HTTP."""

    known: GitHubServer

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        self.known.asked.append(url.path)
        if url.path == "/login/oauth/authorize":
            return self._ask_person()
        path = url.path.removeprefix("/api/v3")
        if path in self.known.answers:
            status, headers = self.known.answers[path]
            return self._say(status, {"message": "no"}, headers)
        login = self.known.tokens.get(self.headers.get("Authorization", "").removeprefix("Bearer "))
        if login is None or login not in self.known.people:
            return self._say(401, {"message": "Bad credentials", "status": "401"})
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        return self._say(*self.known.read(path, query, login))

    def do_DELETE(self) -> None:
        """A token, by who it was given to."""
        path = self.path.removeprefix("/api/v3")
        self.known.asked.append(f"DELETE {path}")
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if path in self.known.answers:
            return self._say(self.known.answers[path][0], {"message": "no"})
        who = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if path != f"/applications/{CLIENT}/token" or self.headers["Authorization"] != (
            f"Basic {who}"
        ):
            return self._say(404, {"message": "Not Found"})
        gone = self.known.tokens.pop(body["access_token"], None)
        return self._say(204, "") if gone else self._say(422, {"message": "Validation Failed"})

    def do_POST(self) -> None:
        self.known.asked.append(self.path)
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = dict(parse_qsl(body))
        if self.path == "/authorized":
            return self._go(self.known.authorize(form["url"], form["login"]))
        assert self.headers["Accept"] == "application/json"
        return self._say(200, self.known.redeem(form))

    def _ask_person(self) -> None:
        page = (
            '<form method="post" action="/authorized"><input name="login">'
            f'<input type="hidden" name="url" value="{self.path.replace("&", "&amp;")}">'
            "<button>Authorize</button></form>"
        )
        self._say(200, page)

    def _go(self, target: str) -> None:
        self._say(302, "", {"Location": target})

    def _say(self, status: int, what: Any, headers: Mapping[str, str] | None = None) -> None:
        plain = isinstance(what, str)
        said = (what if plain else json.dumps(what)).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "text/html" if plain else "application/json")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def github() -> Iterator[GitHubServer]:
    """One that runs."""
    known = GitHubServer()
    handler = type("Known", (Handler,), {"known": known})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    known.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield known
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
