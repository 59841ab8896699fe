"""Section ``cors``: which web pages of other origins may read answers."""

from __future__ import annotations

import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from router.server.config.section import Section

ANY = "*"
# What a page of nobody's is at, or a sandboxed frame of anybody's (WHATWG HTML, 7.1.1).
_OPAQUE = "null"
# As browsers say it: scheme, host and port alone, in lower case.
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^\s/?#@A-Z*]+")
# Whoever lets these in names no origin.
_ANYBODY = tuple(f"{scheme}://{host}" for scheme in ("https", "http") for host in ("a.test", "a.com", "a.b.org"))


def _as_browsers_say_it(origin: str) -> str:
    if origin not in (ANY, _OPAQUE) and _ORIGIN.fullmatch(origin) is None:
        raise ValueError(
            "no browser says this: write scheme and host in lower case, without a path, as in https://shop.example, "
            "or a regular expression in cors.patterns"
        )
    return origin


class CorsSettings(Section):
    """Without ``origins`` and ``patterns`` none may. ``credentials`` are for origins that are named alone."""

    origins: tuple[Annotated[str, AfterValidator(_as_browsers_say_it)], ...] = ()
    patterns: tuple[str, ...] = ()
    credentials: bool = False
    allow_headers: tuple[str, ...] = (
        "authorization",
        "content-type",
        "apollo-require-preflight",
        "graphql-preflight",
        "x-apollo-operation-name",
        "apollographql-client-name",
        "apollographql-client-version",
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
        anybody = (*_ANYBODY, _OPAQUE)
        names_nobody = any(re.fullmatch(pattern, origin) for pattern in self.patterns for origin in anybody)
        if self.credentials and (names_nobody or ANY in self.origins or _OPAQUE in self.origins):
            raise ValueError("credentials need origins that are named, not any")
        return self
