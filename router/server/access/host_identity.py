"""Who sent a request, as the application says in which the router is mounted: its sessions, its users, its tokens."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Awaitable, Callable, Iterable

from starlette.types import Scope

from router.execution.subgraph_client import Headers
from router.server.access.caller import Caller
from router.server.request_error import RequestError

logger = logging.getLogger("galleria.router")

IDENTITY_FAILED = "IDENTITY_FAILED"
Identify = Callable[[Scope], Awaitable[Caller]]


class HostIdentity:
    """Asks ``identify`` with the ASGI scope of a request, in which the host's middleware has left what it knows."""

    def __init__(self, identify: Identify) -> None:
        self._identify = identify

    async def caller(self, scope: Scope, propagated: Headers, _: Iterable[tuple[bytes, bytes]]) -> Caller:
        """The host's caller, with the ``propagated`` headers of the client that the host says nothing of.

        RequestError: the host's own refusal, or 500 IDENTITY_FAILED for anything else that it raises.
        """
        try:
            told = await self._identify(scope)
        except RequestError:
            raise
        except Exception as error:
            incident = uuid.uuid4().hex
            logger.error("the host cannot tell who asks: %s", incident, exc_info=error)
            message = f"It cannot be told who asks. The router's log tells more under the id {incident}."
            raise RequestError(500, IDENTITY_FAILED, message) from None
        own = {name.lower() for name, _ in told.headers}
        sent = tuple((name, value) for name, value in propagated if name not in own)
        return Caller((*sent, *told.headers), told.requester)
