"""What identity providers have in common, OpenID Connect or GitHub: what they grant, how a sign-in
is begun, and how they are asked. Authlib speaks OAuth.

A provider that does not answer is `Away`: nobody loses a session for that, and nobody gets in
meanwhile. One that says that somebody may not come in any more has `Stranger` it.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any, Final, NamedTuple, Protocol

from data.errors import Away, Stranger

Claims = dict[str, Any]
TIMEOUT_SECONDS: Final = 5
LARGEST_DOCUMENT: Final = 1_000_000
PASSING: Final = ("temporarily_unavailable", "server_error", "slow_down")
GONE: Final = (404, 422)
AWAY: Final = "the identity provider does not answer: try again in a minute"
OTHER: Final = "the identity provider answered for somebody else: sign in again"
ENDED: Final = "the identity provider ended this sign-in: sign in again"


class Granted(NamedTuple):
    """What a provider gives: who it is in our words, its own name for them and for their session
    there, and the tokens to ask again with."""

    claims: Claims
    subject: str
    sid: str
    tokens: dict[str, str]


class Pending(NamedTuple):
    """A sign-in that has begun: what must come back, and what proves that we began it."""

    nonce: str
    verifier: str


class IdentityProvider(Protocol):
    """A provider of the settings."""

    @property
    def bound(self) -> list[str]:
        """What a session of it holds on to: which provider it is, and who we are for it."""

    def sign_in_url(self, state: str, pending: Pending) -> str:
        """Where a browser goes to sign in."""

    def check_answer(self, parameters: Mapping[str, str]) -> None:
        """Raises `Stranger` where another provider sent the browser back."""

    def redeem(self, code: str, pending: Pending) -> Granted:
        """Who signed in, by the code that came back; raises `Stranger` where it is no good."""

    def ask_again(self, tokens: Mapping[str, str], subject: str) -> Granted:
        """The same somebody as the provider knows them now; raises `Stranger` where they may come
        in no more."""

    def sign_out_url(self, id_token: str, back: str) -> str | None:
        """Where a browser goes to sign out there, too; None where there is no such place."""

    def give_back(self, tokens: Mapping[str, str]) -> None:
        """Have tokens that are of no more use here open nothing there either, where there is a way;
        raises `Away` where it did not work now."""


class _Unmoved(urllib.request.HTTPRedirectHandler):
    """Who is asked with a token is not followed elsewhere: it would go along."""

    def redirect_request(self, *_: Any) -> None:
        return None


_OPENER: Final = urllib.request.build_opener(_Unmoved())


def fetched(url: str, token: str = "") -> tuple[Any, Mapping[str, str]]:
    """The JSON at an address and the headers it came with; raises what urllib does."""
    headers = {"Accept": "application/json", "User-Agent": "spendscope"}
    headers |= {"Authorization": f"Bearer {token}"} if token else {}
    asked = urllib.request.Request(url, headers=headers)  # noqa: S310  # http(s): the settings
    try:
        send = _OPENER.open if token else urllib.request.urlopen
        with send(asked, timeout=TIMEOUT_SECONDS) as answer:
            return json.loads(answer.read(LARGEST_DOCUMENT)), answer.headers
    except urllib.error.HTTPError as error:
        error.close()
        raise


def delete(url: str, what: Mapping[str, str], who: tuple[str, str]) -> None:
    """Have what a body names be gone; `who` asks by name and password. What is gone already is no
    failure; raises `Away` for every other."""
    headers = {"Accept": "application/json", "Content-Type": "application/json",
               "Authorization": f"Basic {b64encode(':'.join(who).encode()).decode()}",
               "User-Agent": "spendscope"}  # fmt: skip
    body = json.dumps(dict(what)).encode()
    sent = urllib.request.Request(url, body, headers, method="DELETE")  # noqa: S310  # http(s)
    try:
        _OPENER.open(sent, timeout=TIMEOUT_SECONDS).close()
    except urllib.error.HTTPError as error:
        error.close()
        if error.code not in GONE:
            raise Away(AWAY) from None
    except (OSError, HTTPException):
        raise Away(AWAY) from None


def asked(client: Any, ask: Any) -> dict[str, Any]:
    """What a token endpoint answers to a client of Authlib."""
    import requests
    from authlib.integrations.base_client import OAuthError

    try:
        with client:
            found = ask(client)
    except OAuthError as error:
        if error.error in PASSING:
            raise Away(AWAY) from None
        raise Stranger(f"the identity provider refused: {str(error)[:200]}") from None
    except (requests.RequestException, OSError, ValueError):
        raise Away(AWAY) from None
    return dict(found)


def is_http(url: Any) -> bool:
    """Whether this is an address to ask at."""
    return isinstance(url, str) and url.startswith(("https://", "http://"))
