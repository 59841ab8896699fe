"""The heads of answers that were parsed before: most answers of a second differ in their bodies alone.

What the parser finds in a head follows from its bytes, so the same bytes need no parser again. Remembered is what is
plain, and whose end needs no parser either: one answer in one piece, of the length that is told and in no coding, after
which the connection is kept. A head that names its answer is another one each time, and is not remembered; nor are
others before they come for the second time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from router.execution.subgraph_client import Headers
from router.head_table import END_OF_HEAD, HeadTable

MOST_REMEMBERED = 64
MOST_BYTES = 2048
_MOST_BYTES_IN_ALL = MOST_REMEMBERED * MOST_BYTES
_UNIQUE = (b"x-request-id", b"traceparent", b"traceresponse", b"set-cookie")


class KnownHead(NamedTuple):
    """What the parser has found: ``status`` and the headers to keep, in so many bytes, and the length of the body."""

    head_bytes: int
    body_bytes: int
    status: int
    kept_headers: Headers


class KnownHeads(HeadTable[KnownHead]):
    """The heads by which a subgraph answered of late."""

    def __init__(self) -> None:
        super().__init__(MOST_REMEMBERED, _MOST_BYTES_IN_ALL)

    def remember(
        self, data: bytes, status: int, headers: Mapping[bytes, bytes], body_bytes: int, kept_headers: Headers
    ) -> None:
        """The parser has found this in ``data``, one whole answer in no coding; nothing where it is not plain."""
        head_bytes = data.find(END_OF_HEAD) + len(END_OF_HEAD)
        # By a head that ends elsewhere, another length is told; and some have no body, whatever they tell.
        if head_bytes > MOST_BYTES or head_bytes + body_bytes != len(data) or not self.came_before(data[:head_bytes]):
            return
        fields = {name.lower(): value for name, value in headers.items()}
        if len(fields) < len(headers) or b"transfer-encoding" in fields or not fields.keys().isdisjoint(_UNIQUE):
            return
        if fields.get(b"content-length") == b"%d" % body_bytes:
            self.keep(data[:head_bytes], KnownHead(head_bytes, body_bytes, status, kept_headers), head_bytes)
