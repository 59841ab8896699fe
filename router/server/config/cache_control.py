"""Section ``cache_control``: what answers tell the caches in front of the router."""

from __future__ import annotations

from pydantic import Field

from router.server.config.section import Section


class CacheControlSettings(Section):
    """Each answer bears the smallest Cache-Control of its parts.

    ``default_max_age_s`` is what a subgraph's answer without the header counts as; left out, as no-store.
    """

    enabled: bool = False
    default_max_age_s: int | None = Field(None, ge=0)
