"""A request that came in one piece and in the plainest form, read without a parser: what there is no room for.

Only what cannot be read in two ways is read here, as the bytes after it are the next request: one POST of HTTP/1.1,
fields of visible characters, none of them twice, and a body of just the length that is told. All else is the parser's.
"""

from __future__ import annotations

import re

from starlette.types import Scope

# RFC 9112, sections 3 and 5: a request line, and field lines with a token for their name.
_HEAD = re.compile(
    rb"POST (/[A-Za-z0-9/_.~-]*+) HTTP/1\.1\r\n((?:[!#$%&'*+.^_`|~0-9A-Za-z-]++:[\t\x20-\x7e]*+\r\n)++)\r\n"
)
# What changes how a body is framed, or what follows the request.
_CHANGING = frozenset((b"transfer-encoding", b"expect", b"upgrade", b"trailer", b"te"))


def read_plain_request(data: bytes, max_head_bytes: int) -> Scope | None:
    """``method``, ``path`` and ``headers`` of the one request that ``data`` is, as ASGI has them; None for all else.

    Its connection is kept; its body is in ``data`` too.
    """
    match = _HEAD.match(data)
    if match is None or match.end() > max_head_bytes:
        return None
    lines = match[2].split(b"\r\n")[:-1]
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
    if len(headers) < len(lines) or not _CHANGING.isdisjoint(headers) or b"host" not in headers:
        return None
    if headers.get(b"connection", b"keep-alive").lower() != b"keep-alive":
        return None
    if headers.get(b"content-length") != b"%d" % (len(data) - match.end()):
        return None
    return {"type": "http", "method": "POST", "path": match[1].decode(), "headers": list(headers.items())}
