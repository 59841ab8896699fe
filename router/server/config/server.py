"""Section ``server``: the address of the router, and what a connection of a client may take."""

from __future__ import annotations

from pydantic import Field

from router.server.config.section import Section


class ServerSettings(Section):
    """Where the router listens, unless the command line says otherwise, and how it goes.

    For ``drain_s`` after SIGTERM it still takes requests, while ``/health/ready`` says that it goes. The others bound
    what a client can hold by being slow or by sending much: connections, heads, and time.
    """

    host: str = "127.0.0.1"
    port: int = Field(4000, ge=0, le=65535)
    workers: int = Field(1, ge=1, le=64)
    drain_s: float = Field(0.0, ge=0, le=3600)
    max_connections: int = Field(10_000, ge=1)
    max_header_bytes: int = Field(32_768, ge=1024)
    header_timeout_s: float = Field(10.0, gt=0)
    body_timeout_s: float = Field(10.0, gt=0)
    min_body_bytes_per_s: int = Field(1000, ge=1)
    keep_alive_s: float = Field(5.0, gt=0)
    send_timeout_s: float = Field(30.0, gt=0)
