"""What resolvers get as ``info.context``: who asks, the service's use cases, and this request's loaders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from subgraphs.chassis.auth import AuthContext
from subgraphs.chassis.metrics import Metrics

A = TypeVar("A")
L = TypeVar("L")


class RequestContext(Generic[A, L]):
    """The context of one request; ``A`` is the service's use cases, ``L`` its loaders."""

    __slots__ = ("_loaders", "_make_loaders", "_open", "auth", "metrics")

    def __init__(
        self,
        auth: AuthContext,
        open_service: Callable[[], A],
        make_loaders: Callable[[A], L],
        metrics: Metrics | None = None,
    ) -> None:
        self.auth = auth
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
