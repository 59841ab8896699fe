"""The heads of requests that were parsed before: a client sends the same bytes with each of its requests.

What the parser finds in a head follows from its bytes, so the same bytes need no parser again. Remembered is what is
plain, and whose end needs no parser either: one request in one piece, after which the connection is kept, with a body
of the length that is told or none. A head with the ids of a trace is another one each time, and is not remembered;
nor are others before they come for the second time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.types import Scope

from router.execution.traffic.trace import TRACE_NAMES
from router.head_table import END_OF_HEAD, HeadTable

Header = tuple[bytes, bytes]

MOST_REMEMBERED = 512
MOST_BYTES = 4096
# In all, with what a header weighs in memory beside its text.
MOST_BYTES_IN_ALL = 1024 * 1024
BYTES_OF_A_HEADER = 200
MOST_BODY_BYTES = 64 * 1024
# What changes how a body is framed, or what follows the request; and what no other request has.
_NOT_PLAIN = TRACE_NAMES | {b"transfer-encoding", b"expect", b"upgrade", b"trailer", b"te"}
_KEY = "galleria.known_head"


@dataclass(frozen=True, slots=True, eq=False)
class KnownHead:
    """What the parser has found in a head: ``method``, ``target`` and ``headers`` as ASGI's scope has them.

    ``head_bytes`` is its length, ``body_bytes`` that of the body behind it.
    """

    method: str
    target: Mapping[str, Any]
    headers: list[Header]
    head_bytes: int
    body_bytes: int

    @property
    def weight(self) -> int:
        """How many bytes it takes in memory, near enough."""
        return self.head_bytes + BYTES_OF_A_HEADER * len(self.headers)


class KnownHeads(HeadTable[KnownHead]):
    """The heads that were sent of late to this process."""

    def __init__(self) -> None:
        super().__init__(MOST_REMEMBERED, MOST_BYTES_IN_ALL)

    def remember(self, data: bytes, method: str, target: Mapping[str, Any], headers: Sequence[Header]) -> None:
        """The parser has found this in ``data``, one request that leaves its connection open; nothing if not plain."""
        head_bytes = data.find(END_OF_HEAD) + len(END_OF_HEAD)
        body_bytes = len(data) - head_bytes
        if head_bytes > MOST_BYTES or body_bytes > MOST_BODY_BYTES or not self.came_before(data[:head_bytes]):
            return
        fields = dict(headers)
        if len(fields) < len(headers) or not _NOT_PLAIN.isdisjoint(fields):
            return
        # By a head that ends in another way than here, another length is told.
        told = fields.get(b"content-length")
        if told == b"%d" % body_bytes or (told is None and not body_bytes and method == "GET"):
            head = KnownHead(method, target, list(headers), head_bytes, body_bytes)
            self.keep(data[:head_bytes], head, head.weight)


def tell_known_head(scope: Scope, head: KnownHead) -> None:
    """Let who answers the request of ``scope`` find its head."""
    scope[_KEY] = head


def known_head_in(scope: Scope) -> KnownHead | None:
    """The head of a request; None where it was parsed, or the headers are others by now."""
    head: KnownHead | None = scope.get(_KEY)
    return head if head is not None and head.headers == scope["headers"] else None
