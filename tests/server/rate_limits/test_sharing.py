"""Replicas that count together over a real NATS, and go on alone where it is not there."""

from __future__ import annotations

import asyncio
import re
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from pathlib import Path
from types import CoroutineType
from typing import Any
from uuid import uuid4

import httpx
import pytest
import yaml

from router.server.app import RouterApp
from router.server.config import RouterConfig
from router.server.graphs.graph import GraphInput, build_graph, open_graph
from router.server.graphs.supergraph_file import read_source
from router.server.rate_limits.key_counts import digest
from router.supergraph.read import read_supergraph
from stack import nats as nats_server
from stack.daemon import free_port, running
from tests.execution.scripted import ScriptedSubgraphs
from tests.mall import await_condition
from tests.server.demand.library import metric
from tests.server.running_router import running_router
from tests.server.shop import SUPERGRAPH, client_of
from tests.server.subscriptions.live import PATIENCE_S, until

PASSWORD = "of-this-test"
QUERY = {"query": "{ __typename }"}


def settings(url: str, limit: int = 10, prefix: str = "") -> dict[str, Any]:
    return {
        "nats": {"url": url, "prefix": prefix or f"t{uuid4().hex}", "timeout_s": 5},
        "rate_limits": {
            "shared": True,
            "sync_interval_s": 0.05,
            "rules": [{"name": "all", "limit": limit, "window_s": 3600}],
        },
    }


@asynccontextmanager
async def replica(values: dict[str, Any]) -> AsyncIterator[tuple[RouterApp, httpx.AsyncClient]]:
    """A router in this process, started as a server would start it."""
    config = RouterConfig.model_validate(values)
    app = RouterApp(config, open_graph(read_supergraph(SUPERGRAPH), config, ScriptedSubgraphs()))
    async with app.lifespan(), client_of(app) as client:
        yield app, client


async def status(client: httpx.AsyncClient) -> int:
    return (await client.post("/graphql", json=QUERY)).status_code


def known(app: RouterApp) -> float:
    """What this replica knows to be counted of the only key, by whomever."""
    limiter = app._serving.limiter
    assert limiter is not None
    # The address that httpx gives to its clients.
    return limiter.rules[0].counts.used(digest("address 127.0.0.1"), time.time()).current


async def replicas_heard(client: httpx.AsyncClient) -> list[str]:
    return await metric(client, "galleria_rate_limit_replicas")


def sharing_tasks() -> list[str]:
    coroutines = [task.get_coro() for task in asyncio.all_tasks()]
    names = [one.__qualname__ for one in coroutines if isinstance(one, CoroutineType)]
    return sorted(name for name in names if name.startswith("CountSharing."))


@pytest.mark.asyncio
async def test_what_one_replica_counted_is_taken_off_at_the_others(nats_url: str) -> None:
    shared = settings(nats_url)
    async with replica(shared) as (_, one), replica(shared) as (app, other):
        assert [await status(one) for _ in range(11)] == [200] * 10 + [429]
        await until(lambda: known(app) == 10)
        assert await replicas_heard(other) == ["galleria_rate_limit_replicas 1.0"]
        assert await status(other) == 429


@pytest.mark.asyncio
async def test_counts_of_several_add_up(nats_url: str) -> None:
    shared = settings(nats_url)
    async with replica(shared) as (_, one), replica(shared) as (_, two), replica(shared) as (app, three):
        assert [await status(one) for _ in range(4)] == [200] * 4
        assert [await status(two) for _ in range(4)] == [200] * 4
        await until(lambda: known(app) == 8)
        assert [await status(three) for _ in range(3)] == [200, 200, 429]


@pytest.mark.asyncio
async def test_a_replica_that_starts_again_knows_what_it_had_counted(nats_url: str) -> None:
    shared = settings(nats_url)
    async with replica(shared) as (_, before), replica(shared) as (witness, _):
        assert [await status(before) for _ in range(10)] == [200] * 10
        await until(lambda: known(witness) == 10)
    async with replica(shared) as (app, after):
        await until(lambda: known(app) == 10)
        assert await status(after) == 429


@pytest.mark.asyncio
async def test_changed_settings_count_nothing_twice(tmp_path: Path, nats_url: str) -> None:
    shared = settings(nats_url)
    (tmp_path / "supergraph.graphql").write_text(SUPERGRAPH)
    source = read_source(tmp_path / "supergraph.graphql")
    async with replica(shared) as (app, client), replica(shared) as (other, witness):
        assert [await status(client) for _ in range(6)] == [200] * 6
        await until(lambda: known(other) == 6)
        more = settings(nats_url, limit=12, prefix=shared["nats"]["prefix"])
        app.replace_graph(build_graph(GraphInput(source, RouterConfig.model_validate(more))))
        assert await status(witness) == 200
        await until(lambda: known(app) == 7)
        # What the bucket has of this replica itself is no other's.
        assert [await status(client) for _ in range(6)] == [200] * 5 + [429]


class StandingLoop(asyncio.SelectorEventLoop):
    """A loop whose time begins after PATIENCE_S, or when it is told to: no timeout is over until then."""

    def __init__(self) -> None:
        super().__init__()
        self.begins = time.monotonic() + PATIENCE_S

    def time(self) -> float:
        return max(time.monotonic() - self.begins, 0.0)


