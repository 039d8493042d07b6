"""GitHub, or a GitHub Enterprise, as an identity provider: OAuth with PKCE, then its REST API.

It signs nothing: who somebody is, which organisations and teams they are in, it says for an access
token, which is asked with again. What it leaves out (an organisation behind single sign-on, a scope
that was not granted) is a refusal, never read as "no teams".
"""

from __future__ import annotations

import urllib.error
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any, Final
from urllib.parse import quote

from callbacks.access.provider import (
    AWAY,
    ENDED,
    OTHER,
    TIMEOUT_SECONDS,
    Granted,
    Pending,
    asked,
    delete,
    fetched,
)
from data.errors import Away, Stranger
from data.identity.claims import mapped
from data.identity.github import GitHubSettings, as_claims

SCOPES: Final = "user:email read:org"
READ_ORGANIZATIONS: Final = frozenset({"read:org", "write:org", "admin:org"})
SECRET_IN_BODY: Final = "client_secret_post"  # noqa: S105  # a way
PAGE: Final = 100
MOST_PAGES: Final = 20
SINGLE_SIGN_ON: Final = "X-GitHub-SSO"
NOT_READABLE: Final = (
    "GitHub does not let this application read your organisations: allow it to, and sign in again"
)
NO_MEMBER: Final = "you are no member of an organisation on GitHub that is let in here"
HIDDEN: Final = (
    "GitHub hides an organisation: it must approve this application, or you authorise it there for"
    " single sign-on"
)
TOO_MANY: Final = "you are in more teams on GitHub than can be read here"


class GitHub:
    """The GitHub of the settings."""

    def __init__(self, settings: GitHubSettings, redirect_uri: str) -> None:
        self._settings, self._redirect_uri = settings, redirect_uri

    @property
    def bound(self) -> list[str]:
        """A session of it ends with the application and with a change of who is let in."""
        return [self._settings.url, self._settings.client_id, *self._settings.organizations]

    def sign_in_url(self, state: str, pending: Pending) -> str:
        """Where a browser goes to sign in."""
        with self._client() as client:
            url, _ = client.create_authorization_url(
                f"{self._settings.url}/login/oauth/authorize", state=state,
                code_verifier=pending.verifier, allow_signup="false",
            )  # fmt: skip
        return str(url)

    def check_answer(self, parameters: Mapping[str, str]) -> None:
        """It names itself in no answer; its callback is an address of its own."""

    def sign_out_url(self, id_token: str, back: str) -> str | None:  # noqa: ARG002
        """There is no such place."""
        return None

    def give_back(self, tokens: Mapping[str, str]) -> None:
        """Delete the access token (https://docs.github.com/en/rest/apps/oauth-applications)."""
        url = f"{self._settings.api}/applications/{quote(self._settings.client_id)}/token"
        delete(
            url, {"access_token": tokens.get("access_token", "")},
            (self._settings.client_id, self._settings.client_secret),
        )  # fmt: skip

    def redeem(self, code: str, pending: Pending) -> Granted:
        """Who signed in, by the code that came back; raises `Stranger` where it is no good."""
        url = f"{self._settings.url}/login/oauth/access_token"
        found = asked(self._client(), lambda client: client.fetch_token(
            url, code=code, code_verifier=pending.verifier, grant_type="authorization_code",
            timeout=TIMEOUT_SECONDS))  # fmt: skip
        scopes = str(found.get("scope", "")).replace(",", " ").split()
        if READ_ORGANIZATIONS.isdisjoint(scopes):
            raise Stranger(NOT_READABLE)
        return self._granted(str(found.get("access_token", "")))

    def ask_again(self, tokens: Mapping[str, str], subject: str) -> Granted:
        """The same somebody as GitHub knows them now; raises `Stranger` where they are out."""
        granted = self._granted(tokens.get("access_token", ""))
        if granted.subject != subject:
            raise Stranger(OTHER)
        return granted

    def _granted(self, token: str) -> Granted:
        user = self._read("/user", token)
        if not isinstance(user, dict) or not isinstance(user.get("id"), int):
            raise Away(AWAY)
        emails = self._read("/user/emails", token)
        claims = as_claims(
            user, emails if isinstance(emails, list) else (), self._roles(token), self._teams(token)
        )
        return Granted(mapped(claims, self._settings.names), claims["id"], "",
                       {"access_token": token})  # fmt: skip

    def _roles(self, token: str) -> dict[str, str]:
        """The role of this somebody in those of our organisations that they belong to."""
        found = {}
        for name in self._settings.organizations:
            one = self._read(f"/user/memberships/orgs/{name}", token, missing={})
            if isinstance(one, dict) and one.get("state") == "active":
                found[name] = str(one.get("role") or "member").lower()
        if not found:
            raise Stranger(NO_MEMBER)
        return found

    def _teams(self, token: str) -> list[Any]:
        every: list[Any] = []
        for page in range(1, MOST_PAGES + 1):
            found = self._read(f"/user/teams?per_page={PAGE}&page={page}", token)
            if not isinstance(found, list):
                raise Away(AWAY)
            every.extend(found)
            if len(found) < PAGE:
                return every
        raise Stranger(TOO_MANY)

    def _read(self, path: str, token: str, missing: Any = None) -> Any:
        """What the API answers; `missing` where there is no such thing."""
        try:
            found, headers = fetched(f"{self._settings.api}{path}", token)
        except urllib.error.HTTPError as error:
            if error.code == 404 and missing is not None:
                return missing
            raise _refusal(error) from None
        except (OSError, ValueError, HTTPException):
            raise Away(AWAY) from None
        if headers.get(SINGLE_SIGN_ON, "").startswith("partial-results"):
            raise Stranger(HIDDEN)
        return found

    def _client(self) -> Any:
        """Authlib's client of it."""
        from authlib.integrations.requests_client import OAuth2Session

        return OAuth2Session(
            self._settings.client_id, self._settings.client_secret, scope=SCOPES,
            redirect_uri=self._redirect_uri, code_challenge_method="S256",
            token_endpoint_auth_method=SECRET_IN_BODY,
        )  # fmt: skip


def _refusal(error: urllib.error.HTTPError) -> Stranger | Away:
    """What an answer that is none means: a limit of requests passes, a 403 for good does not."""
    spent = error.headers.get("X-RateLimit-Remaining") == "0" or error.headers.get("Retry-After")
    if error.code == 401:
        return Stranger(ENDED)
    if error.code == 403 and not spent:
        return Stranger(HIDDEN)
    return Away(AWAY)
