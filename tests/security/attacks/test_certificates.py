"""Servers that would be taken for a subgraph, connections that would be read on their way, and who asks without a name.

Each over every way that leads to a subgraph: queries, files, server-sent events and WebSockets.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from router.execution.errors import SubgraphFailure
from router.execution.http.tls import Tls
from router.execution.subgraph_client import SubgraphResponse
from router.server.config.tls import SubgraphTlsSettings
from router.server.to_subgraphs.subgraph_tls import open_tls
from tests.security.attacks.ways import ASKING, LISTENING, SECRET, Ask, query
from tests.server.secured import write_files, write_revocations

pytestmark = pytest.mark.asyncio

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}"
EVERY_WAY = pytest.mark.parametrize("ask", [*ASKING, *LISTENING])
YESTERDAY = datetime.now(UTC) - timedelta(days=1)
TOMORROW = datetime.now(UTC) + timedelta(days=1)


@dataclass(slots=True)
class Impostor:
    """A server that answers whoever sends it anything, and keeps all that it ``received`` in the clear."""

    url: str = ""
    received: bytearray = field(default_factory=bytearray)
    connections: int = 0


@asynccontextmanager
async def impostor(context: ssl.SSLContext | None, speaks_first: bytes = b"") -> AsyncIterator[Impostor]:
    state, writers = Impostor(), set[asyncio.StreamWriter]()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        state.connections += 1
        writer.write(speaks_first)
        try:
            while received := await reader.read(65_536):
                state.received += received
                if context is not None:
                    writer.write(ANSWER)
        except OSError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context)
    async with server:
        state.url = f"https://localhost:{server.sockets[0].getsockname()[1]}/graphql"
        yield state
        for writer in writers:
            writer.transport.abort()
        for _ in range(10):  # Of the loop, by which a connection that was given up is closed.
            await asyncio.sleep(0)


def listening(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def trusting(folder: Path, authority: trustme.CA, url: str, **settings: str) -> Tls:
    """What ``router.yaml`` makes of this authority, with the router's own certificate."""
    files = {**write_files(folder, authority).settings(), **settings}
    return open_tls(SubgraphTlsSettings.model_validate(files), {"a": url})["a"]


def certificates(authority: trustme.CA, stranger: trustme.CA) -> dict[str, trustme.LeafCert]:
    """Certificates of a server that is no subgraph of ours at ``localhost``, by what is wrong with them."""
    return {
        "of an authority that nobody knows": stranger.issue_cert("localhost"),
        "expired": authority.issue_cert("localhost", not_before=YESTERDAY - timedelta(days=1), not_after=YESTERDAY),
        "of tomorrow": authority.issue_cert("localhost", not_before=TOMORROW, not_after=TOMORROW + timedelta(days=1)),
        "for another host": authority.issue_cert("elsewhere.test"),
        "for a host that ends so": authority.issue_cert("localhost.elsewhere.test"),
        "for a host above": authority.issue_cert("*.localhost"),
        "for an address": authority.issue_cert("127.0.0.1"),
        "by its common name alone": authority.issue_cert("elsewhere.test", common_name="localhost"),
    }


NAMES = (
    "of an authority that nobody knows", "expired", "of tomorrow", "for another host", "for a host that ends so",
    "for a host above", "for an address", "by its common name alone",
)  # fmt: skip


@EVERY_WAY
@pytest.mark.parametrize("name", NAMES)
async def test_who_cannot_prove_to_be_the_subgraph_is_told_nothing(
    tmp_path: Path, authority: trustme.CA, stranger: trustme.CA, ask: Ask, name: str
) -> None:
    async with impostor(listening(certificates(authority, stranger)[name])) as server:
        with pytest.raises(SubgraphFailure) as caught:
            await ask(server.url, trusting(tmp_path, authority, server.url))
    assert server.received == b""
    told = caught.value.message
    assert not any(secret in told for secret in ("localhost", "127.0.0.1", str(tmp_path), "elsewhere", "trustme"))


@EVERY_WAY
@pytest.mark.parametrize("wrong", ["revoked", "of another list", "of a list that is too old"])
async def test_whose_certificate_is_not_known_to_be_good_is_told_nothing(
    tmp_path: Path, authority: trustme.CA, stranger: trustme.CA, ask: Ask, wrong: str
) -> None:
    certificate, lists = authority.issue_cert("localhost"), tmp_path / "revoked.pem"
    match wrong:
        case "revoked":
            write_revocations(lists, authority, authority.issue_cert("elsewhere.test"), certificate)
        case "of another list":
            write_revocations(lists, stranger)
        case _:
            write_revocations(lists, authority, good_for=-timedelta(minutes=1))
    async with impostor(listening(certificate)) as server:
        with pytest.raises(SubgraphFailure):
            await ask(server.url, trusting(tmp_path / "tls", authority, server.url, crl_file=str(lists)))
    assert server.received == b""


