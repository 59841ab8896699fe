"""Where the replicas of a subgraph are."""

from __future__ import annotations

import asyncio
import socket
from urllib.parse import urlsplit


async def addresses_of(url: str) -> list[str]:
    """The IP addresses of the host of ``url``, sorted. OSError where it has none."""
    host = urlsplit(url).hostname or ""
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return sorted({str(sockaddr[0]) for *_, sockaddr in found})
