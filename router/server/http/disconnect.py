"""Work that is given up when the client goes away."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.types import Receive

from router.server.connections.served_request import served_request

Result = TypeVar("Result")

# Most requests are answered before this: for them nothing is started that watches.
WATCH_AFTER_S = 0.05


class DisconnectWatch:
    """Notices clients that go away while their requests run, with one timer for all requests."""

    def __init__(self) -> None:
        self._new: set[_Watch] = set()
        self._timer: asyncio.TimerHandle | None = None

    def unless_disconnected(
        self, receive: Receive, work: Coroutine[Any, Any, Result]
    ) -> Coroutine[Any, Any, Result | None]:
        """The result of ``work``; it is cancelled, and None returned, once the client has closed its connection.

        The request's body must have been read: what ``receive`` gives after it is the end of the connection.
        """
        served = served_request(receive)
        return self._watching(receive, work) if served is None else served.unless_client_gone(work)

    async def _watching(self, receive: Receive, work: Coroutine[Any, Any, Result]) -> Result | None:
        watch = _Watch(receive)
        self._new.add(watch)
        if self._timer is None:
            self._start_timer()
        try:
            result = await work
            if watch.client_is_gone:
                await asyncio.sleep(0)  # The cancellation, which came too late for the work, arrives here.
        except asyncio.CancelledError:
            if watch.task is None or not watch.client_is_gone:
                raise
            watch.task.uncancel()
            return None
        finally:
            self._new.discard(watch)
            watch.stop()
        return result

    def _start_timer(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(WATCH_AFTER_S, self._begin_watching)

    def _begin_watching(self) -> None:
        """Watch for the requests that were under way at the last call and still are."""
        self._timer = None
        for watch in [watch for watch in self._new if watch.is_slow]:
            self._new.discard(watch)
            watch.begin()
        for watch in self._new:
            watch.is_slow = True
        if self._new:
            self._start_timer()


class _Watch:
    """Cancels the task that made it when ``receive`` tells of the client's end."""

    __slots__ = ("_receive", "_watcher", "client_is_gone", "is_slow", "task")

    def __init__(self, receive: Receive) -> None:
        self.task = asyncio.current_task()
        self.client_is_gone = False
        self.is_slow = False
        self._receive = receive
        self._watcher: asyncio.Task[None] | None = None

    def begin(self) -> None:
        self._watcher = asyncio.get_running_loop().create_task(self._watch())

    def stop(self) -> None:
        if self._watcher is not None:
            self._watcher.cancel()

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.client_is_gone = True
        if self.task is not None:
            self.task.cancel()
