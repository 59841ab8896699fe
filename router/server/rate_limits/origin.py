"""Where a request comes from: the address of the client, and the headers that a rule asks for.

A step before those that answer leaves it for the operations of the request, or of the WebSocket. It is there only where
there are rules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from contextvars import ContextVar
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from types import MappingProxyType
from typing import NamedTuple

from router.server.http.exchange import Exchange, Step

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address
UNKNOWN = "unknown"
# What a customer of a provider has of IPv6 (RFC 6177): its addresses are one client's.
_PREFIX_OF_IPV6 = 64
_MOST_HOPS = 20


class Origin(NamedTuple):
    """``address`` is the client's, of IPv6 its network; ``headers`` are those that rules ask for."""

    address: str = UNKNOWN
    headers: Mapping[bytes, bytes] = MappingProxyType({})


ORIGIN: ContextVar[Origin] = ContextVar("galleria_origin", default=Origin())  # noqa: B039 - nothing in it changes


class OriginReading(Step):
    """The operations of a request find in ORIGIN where they come from."""

    def __init__(self, headers: Set[bytes], trusted_proxies: Sequence[Network]) -> None:
        self._headers = headers
        self._trusted = tuple(trusted_proxies)

    def begin(self, exchange: Exchange) -> None:
        """Read it."""
        client = exchange.scope.get("client")
        peer = client[0] if client else ""
        if self._headers or self._trusted:
            ORIGIN.set(self._origin(peer, exchange.fields))
        else:
            ORIGIN.set(_of_peer(peer))

    def _origin(self, peer: str, fields: Mapping[bytes, bytes]) -> Origin:
        forwarded = fields.get(b"x-forwarded-for", b"") if self._trusted else b""
        if not forwarded and not self._headers:
            return _of_peer(peer)
        address = client_address(peer, forwarded.decode("latin-1"), self._trusted)
        return Origin(address, {name: fields[name] for name in self._headers if name in fields})


def client_address(peer: str, forwarded: str, trusted: Sequence[Network]) -> str:
    """The client's address, where ``peer`` is connected and ``x-forwarded-for`` says ``forwarded``.

    Each proxy adds at the end whom it was asked by. So the list is read from its end, for as long as whoever said an
    entry is one of the ``trusted``: what a client writes at its beginning is believed of nobody.
    """
    address = _parse_peer(peer)
    hops = [part.strip() for part in forwarded.split(",")][-_MOST_HOPS:] if forwarded else []
    while hops and address is not None and any(address in network for network in trusted):
        before = _parse(hops.pop())
        if before is None:
            break
        address = before
    return _told(address) if address is not None else peer or UNKNOWN


def _parse(text: str) -> Address | None:
    """An address as proxies write it: with a port, or in brackets, where they do."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


@lru_cache(maxsize=1024)
def _of_peer(peer: str) -> Origin:
    """What is known of one who is connected, where nothing else counts."""
    return Origin(client_address(peer, "", ()))


# A connection brings many requests, and clients many connections. What forwarded entries say is a stranger's text: of
# any length, and so not remembered.
_parse_peer = lru_cache(maxsize=1024)(_parse)


@lru_cache(maxsize=1024)
def _told(address: Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    return str(IPv6Network((int(address), _PREFIX_OF_IPV6), strict=False))
