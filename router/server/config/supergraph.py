"""Section ``supergraph``: taking over a changed one."""

from __future__ import annotations

from pydantic import Field

from router.server.config.section import Section


class SupergraphSettings(Section):
    """How a changed supergraph is taken over while the router serves.

    Files are looked at every ``watch_interval_s``; subgraphs that tell their schema themselves are asked every
    ``poll_interval_s``. The ``warm_operations`` that were used last are planned before the swap, for at most
    ``warm_timeout_s``.
    """

    watch: bool = True
    watch_interval_s: float = Field(1.0, gt=0)
    poll_interval_s: float = Field(10.0, gt=0)
    warm_operations: int = Field(200, ge=0)
    warm_timeout_s: float = Field(10.0, ge=0)
