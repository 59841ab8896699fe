"""The seam between a subscription and the network: opening a stream of events of one subgraph.

Two kinds of protocols bring them: graphql-transport-ws, or an older one, over a WebSocket
(:class:`router.execution.subscription.websocket_source.WebSocketSource`) and server-sent events
(:class:`router.execution.subscription.sse_source.SseSource`). One test holds both to the contract below.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from router.execution.answer import Decode, SubgraphAnswer
from router.execution.errors import SubgraphFailure
from router.execution.subgraph_client import Headers

CONNECT_TIMEOUT_S = 10.0
MAX_EVENT_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class EventRequest:
    """A subscription of ``subgraph`` at ``url``: a GraphQL request as JSON in ``body``, and the forwarded headers.

    ``decode`` reads the JSON of events.
    """

    subgraph: str
    url: str
    body: bytes
    headers: Headers
    decode: Decode


class EventSource(Protocol):
    """Opens subscriptions; each has a connection of its own, so that one that breaks costs no other."""

    def open(self, request: EventRequest) -> AbstractAsyncContextManager[AsyncIterator[SubgraphAnswer]]:
        """A context in which the subgraph sends events, and after which it was told to stop.

        The iteration ends when the subgraph completes; an error of it that ends the subscription is its last event.
        Entering and iterating raise SubgraphFailure where the connection cannot be made or is lost, which may go
        well the next time, and SubscriptionRefused where it may not.
        """


class SubscriptionRefused(SubgraphFailure):
    """The subgraph does not want this subscription; asking again would be answered in the same way."""
