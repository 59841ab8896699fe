"""Section ``entity_cache``: subgraphs' answers, kept by entity and by root fetch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from router.server.config.headers import HeaderName
from router.server.config.section import Section

Coordinate = Annotated[str, Field(pattern=r"^[_A-Za-z][_0-9A-Za-z]*(\.[_A-Za-z][_0-9A-Za-z]*)?$")]


class LifetimeSettings(Section):
    """How long what a type or field says may be kept, and whether it is for all or for who asked."""

    max_age_s: float = Field(ge=0)
    scope: Literal["public", "private"] = "public"


class EntityCacheSettings(Section):
    """``private_by`` are the headers that tell who asks. ``max_bytes`` and ``max_entries`` bound a process's memory."""

    enabled: bool = False
    default_ttl_s: float | None = Field(None, ge=0)
    max_ttl_s: float = Field(3600.0, gt=0)
    stale_s: float = Field(0.0, ge=0)
    max_stale_s: float = Field(60.0, ge=0)
    lifetimes: Mapping[Coordinate, LifetimeSettings] = Field(default_factory=dict)
    private_by: tuple[HeaderName, ...] = ("authorization",)
    max_bytes: int = Field(100_000_000, gt=0)
    max_entries: int = Field(100_000, gt=0)

    @model_validator(mode="after")
    def _someone_is_told_apart(self) -> Self:
        if not self.private_by:
            raise ValueError("private_by names the headers that tell who asks, so that it names at least one")
        return self
