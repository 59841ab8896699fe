"""One operation of a WebSocket while it is under way: its place among all, and what is noted of it."""

from __future__ import annotations

from typing import Any

from router.errors import OperationError
from router.server.exchange import Exchange
from router.server.overload import OVERLOADED, OVERLOADED_MESSAGE, Overload
from router.server.request_error import RequestError
from router.server.room import Generation


class SocketOperation:
    """``payload`` is what ``subscribe`` came with under the id ``id``; ``exchange`` is None where nothing is noted."""

    __slots__ = ("_overload", "_place", "exchange", "id", "payload")

    def __init__(self, id_: str, payload: dict[str, Any], overload: Overload | None) -> None:
        self.id = id_
        self.payload = payload
        self.exchange: Exchange | None = None
        self._overload = overload
        self._place: Generation | None = None

    def enter(self) -> None:
        """Take a place among the requests under way. OperationError (OVERLOADED)."""
        if self._overload is None:
            return
        self._place = self._overload.enter()
        if self._place is None:
            raise OperationError(OVERLOADED, OVERLOADED_MESSAGE, http_status=503)

    def leave(self) -> None:
        """Give the place back, if it was taken."""
        place, self._place = self._place, None
        if place is not None and self._overload is not None:
            self._overload.leave(place)

    def answer(self, size: int) -> None:
        """A result of so many bytes is about to be sent."""
        if self.exchange is not None:
            self.exchange.status = 200
            self.exchange.sent_bytes += size

    def fail(self, error: Exception) -> None:
        """There is no result; the status is that which the same operation would have over HTTP."""
        if self.exchange is None:
            return
        if isinstance(error, OperationError):
            self.exchange.status = error.http_status
        else:
            self.exchange.status = error.status if isinstance(error, RequestError) else 500
