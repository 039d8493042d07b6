"""The keys of a provider: read seldom, known at once when new, kept a while when it is away."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jwt
import pytest

from callbacks.access.key_set import FRESH_SECONDS, PAUSE_SECONDS, STALE_SECONDS, KeySet
from data.errors import SettingsError
from tests.signing import CURVE, EDWARDS, OTHER, PRIVATE, Provider, jwk, providing

Clock = list[float]


@pytest.fixture
def clock() -> Clock:
    return [1_000.0]


@pytest.fixture
def provider() -> Iterator[Provider]:
    with providing({"keys": [jwk(PRIVATE, "k1")]}) as one:
        yield one


@pytest.fixture
def keys(provider: Provider, clock: Clock) -> KeySet:
    return KeySet(provider.url, "SPENDSCOPE_JWKS_URL", lambda: clock[0])


def test_keys_are_read_once_in_five_minutes(keys: KeySet, provider: Provider, clock: Clock) -> None:
    for passed, asked in ((0, 1), (1, 1), (FRESH_SECONDS - 2, 1), (2, 2), (1, 2)):
        clock[0] += passed
        assert keys.key("k1").jwk.algorithm_name == "RS256"
        assert provider.asked == asked


def test_a_new_key_is_known_at_once(keys: KeySet, provider: Provider, clock: Clock) -> None:
    keys.key("k1")
    clock[0] += PAUSE_SECONDS
    provider.answers({"keys": [jwk(PRIVATE, "k1"), jwk(CURVE, "k2")]})
    assert keys.key("k2").jwk.algorithm_name == "ES256"


def test_forged_ids_ask_the_provider_seldom(keys: KeySet, provider: Provider, clock: Clock) -> None:
    for n in range(50):
        with pytest.raises(jwt.PyJWKClientError):
            keys.key(f"forged-{n}")
    assert provider.asked == 1
    clock[0] += PAUSE_SECONDS
    for kid in ("x", None, 7, ["k1"], {"k1": 1}, "", "../k1", "k1\x00", "K1"):
        with pytest.raises(jwt.PyJWKClientError):
            keys.key(kid)
    assert provider.asked == 2


@pytest.mark.parametrize(("content", "status"), [
    (b"<html>", 200), (b"", 200), (b"[]", 200), ({"keys": []}, 200), ({"keys": 7}, 200),
    ({"error": "x"}, 200), ({"keys": [jwk(OTHER, "k9")]}, 500), (b"\xff\xfe", 200),
])  # fmt: skip
def test_keys_of_the_last_hour_stay_while_it_is_away(
    keys: KeySet, provider: Provider, clock: Clock, content: Any, status: int
) -> None:
    keys.key("k1")
    provider.answers(content, status)
    clock[0] += FRESH_SECONDS
    assert keys.key("k1")
    clock[0] += STALE_SECONDS - FRESH_SECONDS
    with pytest.raises(jwt.PyJWKClientConnectionError):
        keys.key("k1")
    clock[0] += PAUSE_SECONDS
    provider.answers({"keys": [jwk(PRIVATE, "k1")]})
    assert keys.key("k1")


def test_only_public_keys_that_sign_are_among_them(keys: KeySet, provider: Provider) -> None:
    private = jwt.get_algorithm_by_name("RS256").to_jwk(OTHER, as_dict=True)
    secret = {"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA", "kid": "s"}
    provider.answers({"keys": [
        None, 7, "k", {}, {"kid": "n"}, secret, secret | {"alg": "RS256"},
        {**private, "kid": "p"}, jwk(OTHER, "e") | {"use": "enc"},
        jwk(OTHER, "h") | {"alg": "HS256"},
        {**jwk(OTHER, "x"), "kid": 7}, {"kty": "RSA", "kid": "r", "n": "!", "e": "?"},
        {"kty": "EC", "kid": "c", "crv": "P-999", "x": "", "y": ""},
        jwk(PRIVATE, "k1"), jwk(OTHER, "k1"), jwk(EDWARDS, "k3") | {"use": "sig"},
    ]})  # fmt: skip
    assert list(keys.keys()) == ["k1", "k3"]
    assert keys.key("k3").jwk.algorithm_name == "EdDSA"
    assert keys.key("k1").jwk.key.public_numbers() == PRIVATE.public_key().public_numbers()


def test_a_key_is_told_from_another_of_its_id(
    keys: KeySet, provider: Provider, clock: Clock
) -> None:
    before = keys.key("k1").thumbprint
    clock[0] += FRESH_SECONDS
    provider.answers({"keys": [jwk(PRIVATE, "k1") | {"x5t": "new"}]})
    assert keys.key("k1").thumbprint == before
    clock[0] += FRESH_SECONDS
    provider.answers({"keys": [jwk(OTHER, "k1")]})
    assert keys.key("k1").thumbprint != before


def test_many_at_once_wait_for_the_first_reading_and_for_no_other(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    going, read = threading.Event(), []

    def slow(_: str) -> list[Any]:
        read.append(threading.current_thread())
        assert going.wait(20)
        return [jwk(PRIVATE, "k1")]

    monkeypatch.setattr("callbacks.access.key_set._read", slow)
    keys = KeySet("http://idp/keys", "SETTING", lambda: clock[0])
    with ThreadPoolExecutor(8) as pool:
        first = [pool.submit(keys.key, "k1") for _ in range(8)]
        going.set()
        assert all(one.result(20) for one in first)
        assert len(read) == 1
        going.clear()
        clock[0] += FRESH_SECONDS
        slow_one = pool.submit(keys.key, "k1")
        while len(read) < 2:
            assert not slow_one.done()
        assert keys.key("k1")  # while the other reads
        going.set()
        assert slow_one.result(20)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://idp/keys", "idp/keys", ""])
def test_the_address_is_http(url: str) -> None:
    with pytest.raises(SettingsError, match="SETTING must be an http or https address"):
        KeySet(url, "SETTING")
