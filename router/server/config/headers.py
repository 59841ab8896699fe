"""Section ``headers``: what passes from clients to subgraphs."""

from __future__ import annotations

from router.server.config.section import Section


class HeaderSettings(Section):
    """``propagate`` names the client's headers that subgraphs get."""

    propagate: tuple[str, ...] = ("authorization",)
