"""Section ``errors``: what clients are told of errors that are not theirs."""

from __future__ import annotations

from router.server.config.section import Section


class ErrorSettings(Section):
    """``mask`` left out: in production. An error of a subgraph whose code is among ``told_codes`` is told as it is."""

    mask: bool | None = None
    told_codes: tuple[str, ...] = (
        "BAD_USER_INPUT",
        "FORBIDDEN",
        "NOT_FOUND",
        "SERVICE_UNAVAILABLE",
        "UNAUTHENTICATED",
    )
    told_extensions: tuple[str, ...] = ("code", "service")
