"""The ceiling as an ASGI app: uvicorn in front, the lean client behind, and hand-written plans between them."""

from __future__ import annotations

from typing import Any

from bench.peers.ceiling.client import Pool
from bench.peers.ceiling.plans import Plans

STUB_HOST, STUB_PORT = "127.0.0.1", 24200


class Ceiling:
    """Answers any POST."""

    plans: Plans

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        request = b""
        while True:
            message = await receive()
            request += message.get("body", b"")
            if not message.get("more_body"):
                break
        answer = await self.plans.answer(request)
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    async def _live(self, receive: Any, send: Any) -> None:
        while (await receive())["type"] == "lifespan.startup":
            self.plans = Plans(Pool(STUB_HOST, STUB_PORT))
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})


app = Ceiling()
