"""Work that is given up when the client goes away."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.types import Receive

Result = TypeVar("Result")

# Most requests are answered before this: for them nothing is started that watches.
WATCH_AFTER_S = 0.05


async def unless_disconnected(receive: Receive, work: Coroutine[Any, Any, Result]) -> Result | None:
    """The result of ``work``; it is cancelled, and None returned, once the client has closed its connection.

    The request's body must have been read: what ``receive`` gives after it is the end of the connection.
    """
    watch = _Watch(receive)
    try:
        result = await work
        if watch.client_is_gone:
            await asyncio.sleep(0)  # The cancellation, which came too late for the work, arrives here.
    except asyncio.CancelledError:
        if not watch.client_is_gone:
            raise
        watch.task.uncancel()
        return None
    finally:
        watch.stop()
    return result


class _Watch:
    """Cancels the task that made it when ``receive`` tells of the client's end."""

    def __init__(self, receive: Receive) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine runs in a task
        self.task = task
        self.client_is_gone = False
        self._receive = receive
        self._watcher: asyncio.Task[None] | None = None
        self._start = asyncio.get_running_loop().call_later(WATCH_AFTER_S, self._begin)

    def stop(self) -> None:
        self._start.cancel()
        if self._watcher is not None:
            self._watcher.cancel()

    def _begin(self) -> None:
        self._watcher = asyncio.get_running_loop().create_task(self._watch())

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.client_is_gone = True
        self.task.cancel()
