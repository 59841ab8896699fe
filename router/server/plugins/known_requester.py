"""Who asks, for plugins: what verifies it leaves it in the context of the request under way."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.types import Scope

from router.execution.subgraph_client import Headers
from router.server.access.caller import Caller, Identity
from router.server.plugins.plugin import CURRENT


class NotingIdentity:
    """An Identity that asks ``inner``, and notes the requester for the plugins."""

    def __init__(self, inner: Identity) -> None:
        self._inner = inner

    async def caller(self, scope: Scope, propagated: Headers, headers: Iterable[tuple[bytes, bytes]]) -> Caller:
        """As Identity says."""
        caller = await self._inner.caller(scope, propagated, headers)
        context = CURRENT.get(None)
        if context is not None:
            context.requester = caller.requester
        return caller
