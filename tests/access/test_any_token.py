"""Any token at all, thousands of them: rejected, or exactly the rights that its signer wrote.

A case says what is wrong with it, if anything; what is wrong opens nothing, what is right opens the
rows of its claims and no others.
"""

from __future__ import annotations

import base64
import json
import random
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import jwt
import pytest
from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from callbacks.access.tokens import LEEWAY_SECONDS, Tokens
from data.access.scope import Scope
from data.errors import SettingsError, Stranger
from data.settings import Settings
from tests.signing import CURVE, EDWARDS, OTHER, PRIVATE, jwk, providing

SECRET: Final = "a secret of more than thirty-two bytes"
CASES: Final = 1_200  # of each of the two ways to verify
KEYS: Final[dict[str, tuple[str, Any]]] = {
    "rsa": ("RS256", PRIVATE),
    "ec": ("ES256", CURVE),
    "ed": ("EdDSA", EDWARDS),
}
ISSUER: Final = "https://idp"
AUDIENCE: Final = "spendscope"
FAR: Final = 9_999_999_999
KEY_SET: Final = {"JWKS_URL": "http://idp/keys", "JWT_ISSUER": ISSUER, "JWT_AUDIENCE": AUDIENCE}


@dataclass(frozen=True)
class Server:
    """What checks tokens, and what signs good ones: header, and a function of the signed text."""

    tokens: Tokens
    signers: tuple[tuple[dict[str, Any], Callable[[bytes], bytes]], ...]
    keyed: bool


def coded(part: bytes) -> bytes:
    return base64.urlsafe_b64encode(part).rstrip(b"=")


def dumped(part: Any) -> bytes:
    """JSON as some signer may write it: NaN, huge numbers and lone surrogates, too."""
    return json.dumps(part).encode()


def signer(algorithm: str, key: Any) -> Callable[[bytes], bytes]:
    made = jwt.get_algorithm_by_name(algorithm)
    prepared = made.prepare_key(key)
    return lambda text: bytes(made.sign(text, prepared))


