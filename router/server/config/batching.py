"""Section ``batching``: arrays of operations."""

from __future__ import annotations

from pydantic import Field

from router.server.config.section import Section


class BatchingSettings(Section):
    """Several operations in one request, as an array."""

    enabled: bool = False
    max_operations: int = Field(10, gt=0)
