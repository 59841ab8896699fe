"""A request that is refused before it is an operation: the HTTP edge's own errors. docs/error-codes.md lists them."""

from __future__ import annotations

from collections.abc import Mapping


class RequestError(Exception):
    """Refuse a request with HTTP ``status``; ``headers`` are added to the answer, ``extensions`` to the error's.

    ``identify`` of a host and the hooks of plugins may raise it. Clients are told ``message`` as it is, and ``code`` as
    ``extensions.code``.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        headers: Mapping[str, str] | None = None,
        extensions: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}
        self.extensions = extensions or {}
