"""Keys that sign tokens, and an identity provider that publishes some of them on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

PRIVATE: Final = rsa.generate_private_key(65_537, 2_048)
OTHER: Final = rsa.generate_private_key(65_537, 2_048)
CURVE: Final = ec.generate_private_key(ec.SECP256R1())
EDWARDS: Final = ed25519.Ed25519PrivateKey.generate()


def jwk(private: Any, kid: str) -> dict[str, Any]:
    """The public half of a key as a key set has it."""
    algorithm = {
        rsa.RSAPrivateKey: "RS256", ec.EllipticCurvePrivateKey: "ES256",
        ed25519.Ed25519PrivateKey: "EdDSA",
    }  # fmt: skip
    name = next(one for kind, one in algorithm.items() if isinstance(private, kind))
    made = jwt.get_algorithm_by_name(name).to_jwk(private.public_key(), as_dict=True)
    return {**made, "kid": kid}


@dataclass
class Provider:
    """A key set over HTTP: what it answers can be changed; it counts how often it was asked."""

    url: str = ""
    body: bytes = b""
    status: int = 200
    asked: int = 0
    also: dict[str, Any] = field(default_factory=dict)  # JSON at other paths
    other: Any = field(default=OTHER)

    def answers(self, content: Any, status: int = 200) -> None:
        """What it says from now on: JSON, or the bytes themselves."""
        self.body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.status = status


@contextmanager
def providing(content: Any) -> Iterator[Provider]:
    """A provider that answers this."""
    provider = Provider()
    provider.answers(content)

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            provider.asked += 1
            self.send_response(provider.status)
            self.end_headers()
            other = provider.also.get(self.path)
            self.wfile.write(provider.body if other is None else json.dumps(other).encode())

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.do_GET()

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        provider.url = f"http://127.0.0.1:{server.server_port}/keys"
        yield provider
        server.shutdown()
        thread.join()
