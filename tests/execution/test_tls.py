"""Subgraphs over TLS: their certificates are verified, by authority and by name, before a byte of a request is sent."""

from __future__ import annotations

import asyncio
import gc
import io
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from msgspec import structs

from router.execution.errors import SubgraphFailure
from router.execution.http.client import HttpSubgraphClient
from router.execution.http.tls import Tls
from router.execution.subgraph_client import SubgraphRequest
from router.execution.uploads import SentFile, UploadedFile
from tests.execution.raw_server import Exchange, ok, raw_server, silent_server

QUERY = SubgraphRequest("a", b'{"query":"{x}"}', timeout_s=5)
REFUSED = ("SUBGRAPH_REQUEST_FAILED", "Subgraph 'a' could not be reached: TLS handshake failed.")


class Authority:
    """A certificate authority of this test, and certificates that it signs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Authority of a test")])
        own = self._begin(self._name, self._key.public_key())
        own = own.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        usage = x509.KeyUsage(
            digital_signature=False,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        self._certificate = own.add_extension(usage, critical=True).sign(self._key, hashes.SHA256())

    def trusted(self) -> ssl.SSLContext:
        """What a client that trusts this authority alone connects with."""
        return ssl.create_default_context(cadata=self._certificate.public_bytes(serialization.Encoding.PEM).decode())

    def server(self, host: str) -> ssl.SSLContext:
        """What a server that is ``host`` listens with."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        names = x509.SubjectAlternativeName([x509.DNSName(host)])
        signed = self._begin(name, key.public_key()).add_extension(names, critical=False)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        certificate = signed.add_extension(issuer, critical=False).sign(self._key, hashes.SHA256())
        path = self._folder / f"{host}.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def _begin(self, subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=1))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        )


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


async def answer(exchange: Exchange) -> None:
    await exchange.write(ok(b"{}"))


def by_name(url: str) -> str:
    return url.replace("http://127.0.0.1", "https://localhost")


@pytest.mark.asyncio
async def test_a_subgraph_with_a_trusted_certificate_is_asked_and_its_connection_kept(authority: Authority) -> None:
    async with raw_server(answer, tls=authority.server("localhost")) as server:
        client = HttpSubgraphClient({"a": by_name(server.url)}, tls={"a": Tls(authority.trusted())})
        bodies = [(await client.send(QUERY)).body for _ in range(3)]
        await client.close()

    assert bodies == [b"{}"] * 3
    assert server.connections == 1
    assert server.exchanges[0].body == QUERY.body


@pytest.mark.asyncio
@pytest.mark.parametrize("host", ["elsewhere.test", "localhost"], ids=["another name", "an unknown authority"])
async def test_a_subgraph_that_cannot_prove_who_it_is_gets_nothing(authority: Authority, host: str) -> None:
    async with raw_server(answer, tls=authority.server(host)) as server:
        tls = {"a": Tls(authority.trusted())} if host != "localhost" else None
        client = HttpSubgraphClient({"a": by_name(server.url)}, tls=tls)
        with pytest.raises(SubgraphFailure) as caught:
            await client.send(QUERY)
        await client.close()

    assert (caught.value.code, caught.value.message) == REFUSED
    assert server.exchanges == []


@pytest.mark.asyncio
async def test_a_subgraph_without_tls_is_not_spoken_to_in_the_clear(authority: Authority) -> None:
    async with raw_server(answer) as server:
        client = HttpSubgraphClient({"a": by_name(server.url)}, tls={"a": Tls(authority.trusted())})
        with pytest.raises(SubgraphFailure) as caught:
            await client.send(structs.replace(QUERY, timeout_s=0.3))
        await client.close()

    assert caught.value.code == "SUBGRAPH_TIMEOUT"
    assert server.exchanges == []


@pytest.mark.asyncio
@pytest.mark.parametrize("way", ["query", "upload"])
@pytest.mark.parametrize("is_cancelled", [False, True], ids=["timeout", "cancelled"])
async def test_a_handshake_without_an_end_is_given_up_with_its_connection(way: str, *, is_cancelled: bool) -> None:
    """At once, and not when Python collects what nobody knows any more."""
    file = SentFile(UploadedFile("photo", "image/png", 7, io.BytesIO(b"a photo")), ("variables.photo",))
    files = (file,) if way == "upload" else ()
    request = SubgraphRequest("a", b"{}", timeout_s=60 if is_cancelled else 0.2, files=files)
    async with silent_server() as server, asyncio.timeout(10):
        tls = {"a": Tls(ssl.create_default_context())}
        client = HttpSubgraphClient({"a": f"https://127.0.0.1:{server.port}/graphql"}, tls=tls)
        gc.disable()
        try:
            asking = asyncio.create_task(client.send(request))
            if is_cancelled:
                await server.begun.wait()
                asking.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await asking
            else:
                with pytest.raises(SubgraphFailure, match="did not answer within"):
                    await asking
            await server.closed.wait()
        finally:
            gc.enable()
        await client.close()
