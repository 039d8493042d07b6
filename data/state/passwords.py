"""Passwords: what is acceptable, how they are kept (argon2id), and comparing them."""

from __future__ import annotations

import string
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, cached_property
from pathlib import Path
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from data.errors import Refused, TooMany

SHORTEST: Final = 10
LONGEST: Final = 1_000
MOST_AT_ONCE: Final = 2
MOST_WAITING: Final = 8
RETRY_SECONDS: Final = 2
NO_LETTERS: Final = f"{string.digits}{string.punctuation} "
COMMON: Final = "this password is one of those that are tried first: choose another, as four words"
BUSY: Final = "many are signing in right now: try again in a few seconds"


class Passwords:
    """Hashes and compares; only a few at once, as each takes 64 MiB for a moment. A few more wait
    for their turn, and so never hold the threads of a server; others are refused."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._slots = threading.BoundedSemaphore(MOST_AT_ONCE)
        self._queue = threading.BoundedSemaphore(MOST_AT_ONCE + MOST_WAITING)

    def chosen(self, password: str) -> str:
        """What to keep of a new password; raises `Refused` for one nobody should have."""
        if len(password) < SHORTEST:
            raise Refused("password", f"a password needs at least {SHORTEST} characters")
        if len(password) > LONGEST:
            raise Refused("password", f"a password has at most {LONGEST:,} characters")
        if is_common(password):
            raise Refused("password", COMMON)
        return self.hashed(password)

    def match(self, stored_hash: str | None, password: str) -> bool:
        """Whether this is the kept password; without one it takes as long and is False."""
        with self._turn():
            try:
                same = self._hasher.verify(
                    stored_hash or self._hash_of_nobody, _bytes(password[:LONGEST])
                )
            except (VerificationError, InvalidHashError):
                return False
        return same and bool(stored_hash) and len(password) <= LONGEST

    def outdated(self, stored_hash: str) -> bool:
        """Whether it was hashed with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored_hash)

    def hashed(self, password: str) -> str:
        """What to keep of a password that is in use already."""
        with self._turn():
            return self._hasher.hash(_bytes(password))

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """One of the few who work; raises `TooMany` where too many wait already."""
        if not self._queue.acquire(blocking=False):
            raise TooMany(BUSY, RETRY_SECONDS)
        try:
            with self._slots:
                yield
        finally:
            self._queue.release()

    @cached_property
    def _hash_of_nobody(self) -> str:
        return self._hasher.hash(b"the password of nobody")


def is_common(password: str) -> bool:
    """Whether it is one of those that are tried first, once or repeated, with anything before or
    after it that is no letter."""
    plain = unicodedata.normalize("NFKC", password).casefold()
    core = plain.strip(NO_LETTERS)
    repeated = plain[: (plain + plain).find(plain, 1)]
    return (
        bool({plain, core, repeated, repeated.strip(NO_LETTERS)} & common())
        or len(repeated) < len(plain) // 3
    )


@cache
def common() -> frozenset[str]:
    """The passwords that are tried first, and the words that they are made of."""
    path = Path(__file__).with_name("common_passwords.txt")
    return frozenset(path.read_text(encoding="utf-8").split())


def _bytes(password: str) -> bytes:
    """The same bytes for the same characters, however a keyboard composes them."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
