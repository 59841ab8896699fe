"""Spans of sampled requests come to an OTLP collector, continue the sender's trace, and hold nobody's data."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from router.server.config import RouterConfig
from router.server.config.telemetry import TelemetrySettings, TracingSettings
from router.server.observation.request_trace import begin_trace
from router.server.observation.tracing import Sampler
from router.server.service import GraphQLService
from tests.chassis.collector import Collector, running_collector
from tests.execution.raw_server import Exchange, RawServer, ok, raw_server
from tests.mall import await_condition
from tests.server.observation.traced import (
    SAMPLED,
    SENDER,
    TRACE,
    UNSAMPLED,
    ask,
    attributes,
    products,
    spans_of,
    write_config,
)
from tests.server.running_router import RunningRouter, running_router, write_supergraph
from tests.server.shop import Shop, router_over

NAMES = {"POST /graphql", "graphql.parse", "graphql.validate", "graphql.plan", "graphql.execute", "graphql.project"}
OTHER = "4bf92f3577b34da6a3ce929d0e0e4737"


async def asked(url: str, query: str = "query Mugs { products { name } }", **headers: str) -> httpx.Response:
    """Beside the subgraphs of this loop."""
    return await asyncio.to_thread(ask, url, query, **headers)


def traceparents(server: RawServer) -> list[list[str]]:
    """Version, trace, span and flags that each fetch was sent with."""
    heads = [exchange.head.decode().lower() for exchange in server.exchanges]
    return [found[1].split("-") for head in heads if (found := re.search(r"traceparent: (\S+)", head))]


@pytest.mark.asyncio
async def test_a_request_its_stages_and_its_fetches_are_spans_below_their_sender(tmp_path: Path) -> None:
    with running_collector() as collector:
        async with raw_server(products) as server:
            config = write_config(tmp_path, collector.endpoint)
            with running_router(tmp_path, "--config", config, catalog=server.url) as router:
                assert (await asked(router.url, traceparent=SAMPLED)).status_code == 200
                spans = await asyncio.to_thread(spans_of, collector, TRACE, 7)
            [sent] = traceparents(server)
    assert spans.keys() == NAMES | {"fetch catalog"}
    request, execution, fetch = spans["POST /graphql"], spans["graphql.execute"], spans["fetch catalog"]
    assert (request.kind, request.parent_span_id.hex()) == (Span.SPAN_KIND_SERVER, SENDER)
    assert (
        attributes(request).items()
        >= {
            "http.request.method": "POST",
            "url.path": "/graphql",
            "graphql.operation.type": "query",
            "graphql.operation.name": "Mugs",
            "http.response.status_code": 200,
        }.items()
    )
    below = [spans[name] for name in NAMES - {"POST /graphql"}]
    assert {span.parent_span_id for span in below} == {request.span_id}
    assert (fetch.kind, fetch.parent_span_id) == (Span.SPAN_KIND_CLIENT, execution.span_id)
    assert attributes(fetch) == {
        "galleria.subgraph": "catalog",
        "http.request.body.size": len(server.exchanges[0].body),
        "http.response.status_code": 200,
        "http.response.body.size": len(b'{"data":{"products":[{"__typename":"Product","id":"1","name":"Mug"}]}}'),
    } | (
        {"graphql.operation.name": name} if (name := json.loads(server.exchanges[0].body).get("operationName")) else {}
    )
    # The subgraph continues below the span of the fetch.
    assert sent == ["00", TRACE, fetch.span_id.hex(), "01"]
    in_order = [spans[f"graphql.{name}"] for name in ("parse", "validate", "plan", "execute", "project")]
    ends = [span.end_time_unix_nano for span in in_order]
    assert [span.start_time_unix_nano for span in in_order[1:]] >= ends[:-1]
    assert request.start_time_unix_nano <= in_order[0].start_time_unix_nano
    assert ends[-1] <= request.end_time_unix_nano


@pytest.mark.asyncio
async def test_what_is_planned_already_has_no_span_of_planning(tmp_path: Path) -> None:
    with running_collector() as collector:
        async with raw_server(products) as server:
            config = write_config(tmp_path, collector.endpoint)
            with running_router(tmp_path, "--config", config, catalog=server.url) as router:
                for trace in (TRACE, OTHER):
                    await asked(router.url, traceparent=f"00-{trace}-{SENDER}-01")
                spans = await asyncio.to_thread(spans_of, collector, OTHER, 4)
    assert spans.keys() == {"POST /graphql", "graphql.execute", "fetch catalog", "graphql.project"}


@pytest.mark.asyncio
async def test_unsampled_requests_send_no_span_and_tell_the_subgraph_so(tmp_path: Path) -> None:
    with running_collector() as collector:
        async with raw_server(products) as server:
            config = write_config(tmp_path, collector.endpoint, ratio=0)
            with running_router(tmp_path, "--config", config, catalog=server.url) as router:
                await asked(router.url)
                await asked(router.url, traceparent=UNSAMPLED)
                await asked(router.url, traceparent=f"00-{OTHER}-{SENDER}-01")
                await asyncio.to_thread(spans_of, collector, OTHER, 4)
            assert [sent[3] for sent in traceparents(server)] == ["00", "00", "01"]
    assert {span.trace_id.hex() for _, span in collector.spans} == {OTHER}


def test_a_trace_that_begins_here_is_sampled_by_its_id() -> None:
    sampler = Sampler(TracingSettings(ratio=0.5))
    low, high = "0" * 16 + "7" + "f" * 15, "0" * 16 + "8" + "0" * 15
    assert [sampler.samples(one.encode(), None) for one in (low, high)] == [True, False]

    def decided(by: Sampler, flags: str) -> list[tuple[bool, bytes]]:
        parents = [f"00-{one}-{SENDER}-{flags}".encode() for one in (low, high)]
        traces = [begin_trace({b"traceparent": parent}, by.samples) for parent in parents]
        return [(trace.is_sampled, dict(trace.headers)[b"traceparent"][-3:]) for trace in traces]

    # With a sender, the sender decides; but where the settings say that none does. Subgraphs are told what was decided.
    assert decided(sampler, "00") == [(False, b"-00"), (False, b"-00")]
    assert decided(sampler, "03") == [(True, b"-03"), (True, b"-03")]
    deaf = Sampler(TracingSettings(ratio=0.5, parent_based=False))
    assert decided(deaf, "00") == [(True, b"-01"), (False, b"-00")]
    assert decided(deaf, "01") == [(True, b"-01"), (False, b"-00")]


@pytest.mark.asyncio
async def test_each_error_names_the_trace_that_the_log_and_the_spans_have(tmp_path: Path) -> None:
    async def fail(exchange: Exchange) -> None:
        await exchange.write(ok(b'{"data":null,"errors":[{"message":"hush: Mug"}]}'))

    with running_collector() as collector:
        async with raw_server(fail) as server:
            config = write_config(tmp_path, collector.endpoint)
            with running_router(tmp_path, "--config", config, catalog=server.url) as router:
                failed = (await asked(router.url)).json()
                trace = failed["errors"][0]["extensions"]["traceId"]
                spans = await asyncio.to_thread(spans_of, collector, trace, 7)
                refused = (await asked(router.url, "{ nothing }", traceparent=SAMPLED)).json()
                assert [error["extensions"]["traceId"] for error in refused["errors"]] == [TRACE]
                bad = (await asked(router.url, "", traceparent=SAMPLED)).json()
                assert [error["extensions"]["traceId"] for error in bad["errors"]] == [TRACE]
            lines = [json.loads(line) for line in router.log.read_text().splitlines() if line.startswith("{")]
    assert [line["trace"] for line in lines] == [trace, TRACE, TRACE]
    assert spans["POST /graphql"].parent_span_id == b""
    execution = spans["graphql.execute"]
    assert (execution.status.code, attributes(execution)) == (Status.STATUS_CODE_ERROR, {"galleria.errors": 1})
    assert "hush" not in str(collector.spans)


@pytest.mark.asyncio
async def test_a_fetch_that_fails_has_the_code_of_its_failure(tmp_path: Path) -> None:
    async def break_off(exchange: Exchange) -> None:
        exchange.close()

    with running_collector() as collector:
        async with raw_server(break_off) as server:
            config = write_config(tmp_path, collector.endpoint)
            with running_router(tmp_path, "--config", config, catalog=server.url) as router:
                await asked(router.url, traceparent=SAMPLED)
                spans = await asyncio.to_thread(spans_of, collector, TRACE, 7)
    fetch = spans["fetch catalog"]
    assert fetch.status.code == Status.STATUS_CODE_ERROR
    assert attributes(fetch)["error.type"] == "SUBGRAPH_REQUEST_FAILED"
    assert "http.response.status_code" not in attributes(fetch)


@pytest.mark.asyncio
async def test_spans_hold_no_document_variable_header_or_token(tmp_path: Path) -> None:
    with running_collector() as collector:
        async with raw_server(products) as server:
            config = write_config(tmp_path, collector.endpoint, {"graphql": {"introspection": True}})
            with running_router(tmp_path, "--config", config, catalog=server.url) as router:
                body = {
                    "query": 'query Q($n: Int) { hush1: products(first: $n) { name } __type(name: "hush2") { name } }',
                    "variables": {"n": 2047110815},
                    "extensions": {"note": "hush3"},
                }
                headers = {
                    "authorization": "Bearer hush4",
                    "cookie": "a=hush5",
                    "x-own": "hush6",
                    "traceparent": SAMPLED,
                }
                url = f"{router.url}/graphql?key=hush7"
                await asyncio.to_thread(httpx.post, url, json=body, headers=headers, trust_env=False)
                await asyncio.to_thread(spans_of, collector, TRACE, 1)
            assert b"hush4" in server.exchanges[0].head
    assert not re.search("hush|2047110815|products", str(collector.spans))


@pytest.mark.asyncio
async def test_a_collector_that_is_gone_costs_neither_answers_nor_the_end(tmp_path: Path) -> None:
    with running_collector() as collector:
        endpoint = collector.endpoint
    async with raw_server(products) as server:
        config = write_config(tmp_path, endpoint, max_queue=2)
        with running_router(tmp_path, "--config", config, catalog=server.url) as router:
            answers = [await asked(router.url) for _ in range(10)]
            assert [answer.json()["data"] for answer in answers] == [{"products": [{"name": "Mug"}]}] * 10
            assert _ended(router) == 0


@pytest.mark.asyncio
async def test_a_collector_that_never_answers_does_not_hold_up_the_end(tmp_path: Path) -> None:
    async def never(_: Exchange) -> None:
        await asyncio.Event().wait()

    async with raw_server(products) as server, raw_server(never) as collector:
        config = write_config(tmp_path, collector.url.removesuffix("/graphql"))
        with running_router(tmp_path, "--config", config, catalog=server.url) as router:
            assert (await asked(router.url)).status_code == 200
            assert await asyncio.to_thread(_ended, router) == 0


def _ended(router: RunningRouter) -> int:
    router.process.terminate()
    return router.process.wait(10)


@pytest.mark.asyncio
async def test_a_collector_may_come_and_go_while_the_router_serves(tmp_path: Path) -> None:
    with running_collector() as first, running_collector() as second:
        async with raw_server(products) as server:
            config = write_config(tmp_path, "")
            with running_router(tmp_path, "--config", config, catalog=server.url) as router:
                assert "x-request-id" not in (await asked(router.url)).headers
                for collector in (first, second):
                    write_config(tmp_path, collector.endpoint)
                    await asyncio.to_thread(await_span, collector, router.url)
                write_config(tmp_path, "")
                await asyncio.to_thread(
                    await_condition, lambda: "x-request-id" not in ask(router.url).headers, 20, "the last spans"
                )


def await_span(collector: Collector, url: str) -> None:
    def has_come() -> bool:
        ask(url)
        return bool(collector.spans)

    await_condition(has_come, 20, "the first span")


def test_a_router_that_traces_nothing_runs_without_what_traces() -> None:
    quiet = router_over(Shop(), RouterConfig())
    assert type(quiet.service) is GraphQLService


def test_spans_without_the_extra_are_a_wrong_setting(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['opentelemetry'] = None; sys.argv[0] = 'galleria';"
        "from router.commands.main import main; main()"
    )
    config = write_config(tmp_path, "http://collector.test:4318")
    arguments = ["serve", "--supergraph", str(write_supergraph(tmp_path)), "--config", config, "--port", "0"]
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert "telemetry.tracing.endpoint: spans need the extra galleria[otel]; it is not installed" in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_names_of_headers_are_compared_in_lower_case() -> None:
    assert TelemetrySettings(client_name_header="X-Client").client_name_header == "x-client"


@pytest.mark.parametrize("ratio", [0, 2**-64, 0.01, 0.5, 0.999, 1])
def test_the_text_of_an_id_is_less_than_the_bound_where_its_number_is(ratio: float) -> None:
    sampler, bound = Sampler(TracingSettings(ratio=ratio)), round(ratio * 2**64)
    for last in (
        0,
        1,
        bound - 1,
        bound,
        bound + 1,
        0x0123456789ABCDEF,
        0x9FFFFFFFFFFFFFFF,
        0xA000000000000000,
        2**64 - 1,
    ):
        if 0 <= last < 2**64:
            assert sampler.samples(b"%016x%016x" % (2**64 - 1, last), None) is (last < bound)
