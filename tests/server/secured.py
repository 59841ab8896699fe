"""Subgraphs over TLS that want to know who asks, and the certificates for it, made by a test's own authority."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
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


def write_revocations(
    path: Path, authority: trustme.CA, *revoked: trustme.LeafCert, good_for: timedelta = timedelta(hours=1)
) -> None:
    """The list of ``authority``, made two hours ago and ``good_for`` so long from now, of what it has ``revoked``."""
    now = datetime.now(UTC)
    issuer = x509.load_pem_x509_certificate(authority.cert_pem.bytes())
    made = x509.CertificateRevocationListBuilder().issuer_name(issuer.subject)
    made = made.last_update(now - timedelta(hours=2)).next_update(now + good_for)
    for one in revoked:
        serial = x509.load_pem_x509_certificate(one.cert_chain_pems[0].bytes()).serial_number
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now - timedelta(hours=2))
        made = made.add_revoked_certificate(entry.build())
    key = serialization.load_pem_private_key(authority.private_key_pem.bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    path.write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))


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
    app: ASGIApp,
    authority: trustme.CA,
    clients: trustme.CA | None = None,
    host: str = "localhost",
    certificate: trustme.LeafCert | None = None,
) -> AsyncIterator[Secured]:
    """``app`` over TLS as ``host``, for whoever has a certificate of ``clients`` (None: of ``authority``).

    It proves who it is by ``certificate``, or by a new one.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        app, log_config=None, ws="websockets-sansio", lifespan="off", timeout_graceful_shutdown=1, ws_ping_interval=None
    )
    config.load()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    (certificate or authority.issue_cert(host)).configure_cert(context)
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
