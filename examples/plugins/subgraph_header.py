"""A header for some of the subgraphs: a key that they ask for, and that no client should know."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, SecretStr

import router


class SubgraphHeader(router.Plugin):
    """Adds the header to requests for the ``subgraphs``."""

    class Settings(BaseModel):
        """``value`` is a secret: name an environment variable, ``${STOCK_KEY}``."""

        subgraphs: frozenset[str]
        name: str
        value: SecretStr

    def __init__(self, settings: Any) -> None:
        self._subgraphs: frozenset[str] = settings.subgraphs
        self._header = (settings.name.lower().encode(), settings.value.get_secret_value().encode())

    async def on_subgraph_request(
        self, _: router.RequestContext, request: router.SubgraphRequest
    ) -> router.SubgraphRequest:
        """The request with the header, which replaces one of the client's."""
        if request.subgraph not in self._subgraphs:
            return request
        others = tuple(header for header in request.headers if header[0] != self._header[0])
        return router.with_headers(request, (*others, self._header))
