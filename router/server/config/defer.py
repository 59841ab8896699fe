"""Section ``defer``: answers in parts."""

from __future__ import annotations

from router.server.config.section import Section


class DeferSettings(Section):
    """Fragments with ``@defer``, for clients that accept an answer in parts. Off, they are answered with the rest."""

    enabled: bool = True
