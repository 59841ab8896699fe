"""The lifespan of an ASGI app in this process: its start is awaited, and its end too (the ASGI lifespan protocol)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

logger = logging.getLogger("galleria.router")

Message = MutableMapping[str, Any]
AsgiApp = Callable[[Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]


class StartFailed(Exception):  # noqa: N818 - the outcome's name
    """An app told that it cannot start; the message is its reason."""


class Lifespan:
    """Starts ``app`` once, whoever asks for it first, and ends it once. An app without a lifespan just runs."""

    def __init__(self, app: AsgiApp) -> None:
        self.state: dict[str, Any] = {}
        self._app = app
        self._task: asyncio.Task[None] | None = None
        self._messages: asyncio.Queue[Message] = asyncio.Queue()
        self._started: asyncio.Future[None] | None = None

    async def start(self) -> None:
        """Return when the app has started. Raises StartFailed, then and ever after."""
        if self._started is None:
            self._started = asyncio.get_running_loop().create_future()
            self._messages.put_nowait({"type": "lifespan.startup"})
            self._task = asyncio.create_task(self._run())
        if self._started.done():
            self._started.result()
            return
        await asyncio.shield(self._started)

    async def stop(self) -> None:
        """Return when the app has ended."""
        if self._task is None:
            return
        self._messages.put_nowait({"type": "lifespan.shutdown"})
        await asyncio.wait([self._task])

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        try:
            await self._app(scope, self._messages.get, self._hear)
        except Exception:
            logger.debug("an app in this process has no lifespan", exc_info=True)
        if self._started is not None and not self._started.done():
            self._started.set_result(None)

    async def _hear(self, message: Message) -> None:
        started = self._started
        if started is None or started.done():
            return
        if message["type"] == "lifespan.startup.complete":
            started.set_result(None)
        elif message["type"] == "lifespan.startup.failed":
            started.set_exception(StartFailed(message.get("message") or "it gave no reason"))
