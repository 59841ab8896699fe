"""Section ``compression``: of answers to clients, of their requests, and of requests to subgraphs."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from router.content_coding import Coding
from router.server.config.section import Section


class CompressionSettings(Section):
    """``answers`` of at least ``min_bytes`` are compressed in the one of ``encodings`` that the client likes best, the
    first of those that it likes alike; answers to requests with a cookie only ``with_cookies``.

    ``requests`` takes compressed requests. ``subgraph_requests`` are encodings by subgraph, for requests to it.
    """

    answers: bool = False
    encodings: tuple[Coding, ...] = Field(("zstd", "br", "gzip"), min_length=1)
    level: int = Field(3, ge=1, le=9)
    min_bytes: int = Field(1024, ge=0)
    with_cookies: bool = False
    requests: bool = False
    subgraph_requests: Mapping[str, Coding] = Field(default_factory=dict)
