"""Clients that are not served any more, by the name that they give."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

import router


class RefusedClients(router.Plugin):
    """Refuses with 403 CLIENT_REFUSED before anything of the request is read."""

    class Settings(BaseModel):
        """The ``header`` in which clients tell their name, and the ``names`` that are refused."""

        header: str = "apollographql-client-name"
        names: frozenset[str]

    def __init__(self, settings: Any) -> None:
        self._header: str = settings.header.lower()
        self._names: frozenset[str] = settings.names

    async def on_request(self, context: router.RequestContext) -> None:
        """Refuse, or let through."""
        name = context.headers.get(self._header)
        if name in self._names:
            raise router.RequestError(403, "CLIENT_REFUSED", f"The client '{name}' is not served any more. Update it.")
