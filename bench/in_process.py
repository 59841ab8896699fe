"""A whole router in this process: its own protocols on both sides, with functions in place of the sockets.

A request is bytes that uvicorn's protocol gets, and its answer the bytes that it writes; what the router writes to a
subgraph is looked up among recorded answers. Nothing waits and no system call is made, so that CPU time is what the
router's own code takes, whatever else the machine does.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, redirect_stdout
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, cast

import uvicorn
import uvloop
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from bench.contestants import SUPERGRAPH
from bench.operations import Operation
from router.server.app import RouterApp
from router.server.config import load_config
from router.server.connections.bounded_protocol import BoundedProtocol, ConnectionSweeper
from router.server.connections.known_heads import KnownHeads
from router.server.graphs.graph import open_graph
from router.server.observation.access_log import open_access_log
from router.supergraph.read import read_supergraph

Answers = dict[tuple[bytes, bytes], bytes]


class RecordedLoop(uvloop.Loop):
    """An event loop whose connections lead to recorded ``answers``; what is new is asked of ``port`` once."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._answers: Answers = {}
        self._port = port

    async def create_connection(self, protocol_factory: Callable[[], Any], *_: Any, **__: Any) -> Any:
        """A connection to a subgraph."""
        protocol = protocol_factory()
        transport = _SubgraphTransport(self, protocol)
        protocol.connection_made(transport)
        return transport, protocol

    def answer_to(self, request: bytes) -> bytes:
        """The bytes by which a subgraph answers the bytes of ``request``."""
        head, _, body = request.partition(b"\r\n\r\n")
        target = head.split(b" ", 2)[1]
        answer = self._answers.get((target, body))
        if answer is None:
            answer = self._answers[target, body] = self._ask(target, body)
        return answer

    def _ask(self, target: bytes, body: bytes) -> bytes:
        connection = HTTPConnection("127.0.0.1", self._port)
        connection.request("POST", target.decode(), body, {"content-type": "application/json"})
        content = connection.getresponse().read()
        connection.close()
        return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (
            len(content),
            content,
        )


class _Transport(asyncio.Transport):
    """A transport that is never closed."""

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("127.0.0.1", 50000) if name in ("peername", "sockname") else default

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        pass

    def abort(self) -> None:
        pass

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return 0


class _SubgraphTransport(_Transport):
    def __init__(self, loop: RecordedLoop, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self._loop = loop
        self._protocol = protocol

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._loop.call_soon(self._protocol.data_received, self._loop.answer_to(bytes(data)))


class _ClientTransport(_Transport):
    def __init__(self) -> None:
        super().__init__()
        self.answer: asyncio.Future[bytes] | None = None

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self.answer is not None and not self.answer.done():
            self.answer.set_result(bytes(data))


class Client:
    """A kept connection to one server."""

    def __init__(self, protocol: HttpToolsProtocol) -> None:
        self._protocol = protocol
        self._transport = _ClientTransport()
        protocol.connection_made(self._transport)

    def ask(self, request: bytes) -> asyncio.Future[bytes]:
        """The bytes of the answer to the bytes of ``request``."""
        answer = self._transport.answer = asyncio.get_running_loop().create_future()
        self._protocol.data_received(request)
        return answer


@asynccontextmanager
async def serving(config: Path, environ: Mapping[str, str], connections: int) -> AsyncIterator[list[Client]]:
    """Connections to a router with the settings in the file ``config``."""
    settings = load_config(config, environ)
    app = RouterApp(settings, open_graph(read_supergraph(SUPERGRAPH.read_text()), settings))
    of_uvicorn = uvicorn.Config(
        app.answer,
        interface="asgi3",
        http=cast("Any", BoundedProtocol),
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
    )
    of_uvicorn.load()
    state = ServerState()
    made = partial(BoundedProtocol, settings.server, ConnectionSweeper(settings.server), app.overload, KnownHeads())
    loop = asyncio.get_running_loop()
    async with app.lifespan():
        yield [
            Client(made(config=of_uvicorn, server_state=state, app_state={}, _loop=loop)) for _ in range(connections)
        ]


def request_of(operation: Operation) -> bytes:
    """The bytes of a request as wrk sends it."""
    headers = {"host": "127.0.0.1:4000", "content-type": "application/json", "accept": "application/json"}
    body = operation.body.encode()
    lines = [f"{name}: {value}" for name, value in {**headers, **operation.headers}.items()]
    head = "\r\n".join(["POST /graphql HTTP/1.1", *lines, f"content-length: {len(body)}"])
    return f"{head}\r\n\r\n".encode() + body


@contextmanager
def log_to_nowhere() -> Iterator[None]:
    """Write the access log to /dev/null until the block ends."""
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        open_access_log()
        yield
