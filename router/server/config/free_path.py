"""A path that the settings give away: one of a URL, and none that the router has something at already."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

_TAKEN = ("/health", "/metrics", "/status", "/plan", "/explorer")


def _is_free(path: str) -> str:
    if any(path == taken or path.startswith(f"{taken}/") for taken in _TAKEN):
        raise ValueError(f"the router has something of its own at {', '.join(_TAKEN)} and below")
    return path


FreePath = Annotated[str, Field(pattern=r"^/[^\s?#]+$"), AfterValidator(_is_free)]
