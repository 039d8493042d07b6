"""Guessing a password is slowed down: so many tries for an account, from an address, and overall,
then a pause.

A try counts when it begins, so that many at once count too. It counts for its account under
whichever name it was made; only that account's right password clears its count, and that of no
address. A try that is refused is not counted, so a pause ends by itself.
"""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Callable
from typing import Final, TypeVar

from data.errors import TooMany
from data.state.tries import SPAN_SECONDS, Count, Counts, Tries

MOST_TRIES: Final = 10
MOST_OF_ADDRESS: Final = 50
MOST_OF_ALL: Final = 500
NETWORK_BITS: Final = 64  # whoever has one address of IPv6 has such a network
T = TypeVar("T")


class Throttle:
    """The tries of the last minutes: never more than are allowed overall."""

    def __init__(self, tries: Tries) -> None:
        self._tries = tries

    def check(self, account: str, address: str, verify: Callable[[], T | None]) -> T | None:
        """What `verify` finds; None counts as a wrong try. Raises `TooMany` for one too many."""
        begun, wrong = self._tries.add(account, network_of(address), _refuse), False
        try:
            found = verify()
            wrong = found is None
        finally:
            if not wrong:
                self._tries.remove(begun)
        if found is not None and account:
            self._tries.clear(account)
        return found

    def reached(self, account: str, address: str) -> tuple[str, ...]:
        """The limits that are full for who tries this: `account`, `address`, `server`."""
        counts = self._tries.counts(account, network_of(address))
        limits = zip(("account", "address", "server"), _limits(counts), strict=True)
        return tuple(name for name, (count, most, _) in limits if count.number >= most)


def _limits(counts: Counts) -> tuple[tuple[Count, int, str], ...]:
    return (
        (counts.account, MOST_TRIES, "with this name"),
        (counts.network, MOST_OF_ADDRESS, "from here"),
        (counts.everywhere, MOST_OF_ALL, "on this server"),
    )


def _refuse(counts: Counts) -> None:
    """Raises `TooMany` where as many tries count as may."""
    for count, most, where in _limits(counts):
        if count.number >= most:
            seconds = max(1, math.ceil(SPAN_SECONDS - count.age))
            sentence = f"too many tries {where}: try again in {-(-seconds // 60)} min"
            raise TooMany(sentence, seconds)


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
