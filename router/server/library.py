"""The router inside another application: an ASGI app made in one line, which the host mounts where it likes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.types import Receive, Scope, Send

from router.errors import InputError
from router.server.access.host_identity import HostIdentity, Identify
from router.server.app import RouterApp
from router.server.config import RouterConfig, check_config, load_config
from router.server.graphs.graph import open_graph
from router.server.graphs.graph_files import GraphFiles
from router.server.graphs.startup import open_or_wait
from router.server.graphs.supergraph_file import COMPOSITION_FAILED
from router.supergraph.read import read_supergraph

if TYPE_CHECKING:
    from router.composition.subgraph import Subgraph

Settings = RouterConfig | Mapping[str, Any] | Path | None


class Router(RouterApp):
    """An ASGI app that serves ``source``: a supergraph's SDL, the path of its file, or subgraphs, composed here.

    The file is that of a supergraph or a supergraph.yaml, and is followed as ``galleria serve`` follows it.
    ``settings`` are those of router.yaml: a RouterConfig, a mapping, the path of a file, or None for the defaults,
    which are production's whatever GALLERIA_ENV says. ``identify`` tells who asks, of the ASGI scope as the host's
    middleware left it, in place of ``authentication`` in the settings; what it raises but RequestError is
    IDENTITY_FAILED. Below the path where it is mounted are ``/graphql``, ``/health/live``, ``/health/ready``,
    ``/metrics``, and what the settings open.

    The host takes ``router.lifespan`` as its own lifespan, or enters it there. Where it has none, the router starts
    with the first request, and ``aclose`` ends it. Either way it lives once, in one event loop.

    InputError: INVALID_CONFIG, INVALID_SUPERGRAPH, COMPOSITION_FAILED, and as create_app.
    """

    def __init__(
        self, source: str | Path | Sequence[Subgraph], settings: Settings = None, identify: Identify | None = None
    ) -> None:
        self._is_started = False
        self._starting = asyncio.Lock()
        self._own_life = AsyncExitStack()
        host = HostIdentity(identify) if identify is not None else None
        if isinstance(source, Path):
            files = GraphFiles(source, settings if isinstance(settings, Path) else _config(settings))
            graph = open_or_wait(files.open)
            super().__init__(_config(settings), graph, files, host)
        else:
            config = _config(settings)
            sdl = _supergraph_sdl(source) if isinstance(source, str) else _composed(source)
            super().__init__(config, open_graph(read_supergraph(sdl), config), host=host)

    @asynccontextmanager
    async def lifespan(self, _: object = None) -> AsyncIterator[None]:
        """As RouterApp says; requests that come within it find the router started."""
        self._is_started = True
        async with super().lifespan():
            yield

    async def aclose(self) -> None:
        """End what the first request has started; nothing where the host keeps the lifespan."""
        await self._own_life.aclose()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI says."""
        if not self._is_started and scope["type"] != "lifespan":
            await self._start()
        await super().__call__(scope, receive, send)

    async def _start(self) -> None:
        async with self._starting:
            if not self._is_started:
                await self._own_life.enter_async_context(self.lifespan())


def _config(settings: Settings) -> RouterConfig:
    if isinstance(settings, RouterConfig):
        return settings
    if isinstance(settings, Path):
        return load_config(settings)
    return check_config(settings or {}, "settings")


def _supergraph_sdl(text: str) -> str:
    """``text``, which is an SDL. InputError (INVALID_SUPERGRAPH) for what is the name of a file instead."""
    if "{" not in text:
        message = f"{text[:100]!r} is no SDL; give the path of a file as a pathlib.Path."
        raise InputError("INVALID_SUPERGRAPH", message)
    return text


def _composed(subgraphs: Sequence[Subgraph]) -> str:
    # Here, because a router that serves a supergraph's SDL starts without the composer.
    from router.composition.compose import compose

    composition = compose(subgraphs)
    if composition.supergraph_sdl is None:
        first = composition.errors[0]
        message = f"The subgraphs do not compose: {first.code}: {first.message} See router.compose(...).errors for all."
        raise InputError(COMPOSITION_FAILED, message)
    return composition.supergraph_sdl
