"""Section ``uploads``: files."""

from __future__ import annotations

from pydantic import Field

from router.server.config.section import Section


class UploadSettings(Section):
    """Files by the GraphQL multipart request specification.

    A web page may send forms to any address unasked, but not with headers of its own choice: one of
    ``preflight_headers`` must be there.
    """

    enabled: bool = False
    max_files: int = Field(10, gt=0)
    max_file_bytes: int = Field(10_000_000, gt=0)
    preflight_headers: tuple[str, ...] = Field(
        ("apollo-require-preflight", "x-apollo-operation-name", "graphql-preflight"), min_length=1
    )
