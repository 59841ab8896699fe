"""Signing requests to subgraphs, by HTTP Message Signatures (RFC 9421) with HMAC-SHA256.

What is signed is the text that docs/signatures.md shows: method, path, query, the digest of the body (RFC 9530), the
headers that tell who asks, the time, and the subgraph for which it is meant, so that a subgraph cannot pass on to
another what it got itself.
"""

from __future__ import annotations

import hmac
import time
from binascii import b2a_base64
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import quote

from router.execution.subgraph_client import Headers, SubgraphRequest

LABEL = b"galleria"


@dataclass(frozen=True, slots=True)
class Signing:
    """The key, and the names in lower case of ``headers`` that are signed where they are sent."""

    key_id: str
    secret: bytes = field(repr=False)
    headers: frozenset[bytes]


class RequestSigner:
    """Signs requests to one address of a ``subgraph``; ``target`` is the path and query of its URL.

    What does not vary is written once. Each request adds its body's digest, the headers that tell who asks, the time,
    and the signature.
    """

    def __init__(self, signing: Signing, subgraph: str, target: str, clock: Callable[[], float] = time.time) -> None:
        path, _, query = target.partition("?")
        # Made once: what the secret comes to is the same for every request, and is copied.
        self._keyed = hmac.new(signing.secret, digestmod="sha256")
        self._headers = signing.headers
        self._lines = f'\n"@path": {path}'.encode()
        self._names = b' "@path"'
        if query:
            self._lines += f'\n"@query": ?{query}'.encode()
            self._names += b' "@query"'
        self._parameters = f';keyid="{signing.key_id}";alg="hmac-sha256";tag="{quote(subgraph)}"'.encode()
        self._clock = clock

    def __call__(self, request: SubgraphRequest, headers: Headers) -> Headers:
        """As HeaderStep says. Of files, which are read as they are sent, no digest."""
        return self.signed("POST", headers, None if request.files else request.body)

    def signed(self, method: str, headers: Headers, body: bytes | None) -> Headers:
        """``headers`` and those of the signature; ``body`` is None where there is none that can be signed."""
        lines, names = self._lines, self._names
        sent = headers
        if body is not None:
            digest = b"sha-256=:%b:" % b2a_base64(sha256(body).digest(), newline=False)
            sent = (*headers, (b"content-digest", digest))
            lines += b'\n"content-digest": ' + digest
            names += b' "content-digest"'
        for name, value in _combined(headers, self._headers).items():
            lines += b'\n"%b": %b' % (name, value)
            names += b' "%b"' % name
        parameters = b'("@method"%b);created=%d%b' % (names, self._clock(), self._parameters)
        code = self._keyed.copy()
        code.update(b'"@method": %b%b\n"@signature-params": %b' % (method.encode(), lines, parameters))
        signature = b2a_base64(code.digest(), newline=False)
        return (
            *sent,
            (b"signature-input", b"%b=%b" % (LABEL, parameters)),
            (b"signature", b"%b=:%b:" % (LABEL, signature)),
        )


def _combined(headers: Headers, wanted: frozenset[bytes]) -> dict[bytes, bytes]:
    """The values of the ``wanted`` headers, several of one name apart by commas (RFC 9421, section 2.1)."""
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        lower = name.lower()
        if lower in wanted:
            text = value.strip()
            found[lower] = b"%b, %b" % (found[lower], text) if lower in found else text
    return found
