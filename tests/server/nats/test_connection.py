"""Buckets of a real NATS server: shared by all who ask, and no reason to wait where the server is not there."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
import trustme
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from router.server.config import NatsSettings
from router.server.nats.connection import NatsConnection, NatsUnavailable, open_connection
from router.server.nats.metrics import NatsCollector
from stack import nats as nats_server
from stack.daemon import free_port, running

SECRET = "planted-password"


def settings(url: str, **more: object) -> NatsSettings:
    return NatsSettings.model_validate({"url": url, "prefix": f"t{uuid4().hex}", "timeout_s": 5, **more})


@asynccontextmanager
async def connection(of: NatsSettings) -> AsyncIterator[NatsConnection]:
    opened = NatsConnection(of)
    try:
        yield opened
    finally:
        await opened.close()


@contextmanager
def server(folder: Path, port: int) -> Iterator[None]:
    """A NATS server that keeps what it has in ``folder``."""
    config = nats_server.write_config(folder, port, SECRET)
    with running(nats_server.server_command(nats_server.server_binary(), config), port, folder / "nats.log"):
        yield


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - the client has no event for it
            await asyncio.sleep(0.01)


@pytest.mark.asyncio
async def test_what_one_replica_puts_another_gets(nats_url: str) -> None:
    shared = settings(nats_url)
    async with connection(shared) as one, connection(shared) as other:
        assert await other.bucket("documents").get("a") is None
        await one.bucket("documents").put("a", b"1")
        assert await other.bucket("documents").get("a") == b"1"
        assert await other.bucket("others").get("a") is None


@pytest.mark.asyncio
async def test_entries_are_those_that_are_there_and_those_that_come(nats_url: str) -> None:
    shared = settings(nats_url)
    async with connection(shared) as one, connection(shared) as other:
        await one.bucket("counts").put("a", b"1")
        entries = other.bucket("counts").entries()
        assert await anext(entries) == ("a", b"1")
        await one.bucket("counts").put("b", b"2")
        assert await anext(entries) == ("b", b"2")
        await entries.aclose()


@pytest.mark.asyncio
async def test_values_are_forgotten_after_their_time(nats_url: str) -> None:
    async with connection(settings(nats_url)) as one:
        bucket = one.bucket("counts", ttl_s=0.2)
        entries = bucket.entries()
        async with asyncio.timeout(20):
            seen = asyncio.ensure_future(anext(entries))
            while not seen.done():  # Again, as the first may be forgotten before anybody looks.
                await bucket.put("a", b"1")
                await asyncio.sleep(0.05)
            assert seen.result() == ("a", b"1")
            while await bucket.get("a") is not None:  # noqa: ASYNC110 - the server forgets by its own clock
                await asyncio.sleep(0.05)
        await entries.aclose()


@pytest.mark.asyncio
async def test_a_server_that_is_not_there_is_told_once_and_waited_for_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "galleria.router")
    url = f"nats://mall:{SECRET}@127.0.0.1:{free_port()}"
    async with connection(settings(url, timeout_s=0.2)) as nobody:
        for _ in range(2):
            with pytest.raises(NatsUnavailable):
                await nobody.bucket("documents").get("a")
        await until(lambda: bool(caplog.records))
        for _ in range(100):
            with pytest.raises(NatsUnavailable):
                nobody.bucket("documents").get("a").send(None)  # Without waiting for anything.
        assert not nobody.is_connected
    assert len(caplog.records) == 1
    assert caplog.messages[0].startswith("NATS cannot be reached, what replicas share is each one's own meanwhile: ")
    assert SECRET not in caplog.text


@pytest.mark.asyncio
async def test_a_wrong_password_is_told_without_it(nats_url: str, caplog: pytest.LogCaptureFixture) -> None:
    address = nats_url.rpartition("@")[2]
    async with connection(settings(f"nats://mall:wrong-{SECRET}@{address}")) as refused:
        with pytest.raises(NatsUnavailable):
            await refused.bucket("documents").get("a")
    reason = "it refuses the user or password of nats.url (nats: 'Authorization Violation')"
    assert caplog.messages == [f"NATS cannot be reached, what replicas share is each one's own meanwhile: {reason}"]
    assert SECRET not in caplog.text


@pytest.mark.asyncio
async def test_a_server_without_tls_is_refused_where_the_url_asks_for_it(
    nats_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with connection(settings(nats_url.replace("nats://", "tls://"))) as refused:
        with pytest.raises(NatsUnavailable):
            await refused.bucket("documents").get("a")
        assert not refused.is_connected
    reason = "it has no TLS, which nats.url asks for (nats: secure connection not available)"
    assert caplog.messages == [f"NATS cannot be reached, what replicas share is each one's own meanwhile: {reason}"]


@pytest.mark.asyncio
async def test_a_server_with_tls_is_used(
    tmp_path: Path, authority: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    config = nats_server.write_config(tmp_path, port, SECRET)
    pem = json.dumps(str(tmp_path / "server.pem"))
    config.write_text(f"{config.read_text()}tls {{ cert_file: {pem}, key_file: {pem} }}\n")
    command = nats_server.server_command(nats_server.server_binary(), config)
    with running(command, port, tmp_path / "nats.log"):
        url = nats_server.server_url(port, SECRET).replace("nats://", "tls://")
        async with connection(settings(url)) as one:
            await one.bucket("documents").put("a", b"1")
            assert await one.bucket("documents").get("a") == b"1"


@pytest.mark.asyncio
async def test_a_host_that_has_no_address_is_told(caplog: pytest.LogCaptureFixture) -> None:
    async with connection(settings("nats://nats.invalid:4222")) as nowhere:
        with pytest.raises(NatsUnavailable):
            await nowhere.bucket("documents").get("a")
    assert len(caplog.messages) == 1
    assert "own meanwhile: gaierror: " in caplog.text


@pytest.mark.asyncio
async def test_a_server_that_comes_back_is_used_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "galleria.router")
    port = free_port()
    first = ExitStack()
    first.enter_context(server(tmp_path, port))
    async with connection(settings(nats_server.server_url(port, SECRET))) as one:
        bucket = one.bucket("documents")
        await bucket.put("a", b"1")
        in_memory = one.bucket("counts", in_memory=True)
        await in_memory.put("a", b"1")
        entries = bucket.entries()
        assert await anext(entries) == ("a", b"1")
        await asyncio.to_thread(first.close)
        await until(lambda: not one.is_connected)
        with pytest.raises(NatsUnavailable):
            await bucket.get("a")
        with pytest.raises(NatsUnavailable):
            await anext(entries)
        with server(tmp_path, port):
            await until(lambda: one.is_connected)
            assert await bucket.get("a") == b"1"
            # What was in the memory of the server is gone, and can be put again.
            assert await in_memory.get("a") is None
            await in_memory.put("a", b"2")
            assert await in_memory.get("a") == b"2"
    assert [message.partition(",")[0] for message in caplog.messages] == [
        "NATS cannot be reached",
        "NATS is reached again",
    ]


def test_a_connection_is_kept_while_its_settings_are_the_same() -> None:
    one = NatsSettings(url=SecretStr("nats://a:4222"))
    opened = open_connection(one, None)
    assert opened is not None
    assert open_connection(NatsSettings(url=SecretStr("nats://a:4222")), opened) is opened
    assert open_connection(NatsSettings(url=SecretStr("nats://b:4222")), opened) is not opened
    assert open_connection(NatsSettings(), opened) is None


@pytest.mark.asyncio
async def test_metrics_tell_whether_the_server_is_there(nats_url: str) -> None:
    registry = CollectorRegistry()
    served: list[NatsConnection] = []
    registry.register(NatsCollector(lambda: served[0] if served else None))
    assert registry.get_sample_value("galleria_nats_connected") is None
    async with connection(settings(nats_url)) as shared:
        served.append(shared)
        assert registry.get_sample_value("galleria_nats_connected") == 0
        await shared.bucket("documents").get("a")
        assert registry.get_sample_value("galleria_nats_connected") == 1
