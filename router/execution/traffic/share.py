"""Sharing of identical queries in flight: while one is asked, another one with the same key waits for its answer.

The key is all that a subgraph gets to see: its name, the body, and every forwarded header, so that nobody is given
what another one may see. A mutation, and what has files, is never shared; and a query that comes after a mutation was
answered never gets an answer that was asked for before, so that whoever wrote something reads it.
"""

from __future__ import annotations

import asyncio

from msgspec import structs

from router.execution.errors import SUBGRAPH_TIMEOUT, SubgraphFailure
from router.execution.http.deadlines import Deadlines
from router.execution.in_flight import Abandoned, InFlight
from router.execution.subgraph_client import SubgraphClient, SubgraphRequest, SubgraphResponse


class SharingClient:
    """A SubgraphClient over another one, which it closes; ``shared`` counts the requests that were not sent."""

    def __init__(self, client: SubgraphClient) -> None:
        self.shared = 0
        self._client = client
        self._mutations = 0
        self._in_flight: InFlight[SubgraphResponse] = InFlight()
        self._deadlines = Deadlines()

    async def send(self, request: SubgraphRequest) -> SubgraphResponse:
        """As the protocol says."""
        if not request.repeatable or request.files:
            try:
                return await self._client.send(request)
            finally:
                self._mutations += 1
        key = (request.subgraph, request.body, request.headers, self._mutations)
        if key in self._in_flight:
            return await self._follow(key, request)
        return await self._lead(key, request)

    async def close(self) -> None:
        """As the protocol says."""
        self._deadlines.close()
        await self._client.close()

    async def _lead(self, key: tuple[object, ...], request: SubgraphRequest) -> SubgraphResponse:
        in_flight = self._in_flight
        in_flight.begin(key)
        try:
            response = await self._client.send(request)
        except SubgraphFailure as failure:
            in_flight.fail(key, failure)
            raise
        except BaseException:
            in_flight.fail(key, Abandoned())
            raise
        in_flight.land(key, response)
        return response

    async def _follow(self, key: tuple[object, ...], request: SubgraphRequest) -> SubgraphResponse:
        """Wait within the request's own time limit; ask anew where the other one had less time, or was given up."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + request.timeout_s
        waiter = self._in_flight.follow(key)
        self._deadlines.watch(waiter, deadline)
        self.shared += 1
        try:
            return await waiter
        except SubgraphFailure as failure:
            if failure.code != SUBGRAPH_TIMEOUT or clock() >= deadline:
                raise SubgraphFailure(failure.code, failure.message) from None
        except Abandoned:
            pass
        except TimeoutError:
            message = f"Subgraph '{request.subgraph}' did not answer within {request.timeout_s:.3g} seconds."
            raise SubgraphFailure(SUBGRAPH_TIMEOUT, message) from None
        finally:
            self._deadlines.forget(waiter)
        self.shared -= 1
        return await self.send(structs.replace(request, timeout_s=max(deadline - clock(), 0)))
