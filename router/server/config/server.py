"""Section ``server``: the address of the router."""

from __future__ import annotations

from pydantic import Field

from router.server.config.section import Section


class ServerSettings(Section):
    """Where the router listens, unless the command line says otherwise."""

    host: str = "127.0.0.1"
    port: int = Field(4000, ge=0, le=65535)
    workers: int = Field(1, ge=1, le=64)
