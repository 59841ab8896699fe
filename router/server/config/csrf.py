"""Section ``csrf``: requests that a foreign web page could make a browser send unasked."""

from __future__ import annotations

from pydantic import Field

from router.server.config.section import Section


class CsrfSettings(Section):
    """``guard_get`` left out: wherever who asks may come in a cookie, which browsers send along by themselves."""

    guard_get: bool | None = None
    preflight_headers: tuple[str, ...] = Field(
        ("apollo-require-preflight", "x-apollo-operation-name", "graphql-preflight"), min_length=1
    )
