"""Subgraphs over TLS that want to know who asks, and the certificates for it, made by a test's own authority."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme
import uvicorn
from starlette.types import ASGIApp

from tests.server.subscriptions.live import until


@dataclass(frozen=True, slots=True)
class Files:
    """What router.yaml names: the authority, and a certificate of the router with its key."""

    ca: Path
    certificate: Path
    key: Path

    def settings(self) -> dict[str, str]:
        return {"ca_file": str(self.ca), "certificate_file": str(self.certificate), "key_file": str(self.key)}


def write_files(folder: Path, authority: trustme.CA, of_router: trustme.CA | None = None) -> Files:
    """Files of ``authority``, and of a certificate of the router that it signed, or ``of_router``."""
    folder.mkdir(exist_ok=True)
    issued = (of_router or authority).issue_cert("router.test")
    files = Files(folder / "ca.pem", folder / "router.pem", folder / "router.key")
    authority.cert_pem.write_to_path(files.ca)
    issued.private_key_pem.write_to_path(files.key)
    files.certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    return files


@dataclass(slots=True)
class Secured:
    """A subgraph's port, and how many handshakes came to an end that it liked."""

    port: int

    def url(self, host: str = "localhost", scheme: str = "https") -> str:
        return f"{scheme}://{host}:{self.port}/graphql"


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def secured(
    app: ASGIApp, authority: trustme.CA, clients: trustme.CA | None = None, host: str = "localhost"
) -> AsyncIterator[Secured]:
    """``app`` over TLS as ``host``, for whoever has a certificate of ``clients`` (None: of ``authority``)."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        app, log_config=None, ws="websockets-sansio", lifespan="off", timeout_graceful_shutdown=1, ws_ping_interval=None
    )
    config.load()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)
    (clients or authority).configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    config.ssl = context
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    await until(lambda: server.started)
    try:
        yield Secured(listener.getsockname()[1])
    finally:
        server.should_exit = True
        await task
