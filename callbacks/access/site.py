"""Where this server is for those who use it: its public address, and what a proxy in front of it
says of a request (`X-Forwarded-For`, `-Proto`, `-Host`, `X-Request-ID`, the header of a token).

A proxy is believed when its own address is among SPENDSCOPE_TRUSTED_PROXIES. From anybody else
these headers are taken away before any code sees them. Of a chain of addresses the last one that
is no proxy of ours is the client's: what stands before it, the client wrote itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, request

from callbacks.access.pages import notice
from data.settings import DEFAULT_PORTS, Settings

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
FOR: Final = "HTTP_X_FORWARDED_FOR"
PROTO: Final = "HTTP_X_FORWARDED_PROTO"
HOST: Final = "HTTP_X_FORWARDED_HOST"
REQUEST: Final = "HTTP_X_REQUEST_ID"
GIVEN_ID: Final = "spendscope.request_id"
PROXY_TOKEN: Final = "spendscope.token"  # noqa: S105  # in a WSGI environment, where no client writes
FORWARDED: Final = "spendscope-forwarded"
AN_ID: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")
SAID_BY_PROXIES: Final = (
    FOR, PROTO, HOST, REQUEST, "HTTP_X_FORWARDED_PORT", "HTTP_X_FORWARDED_PREFIX",
    "HTTP_X_FORWARDED_BY", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_X_FORWARDED",
)  # fmt: skip
SCHEMES: Final = ("http", "https")
# Asked for by balancers, which know an address and no name, and by commands of this machine.
ANY_HOST: Final = ("/healthz", "/readyz", "/metrics", "/api/v1/store/<verb>")
PUBLIC: Final = "PUBLIC_URL"
THIS_HOST: Final = "__Host-"  # a browser takes a cookie of such a name from its host alone


class Forwarded:
    """A WSGI application behind proxies, one of which may say in a header who asks (`token`)."""

    def __init__(
        self, application: Callable[..., Any], trusted: Iterable[str], token: str | None = None
    ) -> None:
        self._application = application
        self._trusted = [ip_network(one) for one in trusted]
        self._token = f"HTTP_{token.upper().replace('-', '_')}" if token else ""

    def __call__(self, environ: dict[str, Any], start: Any) -> Any:
        self.take_token(environ)
        forwarded = {name: environ.pop(name) for name in SAID_BY_PROXIES if name in environ}
        peer = parsed(environ.get("REMOTE_ADDR"))
        if peer and self._is_proxy(peer):
            environ["REMOTE_ADDR"] = str(self._client(peer, forwarded.get(FOR, "")))
            if (scheme := _last(forwarded.get(PROTO, "")).lower()) in SCHEMES:
                environ["wsgi.url_scheme"] = scheme
            if host := _last(forwarded.get(HOST, "")):
                environ["HTTP_HOST"] = host
            if AN_ID.fullmatch(given := forwarded.get(REQUEST, "")):
                environ[GIVEN_ID] = given
        return self._application(environ, start)

    def take_token(self, environ: dict[str, Any]) -> None:
        """Move the token of an authenticating proxy to where no client reaches; anybody else's
        header of that name is taken away. Before the client's address stands for the peer's."""
        token, peer = environ.pop(self._token, None), parsed(environ.get("REMOTE_ADDR"))
        if token and peer and self._is_proxy(peer):
            environ[PROXY_TOKEN] = str(token)

    def _client(self, peer: Address, chain: str) -> Address:
        """The last address of a chain that is no proxy of ours."""
        client = peer
        for one in reversed(chain.split(",")):
            if not self._is_proxy(client) or (before := parsed(one)) is None:
                break
            client = before
        return client

    def _is_proxy(self, address: Address) -> bool:
        return any(address in network for network in self._trusted)


def attach(server: Flask, settings: Settings) -> None:
    """Have a server know its proxies and its address. Call it before other checks."""
    behind = Forwarded(server.wsgi_app, settings.trusted_proxies, settings.jwt_header)
    server.extensions[FORWARDED] = behind
    server.wsgi_app = behind  # type: ignore[method-assign, assignment]
    server.config[PUBLIC] = settings.public_url
    if settings.public_url:
        server.before_request(_refuse_other_hosts)


def parsed(text: str | None) -> Address | None:
    """An address, with or without its port; one of IPv4 in IPv6 as that of IPv4."""
    plain = (text or "").strip()
    if plain.startswith("["):
        plain = plain[1:].partition("]")[0]
    elif plain.count(":") == 1:
        plain = plain.partition(":")[0]
    try:
        address = ip_address(plain.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def public_site() -> str:
    """Where those who are sent a link find this server, without a slash at the end."""
    return current_app.config[PUBLIC] or request.host_url.rstrip("/")


def is_secure() -> bool:
    """Whether the browser speaks TLS, with us or with a proxy in front of us."""
    return request.is_secure or (current_app.config[PUBLIC] or "").startswith("https:")


def _refuse_other_hosts() -> Any:
    """Whoever calls this server by another name is told its own."""
    rule = request.url_rule.rule if request.url_rule else ""
    public = urlsplit(current_app.config[PUBLIC])
    asked = request.headers.get("Host", "").lower().removesuffix(f":{DEFAULT_PORTS[public.scheme]}")
    if rule in ANY_HOST or asked == public.netloc:
        return None
    sentence = f"This server answers at {public.geturl()} alone."
    page = notice("Another address", sentence, public.geturl())
    return Response(page, 400, mimetype="text/html")


def _last(header: str) -> str:
    """What the proxy nearest to us says."""
    return header.rpartition(",")[2].strip()