def test_no_request_waits_for_a_nats_that_says_nothing() -> None:
    async def ask(url: str) -> list[int]:
        async with replica(settings(url, limit=3)) as (_, client):
            statuses = [await status(client) for _ in range(4)]
            loop = asyncio.get_running_loop()
            assert isinstance(loop, StandingLoop)
            assert loop.time() == 0.0
            loop.begins = time.monotonic()
            return statuses

    with socket.create_server(("127.0.0.1", 0)) as silent, asyncio.Runner(loop_factory=StandingLoop) as runner:
        assert runner.run(ask(f"nats://127.0.0.1:{silent.getsockname()[1]}")) == [200, 200, 200, 429]


@pytest.mark.asyncio
async def test_without_nats_each_counts_for_itself_and_it_is_told(caplog: pytest.LogCaptureFixture) -> None:
    shared = settings(f"nats://mall:{PASSWORD}@127.0.0.1:{free_port()}", limit=3)
    async with replica(shared) as (_, client):
        assert [await status(client) for _ in range(4)] == [200, 200, 200, 429]
        await until(lambda: "NATS cannot be reached" in caplog.text)
        assert await metric(client, "galleria_nats_connected") == ["galleria_nats_connected 0.0"]
        assert await replicas_heard(client) == ["galleria_rate_limit_replicas 0.0"]
    assert PASSWORD not in caplog.text


@pytest.mark.asyncio
async def test_when_nats_comes_back_what_was_counted_meanwhile_is_told(tmp_path: Path) -> None:
    port = free_port()
    config = nats_server.write_config(tmp_path, port, PASSWORD)
    command = nats_server.server_command(nats_server.server_binary(), config)
    shared = settings(nats_server.server_url(port, PASSWORD))
    with ExitStack() as first, ExitStack() as second:
        first.enter_context(running(command, port, tmp_path / "nats.log"))
        async with AsyncExitStack() as replicas:
            _, one = await replicas.enter_async_context(replica(shared))
            app, other = await replicas.enter_async_context(replica(shared))
            assert await status(one) == 200
            await until(lambda: known(app) == 1)
            await asyncio.to_thread(first.close)
            assert [await status(one) for _ in range(8)] == [200] * 8
            assert await status(other) == 200
            assert known(app) == 2
            await asyncio.to_thread(second.enter_context, running(command, port, tmp_path / "nats.log"))
            await until(lambda: known(app) == 10)
            assert await status(other) == 429
            # What was told before the outage is told anew, too: the server has forgotten it.
            third, late = await replicas.enter_async_context(replica(shared))
            await until(lambda: known(third) == 10)
            assert await status(late) == 429


@pytest.mark.asyncio
async def test_entries_of_others_making_are_left_out(nats_url: str, caplog: pytest.LogCaptureFixture) -> None:
    shared = settings(nats_url)
    async with replica(shared) as (app, client):
        limiter = app._serving.limiter
        assert limiter is not None
        assert limiter.sharing is not None
        (rule,) = limiter.sharing.counts
        for value in (b"nonsense", b"[]", b'{"a":1}', b'{"a":[1,2]}', b'{"a":["x",1,1]}'):
            limiter.sharing.hear(f"{rule}.other.a", value)
        for key in ("", "x", f"{rule}.other.long", "unknown.other.a"):
            limiter.sharing.hear(key, b'{"a":[1,2,3]}')
        assert await replicas_heard(client) == ["galleria_rate_limit_replicas 0.0"]
        assert await status(client) == 200
    assert len(caplog.records) == 5


@pytest.mark.asyncio
async def test_a_replica_that_has_gone_is_forgotten_when_its_counts_matter_no_more(nats_url: str) -> None:
    """Each that starts has another name: a deployment a day must not add up."""
    async with replica(settings(nats_url)) as (app, client):
        limiter = app._serving.limiter
        assert limiter is not None
        assert limiter.sharing is not None
        ((rule, counts),) = limiter.sharing.counts.items()
        limiter.sharing.hear(f"{rule}.gone.a", b'{"a":[1,2,3]}')
        assert list(counts.replicas()) == ["gone"]
        await until(lambda: not list(counts.replicas()))
        assert await replicas_heard(client) == ["galleria_rate_limit_replicas 0.0"]


def test_workers_of_one_router_count_together(tmp_path: Path, nats_url: str) -> None:
    config = tmp_path / "router.yaml"
    # One request is the whole limit: counts of several could be told in part, and the rest be let in meanwhile.
    config.write_text(yaml.safe_dump(settings(nats_url, limit=1)))
    with running_router(tmp_path, "--workers", "2", "--config", str(config)) as router:
        url = f"{router.url}/graphql"

        def fresh() -> int:
            return httpx.post(url, json=QUERY, trust_env=False, timeout=60).status_code

        with httpx.Client(trust_env=False, timeout=60) as connection:
            assert [connection.post(url, json=QUERY).status_code for _ in range(2)] == [200, 429]
        heard = re.compile(r"^galleria_rate_limit_replicas\{.*\} 1.0$", re.MULTILINE)
        _await(lambda: heard.search(httpx.get(f"{router.url}/metrics", trust_env=False, timeout=60).text) is not None)
        assert [fresh() for _ in range(20)] == [429] * 20


def _await(condition: Callable[[], bool]) -> None:
    await_condition(lambda: True if condition() else None, 20, "what the other worker counted")


@pytest.mark.asyncio
async def test_counts_are_told_and_heard_once_however_many_requests_come(nats_url: str) -> None:
    async with replica(settings(nats_url)) as (_, client):
        assert [await status(client) for _ in range(5)] == [200] * 5
        assert sharing_tasks() == ["CountSharing._listen", "CountSharing._tell"]
