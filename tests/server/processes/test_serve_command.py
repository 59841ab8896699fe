"""``galleria serve`` as a process: how it starts, refuses to start, and ends."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from stack.daemon import free_port, running
from tests.execution.raw_server import Exchange, ok, raw_server
from tests.server.graphs.test_supergraph_file import CATALOG, STOCK, write_yaml
from tests.server.processes.test_workers import until
from tests.server.running_router import GALLERIA, refused, running_router, write_supergraph
from tests.server.shop import SUPERGRAPH, codes


@pytest.mark.asyncio
async def test_it_answers_from_real_subgraphs_over_http(tmp_path: Path) -> None:
    async def talk(exchange: Exchange) -> None:
        await exchange.write(ok(b'{"data":{"whoami":"Ada"}}'))

    async with raw_server(talk) as server:
        with running_router(tmp_path, catalog=server.url) as router:
            async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
                for _ in range(3):
                    response = await client.post(f"{router.url}/graphql", json={"query": "{ whoami }"})
                    assert response.json() == {"data": {"whoami": "Ada"}}
            assert server.connections == 1
            mode = "production, no explorer without GALLERIA_ENV=development"
            assert router.log.read_text() == f"galleria: {router.url}/graphql ({mode})\n"


@pytest.mark.parametrize(
    ("environment", "mode"), [("production", "production"), ("development", "development, explorer at /")]
)
def test_it_says_where_the_explorer_is(tmp_path: Path, environment: str, mode: str) -> None:
    config = tmp_path / "router.yaml"
    config.write_text(f"environment: {environment}")
    with running_router(tmp_path, "--config", str(config)) as router:
        assert router.log.read_text() == f"galleria: {router.url}/graphql ({mode})\n"


@pytest.mark.asyncio
async def test_a_client_that_goes_away_takes_its_fetches_along(tmp_path: Path) -> None:
    asked = asyncio.Event()

    async def hang(_: Exchange) -> None:
        asked.set()

    async with raw_server(hang) as server:
        with running_router(tmp_path, catalog=server.url) as router:
            async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
                asking = asyncio.create_task(client.post(f"{router.url}/graphql", json={"query": "{ whoami }"}))
                async with asyncio.timeout(20):
                    await asked.wait()
                asking.cancel()
                await asyncio.gather(asking, return_exceptions=True)
            await server.until_closed()
            assert "Traceback" not in router.log.read_text()


@pytest.mark.asyncio
async def test_sigterm_finishes_what_is_under_way_and_ends_cleanly(tmp_path: Path) -> None:
    asked, answer = asyncio.Event(), asyncio.Event()

    async def talk(exchange: Exchange) -> None:
        asked.set()
        await answer.wait()
        await exchange.write(ok(b'{"data":{"whoami":"Ada"}}'))

    async with raw_server(talk) as server:
        with running_router(tmp_path, catalog=server.url) as router:
            async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
                asking = asyncio.create_task(client.post(f"{router.url}/graphql", json={"query": "{ whoami }"}))
                async with asyncio.timeout(20):
                    await asked.wait()
                router.process.send_signal(signal.SIGTERM)
                answer.set()
                assert (await asking).json() == {"data": {"whoami": "Ada"}}
            assert await asyncio.to_thread(router.process.wait, 10) == 0


def test_while_it_drains_it_is_not_ready_but_answers_and_a_second_signal_ends_it(tmp_path: Path) -> None:
    config = tmp_path / "router.yaml"
    config.write_text("server: {drain_s: 3600}\n")
    with running_router(tmp_path, "--config", str(config)) as router:
        assert httpx.get(f"{router.url}/health/ready", trust_env=False, timeout=60).status_code == 200
        router.process.send_signal(signal.SIGTERM)
        until(
            lambda: httpx.get(f"{router.url}/health/ready", trust_env=False, timeout=60).status_code == 503, "draining"
        )
        ready = httpx.get(f"{router.url}/health/ready", trust_env=False, timeout=60)
        assert ready.json() == {"status": "draining", "missing": []}
        answer = httpx.post(f"{router.url}/graphql", json={"query": "{ __typename }"}, trust_env=False, timeout=60)
        assert answer.json() == {"data": {"__typename": "Query"}}
        router.process.send_signal(signal.SIGTERM)
        assert router.process.wait(10) == 0


def test_a_thread_that_nothing_can_cancel_is_left_behind(tmp_path: Path) -> None:
    """As one in getaddrinfo, whose name server is gone."""
    config = tmp_path / "router.yaml"
    config.write_text("plugins: [{use: 'tests.server.stuck_plugin:StuckThread'}]\n")
    with running_router(tmp_path, "--config", str(config)) as router:
        answer = httpx.post(f"{router.url}/graphql", json={"query": "{ __typename }"}, trust_env=False, timeout=60)
        assert answer.json() == {"data": {"__typename": "Query"}}
        router.process.send_signal(signal.SIGTERM)
        assert router.process.wait(8) == 0
        assert "ended without threads that do not end" in router.log.read_text()


@pytest.mark.asyncio
async def test_sigterm_ends_it_within_ten_seconds_even_if_a_subgraph_hangs(tmp_path: Path) -> None:
    asked = asyncio.Event()

    async def hang(_: Exchange) -> None:
        asked.set()

    async with raw_server(hang) as server:
        with running_router(tmp_path, catalog=server.url) as router:
            async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
                asking = asyncio.create_task(client.post(f"{router.url}/graphql", json={"query": "{ whoami }"}))
                async with asyncio.timeout(20):
                    await asked.wait()
                started = time.monotonic()
                router.process.send_signal(signal.SIGTERM)
                assert await asyncio.to_thread(router.process.wait, 10) == 0
                assert time.monotonic() - started < 10
                response = await asking
            assert (response.status_code, codes(response)) == (503, ["SHUTTING_DOWN"])
            assert "Traceback" not in router.log.read_text()


@pytest.mark.asyncio
async def test_a_reload_loses_no_request_and_sighup_reloads_at_once(tmp_path: Path) -> None:
    """A request that began on the old supergraph ends on it, while the new one is served already."""
    asked, answer = asyncio.Event(), asyncio.Event()

    async def talk(exchange: Exchange) -> None:
        asked.set()
        await answer.wait()
        await exchange.write(ok(b'{"data":{"whoami":"Ada"}}'))

    config = tmp_path / "router.yaml"
    config.write_text("supergraph: {watch: false}")
    async with raw_server(talk) as server:
        with running_router(tmp_path, "--config", str(config), catalog=server.url) as router:
            async with httpx.AsyncClient(trust_env=False, timeout=60, base_url=router.url) as client:
                asking = asyncio.create_task(client.post("/graphql", json={"query": "{ whoami }"}))
                async with asyncio.timeout(20):
                    await asked.wait()
                path = tmp_path / "supergraph.graphql"
                # Moved elsewhere besides: the old address has to serve the request under way to its end.
                path.write_text(path.read_text().replace(server.url, f"{server.url}?moved").replace("whoami", "me"))
                router.process.send_signal(signal.SIGHUP)
                async with asyncio.timeout(20):
                    while 'reloads_total{outcome="swapped"} 1.0' not in (await client.get("/metrics")).text:  # noqa: ASYNC110 - of another process
                        await asyncio.sleep(0.02)
                response = await client.post("/graphql", json={"query": "{ whoami }"})
                assert codes(response) == ["GRAPHQL_VALIDATION_FAILED"]
                answer.set()
                assert (await asking).json() == {"data": {"whoami": "Ada"}}
                assert (await client.get("/health/ready")).status_code == 200


def test_subgraphs_that_do_not_compose_are_told_as_compose_tells_them(tmp_path: Path) -> None:
    path = write_yaml(tmp_path, catalog=CATALOG, stock=STOCK.replace("available", "name"))
    composed = subprocess.run([GALLERIA, "compose", str(path)], capture_output=True, text=True, timeout=60, check=False)
    code, told = refused(["--supergraph", str(path)])
    assert code == 2
    assert composed.stderr
    assert told.startswith(f"{composed.stderr}COMPOSITION_FAILED: {path} does not compose: ")


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, told = refused(["--supergraph", str(write_supergraph(tmp_path)), "--port", str(port)])
    assert code == 2
    assert told == (
        f"ADDRESS_UNAVAILABLE: Cannot listen on 127.0.0.1:{port}: Address already in use. "
        "Choose another with --host and --port.\n"
    )


def test_a_missing_supergraph_is_named(tmp_path: Path) -> None:
    path = tmp_path / "none.graphql"
    code, told = refused(["--supergraph", str(path)])
    assert code == 2
    expected = "No such file or directory. Name a supergraph file with --supergraph FILE."
    assert told == f"INVALID_SUPERGRAPH: {path}: {expected}\n"


@pytest.mark.parametrize("text", ["", "type Query { a: Int }", "{", "\x00", SUPERGRAPH[:700]])
def test_what_is_no_supergraph_is_told_on_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "supergraph.graphql"
    path.write_text(text)
    code, told = refused(["--supergraph", str(path)])
    assert code == 2
    assert told.startswith(f"INVALID_SUPERGRAPH: {path}: ")
    assert told.count("\n") == 1


def test_a_wrong_setting_is_told_before_anything_starts(tmp_path: Path) -> None:
    config = tmp_path / "router.yaml"
    config.write_text("sever: {port: 1}")
    code, told = refused(["--supergraph", str(write_supergraph(tmp_path)), "--config", str(config)])
    assert code == 2
    assert told == f"INVALID_CONFIG: {config}: sever: there is no such setting; did you mean 'server'?\n"


@pytest.mark.asyncio
async def test_it_starts_before_its_subgraphs_and_waits_for_their_schemas(tmp_path: Path) -> None:
    """A subgraph that tells its schema itself is not there at first: live, not ready, and then ready by itself."""
    port, subgraph_port = free_port(), free_port()
    url = f"http://127.0.0.1:{subgraph_port}/graphql"
    path = tmp_path / "supergraph.yaml"
    path.write_text(json.dumps({"subgraphs": {"one": {"routing_url": url, "schema": {"subgraph_url": url}}}}))
    answer = json.dumps({"data": {"_service": {"sdl": "type Query { whoami: String }"}}}).encode()
    command = [GALLERIA, "serve", "--supergraph", str(path), "--port", str(port)]
    with running(command, port, tmp_path / "router.log"):
        async with httpx.AsyncClient(trust_env=False, timeout=60, base_url=f"http://127.0.0.1:{port}") as client:
            assert (await client.get("/health/live")).status_code == 200
            response = await client.get("/health/ready")
            assert (response.status_code, response.json()["missing"]) == (503, ["supergraph"])
            response = await client.post("/graphql", json={"query": "{ whoami }"})
            assert (response.status_code, codes(response)) == (503, ["NOT_READY"])
            async with raw_server(lambda exchange: exchange.write(ok(answer)), subgraph_port), asyncio.timeout(20):
                while (await client.get("/health/ready")).status_code != 200:  # noqa: ASYNC110 - of another process
                    await asyncio.sleep(0.05)
