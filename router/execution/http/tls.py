"""How one subgraph is spoken to over TLS."""

from __future__ import annotations

import ssl
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tls:
    """``context`` has the authorities that are believed, and the router's own certificate where it has one.

    The subgraph's certificate must be for ``server_name``; None: for the host of its URL.
    """

    context: ssl.SSLContext
    server_name: str | None = None
