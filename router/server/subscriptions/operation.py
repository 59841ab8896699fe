"""One operation of a WebSocket while it is under way: its place among all, its message, and what is noted of it."""

from __future__ import annotations

from typing import Any

from router.errors import OperationError
from router.server.http.exchange import Exchange
from router.server.request_error import RequestError
from router.server.shedding.overload import OVERLOADED, OVERLOADED_MESSAGE, Overload
from router.server.shedding.room import Generation


class SocketOperation:
    """``payload`` is what ``subscribe`` came with under the id ``id``, in a message of ``size`` bytes.

    ``exchange`` is None where nothing is noted.
    """

    __slots__ = ("_held", "_overload", "_place", "_size", "exchange", "id", "payload")

    def __init__(self, id_: str, payload: dict[str, Any], size: int, overload: Overload | None) -> None:
        self.id = id_
        self.payload = payload
        self.exchange: Exchange | None = None
        self._size = size
        self._overload = overload
        self._place: Generation | None = None
        self._held = 0

    def enter(self) -> None:
        """Take a place among the requests under way, and room for the message. Both errors are OVERLOADED.

        OperationError, RequestError.
        """
        if self._overload is None:
            return
        self._place = self._overload.enter()
        if self._place is None:
            raise OperationError(OVERLOADED, OVERLOADED_MESSAGE, http_status=503)
        self._held = self._size
        self._overload.hold_whole(self._size)

    def leave(self) -> None:
        """Give place and room back, if they were taken; the payload is needed no more."""
        self.payload = {}
        place, self._place = self._place, None
        held, self._held = self._held, 0
        if self._overload is None:
            return
        self._overload.let_go(held)
        if place is not None:
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
