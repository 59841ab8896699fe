"""Section ``graphql``: the endpoint."""

from __future__ import annotations

from pydantic import Field

from router.server.config.free_path import FreePath
from router.server.config.section import Section


class GraphQLSettings(Section):
    """The GraphQL endpoint. ``introspection`` left out: on wherever the explorer is.

    ``share``: queries in flight that are the same, with all their headers the same, are executed once.
    """

    path: FreePath = "/graphql"
    max_body_bytes: int = Field(1_000_000, gt=0)
    max_body_values: int = Field(50_000, gt=0)
    timeout_s: float = Field(30.0, gt=0)
    introspection: bool | None = None
    max_cached_operations: int = Field(1000, gt=0)
    max_cached_operation_bytes: int = Field(25_000_000, gt=0)
    share: bool = False
