"""Signing requests to subgraphs, by HTTP Message Signatures (RFC 9421) with HMAC-SHA256.

What is signed is the text that docs/signatures.md shows: method, path, query, the digest of the body (RFC 9530), the
headers that tell who asks, the time, and the subgraph for which it is meant, so that a subgraph cannot pass on to
another what it got itself.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote

from router.execution.subgraph_client import Headers, SubgraphClient, SubgraphRequest, SubgraphResponse

LABEL = "galleria"


@dataclass(frozen=True, slots=True)
class Signing:
    """The key, and the names in lower case of ``headers`` that are signed where they are sent."""

    key_id: str
    secret: bytes = field(repr=False)
    headers: frozenset[bytes]


class RequestSigner:
    """Signs requests to one address of a ``subgraph``; ``target`` is the path and query of its URL."""

    def __init__(self, signing: Signing, subgraph: str, target: str, clock: Callable[[], float] = time.time) -> None:
        path, _, query = target.partition("?")
        # Made once: what the secret comes to is the same for every request, and is copied.
        self._keyed = hmac.new(signing.secret, digestmod="sha256")
        self._headers = signing.headers
        self._lines = [f'"@path": {path}', *([f'"@query": ?{query}'] if query else [])]
        self._names = ['"@path"', *(['"@query"'] if query else [])]
        self._parameters = f';keyid="{signing.key_id}";alg="hmac-sha256";tag="{quote(subgraph)}"'
        self._clock = clock

    def signed(self, method: str, headers: Headers, body: bytes | None) -> Headers:
        """``headers`` and those of the signature; ``body`` is None where there is none that can be signed."""
        added: list[tuple[bytes, bytes]] = []
        lines = [f'"@method": {method}', *self._lines]
        names = ['"@method"', *self._names]
        if body is not None:
            digest = b"sha-256=:" + base64.b64encode(hashlib.sha256(body).digest()) + b":"
            added.append((b"content-digest", digest))
            lines.append(f'"content-digest": {digest.decode()}')
            names.append('"content-digest"')
        for name, value in _combined(headers, self._headers).items():
            lines.append(f'"{name}": {value}')
            names.append(f'"{name}"')
        parameters = f"({' '.join(names)});created={int(self._clock())}{self._parameters}"
        lines.append(f'"@signature-params": {parameters}')
        signature = base64.b64encode(self._authenticated("\n".join(lines).encode("latin-1")))
        added.append((b"signature-input", f"{LABEL}={parameters}".encode()))
        added.append((b"signature", b"%b=:%b:" % (LABEL.encode(), signature)))
        return (*headers, *added)

    def _authenticated(self, text: bytes) -> bytes:
        code = self._keyed.copy()
        code.update(text)
        return code.digest()


def _combined(headers: Headers, wanted: frozenset[bytes]) -> dict[str, str]:
    """The values of the ``wanted`` headers, several of one name apart by commas (RFC 9421, section 2.1)."""
    found: dict[str, str] = {}
    for name, value in headers:
        lower = name.lower()
        if lower in wanted:
            key, text = lower.decode(), value.decode("latin-1").strip()
            found[key] = f"{found[key]}, {text}" if key in found else text
    return found


class SigningClient:
    """A SubgraphClient that signs what it sends by ``inner``. Of files, which are read as they are sent, no digest."""

    def __init__(self, inner: SubgraphClient, signer: RequestSigner) -> None:
        self._inner = inner
        self._signer = signer

    async def send(self, request: SubgraphRequest) -> SubgraphResponse:
        """As the protocol says."""
        body = None if request.files else request.body
        headers = self._signer.signed("POST", request.headers, body)
        return await self._inner.send(request._replace(headers=headers))

    async def close(self) -> None:
        """As the protocol says."""
        await self._inner.close()
