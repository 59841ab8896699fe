"""What a request gets as it leaves for one address: the headers that the settings ask for, in one layer.

Each step is a function of the request and of what was added so far, so that it costs a call, and no layer and no copy
of the request of its own. The last ones see what the ones before them have added::

    request -> trace -> time that is left -> signature -> the address

A request that is sent again passes here again: what was left of its time then is no longer true, nor when it was
signed.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from router.execution.subgraph_client import Headers, SubgraphClient, SubgraphRequest, SubgraphResponse, with_headers

# The headers that are added to a request, of the request as it came and of those that were added so far.
HeaderStep = Callable[[SubgraphRequest, Headers], Headers]


class DepartingClient:
    """A SubgraphClient that sends by ``inner`` with the headers that the ``steps`` add, one after the other."""

    def __init__(self, inner: SubgraphClient, steps: Sequence[HeaderStep]) -> None:
        self._inner = inner
        self._steps = tuple(steps)

    def send(self, request: SubgraphRequest) -> Coroutine[Any, Any, SubgraphResponse]:
        """As the protocol says."""
        added: Headers = ()
        for step in self._steps:
            added += step(request, added)
        return self._inner.send(with_headers(request, request.headers + added))

    async def close(self) -> None:
        """As the protocol says."""
        await self._inner.close()


def departing(client: SubgraphClient, steps: Sequence[HeaderStep]) -> SubgraphClient:
    """``client`` with ``steps`` before it; itself where there are none."""
    return DepartingClient(client, steps) if steps else client