@pytest.fixture(scope="module", params=["secret", "key set"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    environ = {"SPENDSCOPE_DATA_DIR": str(tmp_path_factory.mktemp("tokens"))}
    if request.param == "secret":
        settings = Settings.read(environ | {"SPENDSCOPE_JWT_SECRET": SECRET})
        good = (({"alg": "HS256", "typ": "JWT"}, signer("HS256", SECRET)),)
        yield Server(Tokens(settings), good, keyed=False)
        return
    public = [jwk(key, kid) for kid, (_, key) in KEYS.items()]
    oct_ = {"kty": "oct", "kid": "oct", "k": coded(SECRET.encode()).decode(), "alg": "HS256"}
    with providing({"keys": [*public, oct_]}) as one:
        told = {"JWKS_URL": one.url, "JWT_ISSUER": ISSUER, "JWT_AUDIENCE": AUDIENCE}
        settings = Settings.read(environ | {f"SPENDSCOPE_{name}": to for name, to in told.items()})
        signers = tuple(
            ({"alg": name, "kid": kid}, signer(name, key)) for kid, (name, key) in KEYS.items()
        )
        yield Server(Tokens(settings), signers, keyed=True)


# --- claims


WILD: Final[tuple[Any, ...]] = (
    None, True, False, 0, 1, -1, 1.5, "", " ", "true", "True", "TRUE", "yes", "1", "ana", "ANA",
    "a,b", ",", "a,,b", ["a"], ["a", "b,c"], [["a"]], [1, None], {}, {"a": 1}, [], "é", "e\u0301",
    "\u202eadmin", "\x00", "a\nb", "😀", "ＡＮＡ", "true\u200b", 10**30, "x" * 500, float("inf"),
    [True], ["true"], {"isAdmin": True}, "root", "*", "%", "' OR 1=1 --",
)  # fmt: skip
RIGHTS: Final = ("isAdmin", "applications_admin", "applications", "name", "email")
OTHERS: Final = ("ISADMIN", "isadmin", "is_admin", "admin", "roles", "scope", "__proto__", "jti")


def claims_of(chance: random.Random, keyed: bool) -> dict[str, Any]:
    """Good claims with anything in those that open rows."""
    claims: dict[str, Any] = {"sub": chance.choice(["ana", "é", "root", "a,b", "*"])}
    claims["exp"] = int(time.time()) + chance.randint(60, 9_000)
    for name in RIGHTS:
        if chance.random() < 0.6:
            claims[name] = chance.choice(WILD)
    if chance.random() < 0.2:
        claims["isAdmin"] = chance.choice([True, "true"])
    if chance.random() < 0.3:
        claims[chance.choice(OTHERS[:-1])] = chance.choice(WILD)
    if keyed:
        claims |= {"iss": ISSUER, "aud": chance.choice([AUDIENCE, [AUDIENCE], ["x", AUDIENCE]])}
    return claims


def rights(claims: dict[str, Any]) -> tuple[str, bool, frozenset[str]]:
    """What claims open, in ten lines."""

    def parts(claim: Any) -> list[str]:
        texts = claim if isinstance(claim, list) else [claim]
        split = [part for text in texts if isinstance(text, str) for part in text.split(",")]
        return [part.strip() for part in split if part.strip()]

    admin = claims.get("isAdmin")
    everything = admin is True or (isinstance(admin, str) and admin == "true")
    return claims["sub"], everything, frozenset(parts(claims.get("applications_admin")))


# --- what may be wrong


def wrong_subject(chance: random.Random, claims: dict[str, Any]) -> None:
    claims["sub"] = chance.choice([None, "", " ", 7, True, ["ana"], {"a": 1}, "\ud800", 1.5])
    if claims["sub"] is None:
        del claims["sub"]


def wrong_time(chance: random.Random, claims: dict[str, Any]) -> None:
    now = int(time.time())
    past, future = now - LEEWAY_SECONDS - 60, now + LEEWAY_SECONDS + 600
    wrong: list[tuple[str, Any]] = [
        ("exp", past), ("exp", 0), ("exp", -1), ("exp", None), ("exp", "soon"), ("exp", [FAR]),
        ("exp", {}), ("exp", float("nan")), ("exp", float("inf")), ("exp", True), ("exp", ""),
        ("nbf", future), ("nbf", FAR), ("nbf", "x"), ("nbf", float("inf")), ("nbf", [1]),
        ("iat", future), ("iat", FAR), ("iat", "x"), ("iat", float("nan")), ("iat", {}),
    ]  # fmt: skip
    name, value = chance.choice(wrong)
    claims[name] = value
    if value is None:
        del claims["exp"]


def wrong_place(chance: random.Random, claims: dict[str, Any]) -> None:
    name, value = chance.choice([
        ("iss", "https://evil"), ("iss", f"{ISSUER}/"), ("iss", ISSUER.upper()), ("iss", [ISSUER]),
        ("iss", None), ("iss", 7), ("aud", "other"), ("aud", [AUDIENCE + "x"]), ("aud", []),
        ("aud", None), ("aud", {AUDIENCE: 1}), ("aud", [7, AUDIENCE]), ("aud", AUDIENCE[:-1]),
    ])  # fmt: skip
    claims[name] = value
    if value is None:
        del claims[name]


KIDS: Final = (None, "", "rsa\x00", "RSA", "../rsa", "rsa'; --", 7, ["rsa"], {"a": 1}, "k9", "oct",
               "😀", "rsa/../ec", "x" * 900, True)  # fmt: skip
ALGORITHMS: Final[tuple[Any, ...]] = (
    "none", "None", "NONE", "nOnE", "", None, "HS384", "HS512", "RS384", "RS512", "PS256", "ES384",
    "ES256K", "hs256", "rs256", "HS256 ", 7, ["HS256"], {},
)  # fmt: skip
# Keys that a token brings along are nobody's.
BROUGHT: Final[tuple[dict[str, Any], ...]] = (
    {"jwk": jwk(OTHER, "rsa")}, {"jku": "http://127.0.0.1:9/evil"}, {"x5u": "http://127.0.0.1:9/"},
    {"x5c": ["MIIB"]}, {"jwk": jwk(OTHER, "rsa"), "jku": "http://127.0.0.1:9/", "kid": "rsa"},
)  # fmt: skip


def by_public_key(text: bytes, private: Any, encoding: str) -> bytes:
    """HMAC keyed with what everybody may know: the classic way to forge a token."""
    forms = {
        "PEM": (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
        "DER": (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo),
    }
    mac = hmac.HMAC(private.public_key().public_bytes(*forms[encoding]), hashes.SHA256())
    mac.update(text)
    return mac.finalize()


def tampered(chance: random.Random, token: bytes) -> bytes:
    """The same token with something changed that its signature is of, or the signature itself."""
    head, body, tail = token.split(b".")
    what = chance.choice(["body", "head", "tail", "cut", "none", "swap", "more", "bits"])
    if what == "body":
        body = coded(dumped({"sub": "root", "isAdmin": True, "exp": FAR, "iss": ISSUER,
                             "aud": AUDIENCE}))  # fmt: skip
    elif what == "head":
        head = coded(dumped({"alg": "none"}))
    elif what == "tail":
        tail = coded(chance.randbytes(chance.choice([1, 32, 64, 256])))
    elif what == "cut":
        return head + b"." + body
    elif what == "none":
        tail = b""
    elif what == "swap":
        head, body = body, head
    elif what == "more":
        return token + b"." + tail
    else:
        raw = bytearray(base64.urlsafe_b64decode(tail + b"=="))
        raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
        tail = coded(bytes(raw))
    return b".".join([head, body, tail])


def forged(chance: random.Random, server: Server, text_of: Callable[[dict[str, Any]], bytes],
           header: dict[str, Any]) -> bytes:  # fmt: skip
    """A token whose signature is by no key of ours, or by one under another name."""
    private = chance.choice([PRIVATE, CURVE])
    makers: list[tuple[dict[str, Any], Callable[[bytes], bytes]]] = [
        (header, signer("HS256", "another secret of more than 32 bytes")),
        ({"alg": "RS256", "kid": "rsa"}, signer("RS256", OTHER)),
        ({"alg": "HS256", "kid": "rsa"}, lambda text: by_public_key(text, private, "PEM")),
        ({"alg": "HS256", "kid": "ec"}, lambda text: by_public_key(text, private, "DER")),
        ({"alg": chance.choice(["RS256", "ES256", "EdDSA"]), "kid": chance.choice(["rsa", "oct"])},
         lambda text: by_public_key(text, private, "PEM")),
        ({"alg": chance.choice(["RS256", "ES256"]), "kid": "oct"}, signer("HS256", SECRET)),
        ({"alg": chance.choice(ALGORITHMS)}, lambda _: b""),
        (header | {"alg": chance.choice(ALGORITHMS)}, server.signers[0][1]),
        (header | chance.choice(BROUGHT), signer("RS256", OTHER)),
        ({"alg": "RS256", "kid": "ec"}, signer("RS256", PRIVATE)),
        ({"alg": "ES256", "kid": "ed"}, signer("ES256", CURVE)),
    ]  # fmt: skip
    if server.keyed:
        makers.append((header | {"kid": chance.choice(KIDS)}, server.signers[0][1]))
        makers.append(({"alg": "HS256", "kid": "oct"}, signer("HS256", SECRET)))
    made, sign = chance.choice(makers)
    text = text_of(made)
    return text + b"." + coded(sign(text))


def case(chance: random.Random, server: Server) -> tuple[bytes, dict[str, Any] | None]:
    """A token, and the claims whose rights it opens; None where it opens nothing."""
    claims = claims_of(chance, server.keyed)
    header, sign = chance.choice(server.signers)
    text_of = lambda head: coded(dumped(head)) + b"." + coded(dumped(claims))  # noqa: E731
    what = chance.choice(
        ["good", "good", "subject", "time", "place", "forged", "forged", "tampered"]
    )
    if what == "place" and not server.keyed:
        what = "good"
    spoil = {"subject": wrong_subject, "time": wrong_time, "place": wrong_place}.get(what)
    if spoil:
        spoil(chance, claims)
    if what == "forged":
        return forged(chance, server, text_of, header), None
    text = text_of(header)
    token = text + b"." + coded(sign(text))
    if what == "tampered":
        return tampered(chance, token), None
    return token, None if spoil else claims


@pytest.mark.parametrize(("told", "sentence"), [
    ({"JWT_SECRET": SECRET, "JWT_ALGORITHMS": "RS256"}, "lists some of HS256 here"),
    ({"JWT_ALGORITHMS": "none"}, "lists some of HS256 here"),
    ({"JWT_ALGORITHMS": ","}, "lists some of HS256 here"),
    (KEY_SET | {"JWT_ALGORITHMS": "HS256"}, "lists some of RS256, ES256, EdDSA here"),
    (KEY_SET | {"JWT_ALGORITHMS": "RS256,HS256"}, "lists some of RS256, ES256, EdDSA here"),
])  # fmt: skip
def test_algorithms_that_do_not_fit_stop_the_start(
    tmp_path: Path, told: dict[str, str], sentence: str
) -> None:
    environ = {"DATA_DIR": str(tmp_path)} | told
    with pytest.raises(SettingsError, match=f"SPENDSCOPE_JWT_ALGORITHMS {sentence}"):
        Settings.read({f"SPENDSCOPE_{name}": value for name, value in environ.items()})


@pytest.mark.parametrize("only", ["RS256", "ES256", "EdDSA"])
def test_what_is_not_chosen_is_refused(tmp_path: Path, only: str) -> None:
    weak = rsa.generate_private_key(65_537, 1_024)
    keys = [jwk(key, kid) for kid, (_, key) in KEYS.items()]
    with providing({"keys": [*keys, jwk(weak, "weak")]}) as one:
        told = KEY_SET | {"DATA_DIR": str(tmp_path), "JWKS_URL": one.url, "JWT_ALGORITHMS": only}
        tokens = Tokens(Settings.read({f"SPENDSCOPE_{name}": to for name, to in told.items()}))
        claims = {"sub": "ana", "exp": FAR, "iss": ISSUER, "aud": AUDIENCE}
        for kid, (name, key) in KEYS.items():
            token = jwt.encode(claims, key, name, headers={"kid": kid})
            if name == only:
                assert tokens.verify(token)["sub"] == "ana"
                continue
            with pytest.raises(Stranger, match=f"not signed with {only}"):
                tokens.verify(token)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", jwt.InsecureKeyLengthWarning)
            short = jwt.encode(claims, weak, "RS256", headers={"kid": "weak"})
        with pytest.raises(Stranger, match="2048 bits" if only == "RS256" else "not signed with"):
            tokens.verify(short)


def test_any_token_is_rejected_or_opens_what_is_written_in_it(server: Server) -> None:
    chance, seen = random.Random(14), Counter[str]()
    for number in range(CASES):
        token, claims = case(chance, server)
        try:
            scope = Scope.of(server.tokens.verify(token.decode("ascii")))
        except Stranger:
            opened = None
            seen["rejected"] += 1
        else:
            opened = scope.user, scope.everything, scope.projects
            seen.update(["accepted", *(["everything"] if scope.everything else ())])
            seen["projects"] += bool(scope.projects)
        assert opened == (claims and rights(claims)), (number, token, claims)
    assert min(seen[name] for name in ("accepted", "rejected")) > CASES // 5
    assert min(seen[name] for name in ("everything", "projects")) > CASES // 50
