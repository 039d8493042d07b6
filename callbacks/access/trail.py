"""What the audit trail hears of the ways in and out: who came in, tried to, was locked out, left,
and took data along, from which address, in which request.

Of a failed try it has the account that was meant, never what was typed: that may be a password in
the wrong field. Tries that no limit of passwords slows down (tokens) are written down a hundred
times in five minutes at most. The demo's visitors are nobody and leave no trace.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Final

from flask import request

from callbacks.access.request_log import request_id
from data.access.scope import Scope
from data.state import audit
from data.state.accounts import Account
from data.state.audit import Actor, Fields, Origin
from data.state.store import State

UNKNOWN: Final = "(unknown)"
MOST: Final = 100
SPAN_SECONDS: Final = 300
LOCKED: Final = {
    "account": "passwords of this account", "address": "passwords from this address",
    "server": "passwords on this server",
}  # fmt: skip


class Limit:
    """So many in so many seconds, in this process."""

    def __init__(self) -> None:
        self._at: deque[float] = deque(maxlen=MOST)
        self._lock = threading.Lock()

    def allows(self) -> bool:
        """Whether one more may be; it counts."""
        now = time.monotonic()
        with self._lock:
            if len(self._at) == MOST and now - self._at[0] < SPAN_SECONDS:
                return False
            self._at.append(now)
            return True


def client_address() -> str:
    """Where the request came from."""
    return request.remote_addr or ""


def origin() -> Origin:
    """Address and id of the request that is answered now."""
    return Origin(client_address(), request_id())


def visitor(user: str, name: str, now: int) -> Actor:
    """Somebody who is not signed in, or not yet."""
    return Actor(Scope.of({"sub": user}), name, now, origin())


def failed(state: State, now: int, account: Account | None, thing: str, why: str) -> None:
    """A try to sign in that failed."""
    audit.note(state, _tried(account, now), "sign-in-failed", thing, {"why": why})


def locked_out(state: State, now: int, account: Account | None, reached: tuple[str, ...]) -> None:
    """The limits that this try has reached: from now on there is a pause."""
    for one in reached:
        of = account if one == "account" else None
        audit.note(state, _tried(of, now), "lock-out", LOCKED[one])


def _tried(account: Account | None, now: int) -> Actor:
    if account is None:
        return visitor(UNKNOWN, UNKNOWN, now)
    return visitor(account.id, account.name, now)


def exported(state: State, actor: Actor, file: str) -> None:
    """A file that somebody is about to get, and what it was asked for by."""
    query = request.query_string.decode("ascii", "replace")
    what: Fields = {"query": query[:500]} if query else {}
    what |= {"as": actor.scope.subject} if actor.viewer else {}
    audit.note(state, actor, "export", file, what)
