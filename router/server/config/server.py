"""Section ``server``: the address of the router."""

from __future__ import annotations

from pydantic import Field

from router.server.config.section import Section


class ServerSettings(Section):
    """Where the router listens, unless the command line says otherwise, and how it goes.

    For ``drain_s`` after SIGTERM it still takes requests, while ``/health/ready`` says that it goes.
    """

    host: str = "127.0.0.1"
    port: int = Field(4000, ge=0, le=65535)
    workers: int = Field(1, ge=1, le=64)
    drain_s: float = Field(0.0, ge=0, le=3600)
