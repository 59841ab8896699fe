"""A plugin that leaves a thread waiting for ever."""

from __future__ import annotations

import asyncio
import threading

import router


class StuckThread(router.Plugin):
    """With each request, a thread of the loop's; the request does not wait for it."""

    async def on_request(self, context: router.RequestContext) -> None:
        """Begin to wait."""
        asyncio.get_running_loop().run_in_executor(None, threading.Event().wait)
