"""Section ``limits``: what a document may cost before anything is validated, planned or fetched."""

from __future__ import annotations

from pydantic import Field

from router.server.config.section import Section


class LimitSettings(Section):
    """All but ``max_tokens`` count with fragments inlined."""

    max_tokens: int = Field(15_000, gt=0)
    max_fields: int = Field(20_000, gt=0)
    max_depth: int = Field(50, gt=0)
    max_aliases: int = Field(100, ge=0)
    max_root_fields: int = Field(50, gt=0)
    max_directives: int = Field(200, ge=0)
    max_fragments: int = Field(500, ge=0)
    forbid_literals: bool = False
