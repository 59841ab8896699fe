"""Answers in parts at the HTTP edge: the first part does not wait, both forms, errors, nulls, time limits, leaving."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, MutableMapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import pytest

from router.execution.errors import SubgraphFailure
from router.server.app import RouterApp, create_app
from router.server.config import BatchingSettings, DeferSettings, GraphQLSettings, RouterConfig
from router.server.graphs.graph import open_graph
from tests.execution.scripted import ScriptedSubgraphs
from tests.planning.plans import supergraph_of

SUBGRAPHS = {
    "catalog": """
        type Query { product: Product }
        type Product @key(fields: "id") { id: ID!  name: String  size: Size }
        type Size { width: Int  height: Int }
    """,
    "prices": 'type Product @key(fields: "id") { id: ID!  price: Int!  tax: Int }',
    "stock": 'type Product @key(fields: "id") { id: ID!  available: Int }',
}
LEGACY = b"multipart/mixed;deferSpec=20220824, application/json"
CURRENT = b"multipart/mixed, application/json"
QUERY = '{ product { name ... @defer(label: "cost") { price } ... @defer { available } } }'
Message = MutableMapping[str, Any]


def catalog(body: Mapping[str, Any]) -> Mapping[str, Any]:
    if "_entities" in body["query"]:
        return {"data": {"_entities": [{"name": "Mug", "size": {"height": 9}}]}}
    return {"data": {"product": {"id": "1", "name": "Mug", "theId": "1", "size": {"width": 8}}}}


def scripted() -> ScriptedSubgraphs:
    return ScriptedSubgraphs(
        catalog=catalog,
        prices={"data": {"_entities": [{"price": 5, "tax": 1}]}},
        stock={"data": {"_entities": [{"available": 3}]}},
    )


def router_over(subgraphs: ScriptedSubgraphs, config: RouterConfig | None = None) -> RouterApp:
    config = config or RouterConfig()
    return create_app(config, open_graph(supergraph_of(SUBGRAPHS), config, subgraphs))


class Exchange:
    """One request whose response is read part by part; ``leave`` closes the connection."""

    def __init__(self) -> None:
        self.sent: asyncio.Queue[Message] = asyncio.Queue()
        self.gone = asyncio.Event()
        self.headers: dict[bytes, bytes] = {}

    def leave(self) -> None:
        self.gone.set()

    async def part(self) -> Any:
        """The next payload; None after the last."""
        while True:
            async with asyncio.timeout(60):
                message = await self.sent.get()
            if message["type"] == "http.response.start":
                self.headers = dict(message["headers"])
                continue
            _, _, text = message["body"].partition(b"\r\n\r\n")
            return json.loads(text.partition(b"\r\n---")[0]) if text else None


@asynccontextmanager
async def sending(
    app: RouterApp, query: str, accept: bytes, method: str = "POST", **more: Any
) -> AsyncIterator[Exchange]:
    exchange = Exchange()
    body = json.dumps({"query": query, **more}).encode()
    received: list[Message] = [{"type": "http.request", "body": body if method == "POST" else b"", "more_body": False}]

    async def receive() -> Message:
        if received:
            return received.pop()
        await exchange.gone.wait()
        return {"type": "http.disconnect"}

    headers = [(b"accept", accept), (b"content-type", b"application/json")]

    query_string = b"query=" + quote(query).encode() if method == "GET" else b""
    scope = {"type": "http", "method": method, "path": "/graphql", "query_string": query_string, "headers": headers}
    task = asyncio.create_task(app(scope, receive, exchange.sent.put))
    try:
        yield exchange
        await task
    finally:
        task.cancel()


async def payloads(app: RouterApp, query: str, accept: bytes, **more: Any) -> list[Any]:
    found = []
    async with sending(app, query, accept, **more) as exchange:
        while (payload := await exchange.part()) is not None:
            found.append(payload)
    return found


@pytest.mark.asyncio
async def test_each_part_is_sent_when_it_is_ready_and_none_waits_for_another() -> None:
    subgraphs = scripted()
    prices, stock = subgraphs.gate("prices"), subgraphs.gate("stock")
    async with sending(router_over(subgraphs), QUERY, LEGACY) as exchange:
        assert await exchange.part() == {"data": {"product": {"name": "Mug"}}, "hasNext": True}
        await subgraphs.until_asked("prices", "stock")
        stock.set()
        assert await exchange.part() == {
            "incremental": [{"path": ["product"], "data": {"available": 3}}], "hasNext": True,
        }  # fmt: skip
        prices.set()
        assert await exchange.part() == {
            "incremental": [{"path": ["product"], "label": "cost", "data": {"price": 5}}], "hasNext": False,
        }  # fmt: skip
        assert await exchange.part() is None
    assert exchange.headers[b"content-type"] == b'multipart/mixed;boundary="-";deferSpec=20220824'


@pytest.mark.asyncio
async def test_current_form_announces_fragments_and_completes_them_by_id() -> None:
    query = '{ product { name size { width } ... @defer(label: "rest") { name price size { height } } } }'
    first, second = await payloads(router_over(scripted()), query, CURRENT)
    assert first == {
        "data": {"product": {"name": "Mug", "size": {"width": 8}}},
        "pending": [{"id": "0", "path": ["product"], "label": "rest"}],
        "hasNext": True,
    }
    # Groups that do not stand within each other come in whatever order they are ready.
    assert sorted(second.pop("incremental"), key=lambda one: "subPath" in one) == [
        {"id": "0", "data": {"price": 5}},
        {"id": "0", "data": {"height": 9}, "subPath": ["size"]},
    ]
    assert second == {"completed": [{"id": "0"}], "hasNext": False}


@pytest.mark.asyncio
async def test_fragment_of_the_form_of_2022_is_whole() -> None:
    query = "{ product { name size { width } ... @defer { name price size { height } } } }"
    _, second = await payloads(router_over(scripted()), query, LEGACY)
    assert second["incremental"] == [{"path": ["product"], "data": {"name": "Mug", "price": 5, "size": {"height": 9}}}]


@pytest.mark.asyncio
async def test_nested_fragment_is_announced_when_the_outer_one_is_complete() -> None:
    query = '{ product { name ... @defer(label: "a") { price ... @defer(label: "b") { available } } } }'
    first, *others = await payloads(router_over(scripted()), query, CURRENT)
    assert first["pending"] == [{"id": "0", "path": ["product"], "label": "a"}]
    announced = [one for payload in others for one in payload.get("pending", ())]
    assert announced == [{"id": "1", "path": ["product"], "label": "b"}]
    assert [one["id"] for payload in others for one in payload["completed"]] == ["0", "1"]


@pytest.mark.asyncio
@pytest.mark.parametrize("accept", [LEGACY, CURRENT])
async def test_null_in_a_deferred_part_stays_inside_it(accept: bytes) -> None:
    subgraphs = scripted()
    subgraphs.scripts["prices"] = {"data": {"_entities": [{"price": None, "tax": 1}]}}
    query = "{ product { name ... @defer { price tax } } }"
    first, second = await payloads(router_over(subgraphs), query, accept)
    error = {
        "message": "Cannot return null for non-nullable field Product.price.",
        "path": ["product", "price"],
        "extensions": {"code": "NULL_IN_NON_NULLABLE_FIELD"},
    }
    assert first["data"] == {"product": {"name": "Mug"}}
    assert "errors" not in first
    if accept is LEGACY:
        assert second["incremental"] == [{"path": ["product"], "data": None, "errors": [error]}]
    else:
        assert second == {"completed": [{"id": "0", "errors": [error]}], "hasNext": False}


@pytest.mark.asyncio
async def test_failed_subgraph_costs_the_part_that_needs_it_only() -> None:
    subgraphs = scripted()
    subgraphs.scripts["stock"] = b"<html>"
    payload = await payloads(router_over(subgraphs), QUERY, LEGACY)
    parts = {part.get("label"): part for one in payload[1:] for part in one["incremental"]}
    assert parts["cost"] == {"path": ["product"], "label": "cost", "data": {"price": 5}}
    assert parts[None]["data"] == {"available": None}
    assert [(error["path"], error["extensions"]["code"]) for error in parts[None]["errors"]] == [
        (["product", "available"], "SUBGRAPH_INVALID_RESPONSE")
    ]


@pytest.mark.asyncio
async def test_object_that_is_null_has_no_fragments() -> None:
    subgraphs = scripted()
    subgraphs.scripts["catalog"] = {"data": {"product": None}}
    assert await payloads(router_over(subgraphs), QUERY, CURRENT) == [{"data": {"product": None}, "hasNext": False}]
    assert subgraphs.names == ["catalog"]


@pytest.mark.asyncio
async def test_whoever_accepts_no_parts_gets_one_answer() -> None:
    async with sending(router_over(scripted()), QUERY, b"application/json") as exchange:
        start, body = await exchange.sent.get(), await exchange.sent.get()
    assert dict(start["headers"])[b"content-type"] == b"application/json; charset=utf-8"
    assert json.loads(body["body"]) == {"data": {"product": {"name": "Mug", "price": 5, "available": 3}}}


@pytest.mark.asyncio
@pytest.mark.parametrize("switch", ["setting", "condition"])
async def test_nothing_is_deferred_where_it_is_turned_off(switch: str) -> None:
    config = RouterConfig(defer=DeferSettings(enabled=switch != "setting"))
    query = "query ($on: Boolean!) { product { name ... @defer(if: $on) { price } } }"
    app = router_over(scripted(), config)
    async with sending(app, query, CURRENT, variables={"on": switch == "setting"}) as exchange:
        await exchange.sent.get()
        body = await exchange.sent.get()
    assert json.loads(body["body"]) == {"data": {"product": {"name": "Mug", "price": 5}}}


@pytest.mark.asyncio
async def test_query_by_get_is_answered_in_parts() -> None:
    assert [one["hasNext"] for one in await payloads(router_over(scripted()), QUERY, CURRENT, method="GET")][
        -1
    ] is False


@pytest.mark.asyncio
async def test_client_that_leaves_cancels_what_is_still_fetched() -> None:
    subgraphs = scripted()
    subgraphs.gate("prices")
    async with sending(router_over(subgraphs), "{ product { name ... @defer { price } } }", CURRENT) as exchange:
        await exchange.part()
        await subgraphs.until_asked("prices")
        exchange.leave()
    assert subgraphs.cancelled == ["prices"]


@pytest.mark.asyncio
async def test_time_limit_of_the_request_holds_for_its_parts() -> None:
    subgraphs = scripted()
    late = TimingOut(subgraphs)
    config = RouterConfig(graphql=GraphQLSettings(timeout_s=0.2))
    app = create_app(config, open_graph(supergraph_of(SUBGRAPHS), config, late))
    first, second = await payloads(app, "{ product { name ... @defer { available } } }", LEGACY)
    assert first["data"] == {"product": {"name": "Mug"}}
    (part,) = second["incremental"]
    assert part["data"] == {"available": None}
    assert [(one["path"], one["extensions"]["code"]) for one in part["errors"]] == [
        (["product", "available"], "TIMEOUT")
    ]


@pytest.mark.asyncio
async def test_array_of_operations_is_answered_whole() -> None:
    config = RouterConfig(batching=BatchingSettings(enabled=True))
    app = router_over(scripted(), config)
    received: list[Message] = [
        {"type": "http.request", "body": json.dumps([{"query": QUERY}]).encode(), "more_body": False}
    ]
    sent: list[Message] = []

    async def receive() -> Message:
        return received.pop() if received else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"accept", CURRENT), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/graphql", "query_string": b"", "headers": headers}
    await app(scope, receive, send)
    assert json.loads(sent[-1]["body"]) == [{"data": {"product": {"name": "Mug", "price": 5, "available": 3}}}]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("query", "message"),
    [
        ('{ product { ... @defer(label: "a") { name } ... @defer(label: "a") { price } } }', "label"),
        ("{ product { ... @defer(if: 1) { name } } }", "Boolean"),
        ("{ product { name @defer } }", "may not be used on field"),
    ],
)
async def test_wrong_use_is_refused_before_anything_is_fetched(query: str, message: str) -> None:
    subgraphs = scripted()
    async with sending(router_over(subgraphs), query, CURRENT) as exchange:
        await exchange.sent.get()
        body = await exchange.sent.get()
    (error,) = json.loads(body["body"])["errors"]
    assert message in error["message"]
    assert error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert subgraphs.names == []


class TimingOut:
    """Subgraphs of which ``stock`` takes all the time that it is given."""

    def __init__(self, others: ScriptedSubgraphs) -> None:
        self._others = others

    async def send(self, request: Any) -> Any:
        if request.subgraph == "stock":
            await asyncio.sleep(request.timeout_s)
            raise SubgraphFailure("SUBGRAPH_TIMEOUT", "too late")
        return await self._others.send(request)

    async def close(self) -> None:
        """Nothing is open."""
