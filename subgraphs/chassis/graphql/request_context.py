"""What resolvers get as ``info.context``: who asks, the service's use cases, and this request's loaders."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Generic, TypeVar

from subgraphs.chassis.database.live_feed import LiveFeed
from subgraphs.chassis.errors import CodedError, Unavailable
from subgraphs.chassis.identity.auth import AuthContext
from subgraphs.chassis.observation.metrics import Metrics

A = TypeVar("A")
L = TypeVar("L")
T = TypeVar("T")

MAXIMUM_WATCHED = 100


class RequestContext(Generic[A, L]):
    """The context of one request; ``A`` is the service's use cases, ``L`` its loaders."""

    __slots__ = ("_loaders", "_make_loaders", "_open", "auth", "live", "metrics")

    def __init__(
        self,
        auth: AuthContext,
        open_service: Callable[[], A],
        make_loaders: Callable[[A], L],
        metrics: Metrics | None = None,
        live: LiveFeed | None = None,
    ) -> None:
        self.auth = auth
        self.live = live
        self.metrics = metrics
        self._open = open_service
        self._make_loaders = make_loaders
        self._loaders: L | None = None

    @property
    def service(self) -> A:
        """The use cases; raises Unavailable while the database has not been reached yet."""
        return self._open()

    @property
    def loaders(self) -> L:
        """The loaders of this request, made at first use; raises Unavailable like :attr:`service`."""
        if self._loaders is None:
            self._loaders = self._make_loaders(self.service)
        return self._loaders

    def for_operation(self) -> RequestContext[A, L]:
        """The same for another operation, which has seen nothing yet."""
        return RequestContext(self.auth, self._open, self._make_loaders, self.metrics, self.live)

    async def watch(
        self, collection: str, ids: Sequence[str], load: Callable[[Sequence[str]], Awaitable[Mapping[str, T]]]
    ) -> AsyncIterator[tuple[str, T | None]]:
        """See :meth:`LiveFeed.watch`; each turn begins with new loaders.

        Raises CodedError: SUBSCRIPTION_EMPTY, SUBSCRIPTION_TOO_LARGE, and UNAUTHENTICATED once the token has expired.
        """
        if not 0 < len(ids) <= MAXIMUM_WATCHED:
            code = "SUBSCRIPTION_TOO_LARGE" if ids else "SUBSCRIPTION_EMPTY"
            raise CodedError(code, f"A subscription is to 1 to {MAXIMUM_WATCHED} objects, not {len(ids)}.")
        if self.live is None:
            raise Unavailable("There are no subscriptions here.")
        async with aclosing(self.live.watch(collection, ids, load)) as changes:
            async for change in changes:
                if self.auth.expires is not None and self.auth.expires <= time.time():
                    raise CodedError("UNAUTHENTICATED", "The bearer token has expired; subscribe again with a new one.")
                self._loaders = None
                yield change