async def test_whose_certificate_is_on_no_list_is_asked(tmp_path: Path, authority: trustme.CA) -> None:
    lists = tmp_path / "revoked.pem"
    write_revocations(lists, authority, authority.issue_cert("localhost"))
    async with impostor(listening(authority.issue_cert("localhost"))) as server:
        answer = await query(server.url, trusting(tmp_path / "tls", authority, server.url, crl_file=str(lists)))
    assert answer == SubgraphResponse(200, b"{}")


@EVERY_WAY
async def test_without_settings_only_what_the_system_trusts_is_told_anything(authority: trustme.CA, ask: Ask) -> None:
    async with impostor(listening(authority.issue_cert("localhost"))) as server:
        with pytest.raises(SubgraphFailure):
            await ask(server.url, None)
    assert server.received == b""


async def test_every_certificate_is_tried_and_the_right_one_is_believed(
    tmp_path: Path, authority: trustme.CA, stranger: trustme.CA
) -> None:
    assert set(NAMES) == set(certificates(authority, stranger))
    async with impostor(listening(authority.issue_cert("localhost"))) as server:
        answer = await query(server.url, trusting(tmp_path, authority, server.url))
    assert answer == SubgraphResponse(200, b"{}")
    assert SECRET in server.received


@EVERY_WAY
async def test_an_old_version_of_tls_is_not_spoken(tmp_path: Path, authority: trustme.CA, ask: Ask) -> None:
    context = listening(authority.issue_cert("localhost"))
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    async with impostor(context) as server:
        with pytest.raises(SubgraphFailure):
            await ask(server.url, trusting(tmp_path, authority, server.url))
    assert server.received == b""


@EVERY_WAY
async def test_a_server_that_answers_in_the_clear_is_told_nothing_in_the_clear(
    tmp_path: Path, authority: trustme.CA, ask: Ask
) -> None:
    async with impostor(None, speaks_first=ANSWER) as server:
        with pytest.raises(SubgraphFailure):
            await ask(server.url, trusting(tmp_path, authority, server.url))
    assert SECRET not in server.received
    assert b"HTTP" not in server.received


async def test_a_handshake_that_never_ends_ends_with_the_time_of_the_request(
    tmp_path: Path, authority: trustme.CA
) -> None:
    async with impostor(None) as server:
        began = time.monotonic()
        with pytest.raises(SubgraphFailure) as caught:
            await query(server.url, trusting(tmp_path, authority, server.url))
        assert caught.value.code == "SUBGRAPH_TIMEOUT"
        assert time.monotonic() - began < 10
    assert SECRET not in server.received


@EVERY_WAY
@pytest.mark.parametrize("certificate", ["none", "of another authority", "expired"])
async def test_a_subgraph_that_wants_to_know_who_asks_reads_nothing_of_who_does_not_say(
    tmp_path: Path, authority: trustme.CA, stranger: trustme.CA, ask: Ask, certificate: str
) -> None:
    context = listening(authority.issue_cert("localhost"))
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    async with impostor(context) as server:
        with pytest.raises(SubgraphFailure):
            await ask(server.url, _claiming(tmp_path, authority, stranger, certificate, server.url))
    assert server.received == b""


def _claiming(folder: Path, authority: trustme.CA, stranger: trustme.CA, certificate: str, url: str) -> Tls:
    """Believes ``authority``, and says who it is by a certificate that proves nothing."""
    ca = folder / "ca.pem"
    authority.cert_pem.write_to_path(ca)
    if certificate == "none":
        return open_tls(SubgraphTlsSettings.model_validate({"ca_file": str(ca)}), {"a": url})["a"]
    signer = stranger if certificate == "of another authority" else authority
    issued = signer.issue_cert(
        "router.test",
        not_before=YESTERDAY - timedelta(days=1),
        not_after=YESTERDAY if signer is authority else TOMORROW,
    )
    issued.private_key_and_cert_chain_pem.write_to_path(folder / "both.pem")
    both = {"certificate_file": str(folder / "both.pem"), "key_file": str(folder / "both.pem")}
    return open_tls(SubgraphTlsSettings.model_validate({"ca_file": str(ca), **both}), {"a": url})["a"]
