"""One id for all that becomes of a request: in the answer, in what subgraphs get, and in the access log."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from router.server.observation.access_log import written_time
from router.server.observation.request_trace import begin_trace
from tests.execution.raw_server import Exchange, RawServer, ok, raw_server
from tests.server.running_router import running_router

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
QUERY = {"query": "query Hush($first: Int) { products(first: $first) { name } }", "variables": {"first": 2047110815}}


async def talk(exchange: Exchange) -> None:
    await exchange.write(ok(b'{"data":{"products":[{"name":"Mug"}]}}'))


def sent_headers(server: RawServer, index: int = 0) -> dict[str, str]:
    """What the subgraph got."""
    lines = server.exchanges[index].head.decode().split("\r\n")[1:]
    return dict(line.lower().split(": ", 1) for line in lines if ": " in line)


async def post(url: str, headers: dict[str, str]) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        return await client.post(f"{url}/graphql", json=QUERY, headers=headers)


def config(folder: Path, *, trace_context: bool, access_log: bool) -> str:
    path = folder / "router.yaml"
    settings = {"trace_context": trace_context, "access_log": access_log}
    path.write_text(f"telemetry: {json.dumps(settings)}\n")
    return str(path)


@pytest.mark.asyncio
async def test_a_clients_ids_go_to_the_subgraph_the_answer_and_the_log(tmp_path: Path) -> None:
    async with raw_server(talk) as server:
        file = config(tmp_path, trace_context=True, access_log=True)
        with running_router(tmp_path, "--config", file, catalog=server.url) as router:
            response = await post(
                router.url,
                {
                    "x-request-id": "click-1",
                    "traceparent": PARENT,
                    "tracestate": "vendor=1",
                    "apollographql-client-name": "shop-web",
                    "authorization": "Bearer hush",
                },
            )
            assert response.headers["x-request-id"] == "click-1"
        headers = sent_headers(server)
        assert headers["x-request-id"] == "click-1"
        assert headers["tracestate"] == "vendor=1"
        # The same trace and sampling, under a span of the router's own.
        version, trace, span, flags = headers["traceparent"].split("-")
        assert (version, trace, flags) == ("00", TRACE, "00")
        assert re.fullmatch(r"[0-9a-f]{16}", span)
        assert span != "00f067aa0ba902b7"
        [line] = [json.loads(one) for one in router.log.read_text().splitlines() if one.startswith("{")]
        assert line | {"time": "", "ms": 0} == {
            "time": "",
            "ms": 0,
            "method": "POST",
            "status": 200,
            "bytes": len(response.content),
            "client": "shop-web",
            "request": "click-1",
            "trace": TRACE,
        }
        assert not re.search("hush|2047110815|products|Mug", router.log.read_text(), re.IGNORECASE)


@pytest.mark.asyncio
async def test_ids_are_made_where_a_client_sends_none_or_what_is_none(tmp_path: Path) -> None:
    async with raw_server(talk) as server:
        file = config(tmp_path, trace_context=True, access_log=False)
        with running_router(tmp_path, "--config", file, catalog=server.url) as router:
            made = [
                (await post(router.url, headers)).headers["x-request-id"]
                for headers in ({}, {"x-request-id": 'a"b', "traceparent": "00-zz", "tracestate": "vendor=1"})
            ]
            assert [bool(re.fullmatch(r"[0-9a-f]{16}", one)) for one in made] == [True, True]
        for index, request_id in enumerate(made):
            headers = sent_headers(server, index)
            assert headers["x-request-id"] == request_id
            assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", headers["traceparent"])
            assert "tracestate" not in headers
        assert '"request"' not in router.log.read_text()


@pytest.mark.asyncio
async def test_equal_queries_of_different_traces_are_still_asked_once(tmp_path: Path) -> None:
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def hold(exchange: Exchange) -> None:
        arrived.set()
        await go_on.wait()
        await talk(exchange)

    async with raw_server(hold) as server:
        file = config(tmp_path, trace_context=True, access_log=False)
        with running_router(tmp_path, "--config", file, catalog=server.url) as router:
            first = asyncio.create_task(post(router.url, {"x-request-id": "one"}))
            async with asyncio.timeout(10):
                await arrived.wait()
            second = asyncio.create_task(post(router.url, {"x-request-id": "two"}))
            async with asyncio.timeout(10):
                while "galleria_fetches_shared_total 1.0" not in await metrics(router.url):
                    continue
            go_on.set()
            assert [(await one).headers["x-request-id"] for one in (first, second)] == ["one", "two"]
        assert [sent_headers(server)["x-request-id"], len(server.exchanges)] == ["one", 1]


async def metrics(url: str) -> str:
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        return (await client.get(f"{url}/metrics")).text


@pytest.mark.asyncio
async def test_without_the_setting_nothing_is_added(tmp_path: Path) -> None:
    async with raw_server(talk) as server:
        with running_router(tmp_path, catalog=server.url) as router:
            response = await post(router.url, {"x-request-id": "click-1", "traceparent": PARENT})
            assert "x-request-id" not in response.headers
        assert not {"x-request-id", "traceparent"} & sent_headers(server).keys()


@pytest.mark.parametrize(
    "parent",
    [
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
    ],
    ids=["version", "no trace", "no parent", "upper case", "no flags"],
)
def test_what_the_specification_calls_invalid_begins_a_new_trace(parent: str) -> None:
    assert begin_trace({b"traceparent": parent.encode()}).trace_id != TRACE.encode()


@pytest.mark.parametrize("seconds", [0.0, 1_767_319_445.0, 1_767_319_445.25, 1_767_319_445.9999, 1_767_319_446.5])
def test_the_time_in_the_access_log_is_iso_8601_to_the_millisecond(seconds: float) -> None:
    assert written_time(seconds).decode() == datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
