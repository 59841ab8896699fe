"""Section ``cors``: which web pages of other origins may read answers."""

from __future__ import annotations

import re
from typing import Self

from pydantic import Field, field_validator, model_validator

from router.server.config.section import Section

ANY = "*"


class CorsSettings(Section):
    """Without ``origins`` and ``patterns`` none may. ``credentials`` are for origins that are named alone."""

    origins: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    credentials: bool = False
    allow_headers: tuple[str, ...] = (
        "authorization",
        "content-type",
        "apollo-require-preflight",
        "graphql-preflight",
        "x-apollo-operation-name",
    )
    expose_headers: tuple[str, ...] = ()
    max_age_s: int = Field(600, ge=0)

    @field_validator("patterns")
    @classmethod
    def _are_regular_expressions(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in patterns:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"'{pattern}' is not a regular expression: {error}") from None
        return patterns

    @model_validator(mode="after")
    def _names_origins_with_credentials(self) -> Self:
        if self.credentials and (ANY in self.origins or any(re.fullmatch(p, "https://a.test") for p in self.patterns)):
            raise ValueError("credentials need origins that are named, not any")
        return self
