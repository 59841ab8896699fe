"""Signing requests to subgraphs, by HTTP Message Signatures (RFC 9421) with HMAC-SHA256.

What is signed is the text that docs/signatures.md shows: method, path, query, the digest of the body (RFC 9530), the
headers that tell who asks, the time, and the subgraph for which it is meant, so that a subgraph cannot pass on to
another what it got itself.
"""

from __future__ import annotations

import time
from binascii import b2a_base64
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from urllib.parse import quote

from router.execution.subgraph_client import Headers, SubgraphRequest
from router.execution.traffic.once_for_headers import OnceForHeaders

LABEL = b"galleria"
# The bytes that SHA-256 takes at a time.
_BLOCK = 64


# Of headers that are signed: their names, and their lines, as they are added to those of the request.
Components = tuple[bytes, bytes]
# The lines that end a text, and the header ``signature-input``.
Ending = tuple[bytes, tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Signing:
    """The key, and the names in lower case of ``headers`` that are signed where they are sent.

    ``of_request`` gives the components of the headers that all fetches of a request have, whatever their subgraph.
    """

    key_id: str
    secret: bytes = field(repr=False)
    headers: frozenset[bytes]
    of_request: Callable[[Headers], Components] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "of_request", OnceForHeaders(partial(_components, self.headers)))

    def components(self, headers: Headers) -> Components:
        """Those of any headers."""
        return _components(self.headers, headers)


class RequestSigner:
    """Signs requests to one address of a ``subgraph``; ``target`` is the path and query of its URL.

    What does not vary is written once, and what follows of headers and time once for all that is sent with the same
    headers in one second. Each request adds its body's digest, and the signature.
    """

    def __init__(
        self,
        signing: Signing,
        subgraph: str,
        target: str,
        clock: Callable[[], float] = time.time,
        *,
        signs_added: bool = True,
    ) -> None:
        """Where it ``signs_added``, what other steps add may be among the headers that are signed."""
        path, _, query = target.partition("?")
        self._signing = signing
        self._keyed = Keyed(signing.secret)
        self._lines = f'\n"@path": {path}'.encode()
        self._names = b'("@method" "@path"'
        if query:
            self._lines += f'\n"@query": ?{query}'.encode()
            self._names += b' "@query"'
        self._lines_of_body = self._lines + b'\n"content-digest": '
        self._names_of_body = self._names + b' "content-digest"'
        self._lines_of_post = b'"@method": POST' + self._lines_of_body
        self._parameters = f';keyid="{signing.key_id}";alg="hmac-sha256";tag="{quote(subgraph)}"'.encode()
        self._clock = clock
        self._begin_second(-1)
        self._signs_added = signs_added

    def __call__(self, request: SubgraphRequest, added: Headers) -> Headers:
        """As HeaderStep says. Of files, which are read as they are sent, no digest."""
        if request.files or (added and self._signs_added and self._signing.components(added)[0]):
            return self._signature(b"POST", request.headers + added, None if request.files else request.body)
        now = int(self._clock())
        if now != self._created_at:
            self._begin_second(now)
        after_digest, input_header = self._of_post(request.headers)
        # By addition: formatting bytes takes three times as long.
        digest = b"sha-256=:" + b2a_base64(sha256(request.body).digest(), newline=False) + b":"
        code = self._keyed.digest(self._lines_of_post + digest + after_digest)
        signature = LABEL + b"=:" + b2a_base64(code, newline=False) + b":"
        return (b"content-digest", digest), input_header, (b"signature", signature)

    def signed(self, method: str, headers: Headers, body: bytes | None) -> Headers:
        """``headers`` and those of the signature; ``body`` is None where there is none that can be signed."""
        return headers + self._signature(method.encode(), headers, body)

    def _signature(self, method: bytes, headers: Headers, body: bytes | None) -> Headers:
        now = int(self._clock())
        if now != self._created_at:
            self._begin_second(now)
        who_asks = self._signing.components(headers)
        if body is None:
            digest, lines, ending = b"", self._lines, self._ending(self._names, who_asks)
        else:
            digest = b"sha-256=:" + b2a_base64(sha256(body).digest(), newline=False) + b":"
            lines, ending = self._lines_of_body + digest, self._ending(self._names_of_body, who_asks)
        code = self._keyed.digest(b'"@method": ' + method + lines + ending[0])
        signature = (b"signature", LABEL + b"=:" + b2a_base64(code, newline=False) + b":")
        return ((b"content-digest", digest), ending[1], signature) if digest else (ending[1], signature)

    def _begin_second(self, now: int) -> None:
        """What the signatures of one second have in common."""
        self._created_at, self._created = now, b");created=%d%b" % (now, self._parameters)
        self._of_post = OnceForHeaders(
            lambda headers: self._ending(self._names_of_body, self._signing.of_request(headers))
        )

    def _ending(self, names: bytes, who_asks: Components) -> Ending:
        """The end of a text that begins with lines of the ``names``, and the header that tells what is signed."""
        parameters = names + who_asks[0] + self._created
        return who_asks[1] + b'\n"@signature-params": ' + parameters, (b"signature-input", LABEL + b"=" + parameters)


class Keyed:
    """HMAC-SHA256 (RFC 2104) by one ``secret``.

    What the secret comes to is the same for every text, and is copied: ``hmac`` itself does that only by objects whose
    copies cost as much as what they compute.
    """

    __slots__ = ("_inner", "_outer")

    def __init__(self, secret: bytes) -> None:
        key = (secret if len(secret) <= _BLOCK else sha256(secret).digest()).ljust(_BLOCK, b"\0")
        self._inner = sha256(bytes(byte ^ 0x36 for byte in key))
        self._outer = sha256(bytes(byte ^ 0x5C for byte in key))

    def digest(self, text: bytes) -> bytes:
        """The code of ``text``."""
        inner = self._inner.copy()
        inner.update(text)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.digest()


def _components(wanted: frozenset[bytes], headers: Headers) -> Components:
    """Of the ``headers`` those ``wanted``, several of one name apart by commas (RFC 9421, section 2.1)."""
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        lower = name.lower()
        if lower in wanted:
            text = value.strip()
            found[lower] = b"%b, %b" % (found[lower], text) if lower in found else text
    if not found:
        return b"", b""
    names = b"".join([b' "%b"' % name for name in found])
    return names, b"".join([b'\n"%b": %b' % component for component in found.items()])
