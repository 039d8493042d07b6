"""Guessing a password is slowed down: so many tries for an account, from an address, and overall,
then a pause.

A try counts when it begins, so that many at once count too. It counts for its account under
whichever name it was made; only that account's right password clears its count, and that of no
address. A try that is refused is not counted, so a pause ends by itself.
"""

from __future__ import annotations

import ipaddress
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from data.errors import TooMany

MOST_TRIES: Final = 10
MOST_OF_ADDRESS: Final = 50
MOST_OF_ALL: Final = 500
SPAN_SECONDS: Final = 300
NETWORK_BITS: Final = 64  # whoever has one address of IPv6 has such a network
T = TypeVar("T")


@dataclass(eq=False, slots=True)
class Try:
    """One try; `account` is empty where it counts for none."""

    at: float
    account: str
    network: str


class Throttle:
    """The tries of the last minutes in this process: never more than are allowed overall."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tries: list[Try] = []
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._tries)

    def check(self, account: str, address: str, verify: Callable[[], T | None]) -> T | None:
        """What `verify` finds; None counts as a wrong try. Raises `TooMany` for one too many."""
        begun, wrong = self._begin(account, network_of(address)), False
        try:
            found = verify()
            wrong = found is None
        finally:
            if not wrong:
                self._forget(begun)
        if found is not None:
            self._clear(account)
        return found

    def reached(self, account: str, address: str) -> tuple[str, ...]:
        """The limits that are full for who tries this: `account`, `address`, `server`."""
        network = network_of(address)
        with self._lock:
            of = {
                "account": (MOST_TRIES, [one for one in self._tries if one.account == account]),
                "address": (
                    MOST_OF_ADDRESS,
                    [one for one in self._tries if one.network == network],
                ),
                "server": (MOST_OF_ALL, self._tries),
            }
        full = (name for name, (most, tries) in of.items() if len(tries) >= most)
        return tuple(name for name in full if account or name != "account")

    def _begin(self, account: str, network: str) -> Try:
        now = self._clock()
        with self._lock:
            self._tries = [one for one in self._tries if now - one.at < SPAN_SECONDS]
            if account:
                self._refuse(now, "with this name", MOST_TRIES, lambda one: one.account == account)
            self._refuse(now, "from here", MOST_OF_ADDRESS, lambda one: one.network == network)
            self._refuse(now, "on this server", MOST_OF_ALL, lambda _: True)
            begun = Try(now, account, network)
            self._tries.append(begun)
        return begun

    def _refuse(self, now: float, where: str, most: int, counts: Callable[[Try], bool]) -> None:
        """Raises `TooMany` where as many tries count as may."""
        first = [one.at for one in self._tries if counts(one)]
        if len(first) >= most:
            seconds = math.ceil(first[0] + SPAN_SECONDS - now)
            sentence = f"too many tries {where}: try again in {-(-seconds // 60)} min"
            raise TooMany(sentence, seconds)

    def _forget(self, begun: Try) -> None:
        with self._lock:
            self._tries = [one for one in self._tries if one is not begun]

    def _clear(self, account: str) -> None:
        with self._lock:
            for one in self._tries:
                one.account = "" if one.account == account else one.account


def network_of(address: str) -> str:
    """What stands for an address: of IPv6, the network that one customer has."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    mapped = getattr(parsed, "ipv4_mapped", None)
    if mapped or parsed.version == 4:
        return str(mapped or parsed)
    return str(ipaddress.ip_network((parsed, NETWORK_BITS), strict=False))
