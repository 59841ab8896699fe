"""Every kind of bad input that planning and execution are promised to stand, by name, through the whole router.

For each: its code, a bounded cost (of CPU time, memory, or bytes that were read), and that the rest of the answer is
whole. More of each kind: ``tests/planning/test_bad_operations.py`` (operations that hurt), ``tests/operation``
(limits), ``tests/server/connections/test_bad_requests.py`` (HTTP),
``tests/server/processes/test_serve_command.py`` (no supergraph, as a process), ``tests/execution/test_failures.py``
(what errors cost), ``test_client_contract.py`` (framing), ``test_content_coding.py`` (compressed bombs).
"""

from __future__ import annotations

import asyncio
import json
import time
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from router import Subgraph, compose
from router.errors import InputError
from router.server.app import create_app
from router.server.config import GraphQLSettings, RouterConfig, SubgraphSettings
from router.server.graphs.graph import open_graph
from router.supergraph import read_supergraph
from tests.execution.raw_server import Exchange, ok, raw_server
from tests.planning.plans import LINK
from tests.server.shop import client_of

CPU_S = 2.0
MEGABYTE = 1_000_000
GIGABYTE = 1_000_000_000
SHOP = """
type Query { note: String  items: [Item!]!  add(count: Int!, size: Size): Int  best: Found }
enum Size { S L }
interface Item { id: ID! }
union Found = Mug | Cup
type Mug implements Item @key(fields: "id") { id: ID! me: Mug name: String }
type Cup implements Item @key(fields: "id") { id: ID! name: String }
"""
PRICES = 'type Mug @key(fields: "id") { id: ID! price: Int maker: Maker } type Maker { name: String }'
QUERY = "{ note items { id ... on Mug { price maker { name } } } }"
WHOLE = {"note": "open", "items": [{"__typename": "Mug", "id": "1"}, {"__typename": "Mug", "id": "2"}]}
Answer = Callable[[Exchange], Awaitable[None]]


@dataclass(slots=True)
class Asked:
    """A router over a sound subgraph and a bad one, and how many requests each got."""

    client: httpx.AsyncClient
    shop: list[Exchange]
    prices: list[Exchange]

    async def ask(self, query: str = QUERY, **more: Any) -> Any:
        """The answer as JSON."""
        return (await self.client.post("/graphql", json={"query": query, **more})).json()


@asynccontextmanager
async def router_beside(bad: Answer, shop: Any = None, **settings: Any) -> AsyncIterator[Asked]:
    """A router whose subgraph ``prices`` answers as ``bad`` does."""

    async def sound(exchange: Exchange) -> None:
        await exchange.write(ok(json.dumps({"data": shop or WHOLE}).encode()))

    async with raw_server(sound) as first, raw_server(bad) as second:
        subgraphs = [Subgraph("shop", first.url, LINK + SHOP), Subgraph("prices", second.url, LINK + PRICES)]
        composition = compose(subgraphs)
        assert composition.supergraph_sdl is not None, composition.errors
        config = RouterConfig(**settings)
        app = create_app(config, open_graph(read_supergraph(composition.supergraph_sdl), config))
        async with app.lifespan(app), client_of(app) as client:
            yield Asked(client, first.exchanges, second.exchanges)


def saying(body: bytes) -> Answer:
    async def answer(exchange: Exchange) -> None:
        await exchange.write(ok(body))

    return answer


def entities(*found: Any) -> bytes:
    return json.dumps({"data": {"_entities": found}}).encode()


async def _not_asked(_: Exchange) -> None:
    raise AssertionError("nothing may be asked of it")


@pytest.fixture(autouse=True)
def bounded() -> Iterator[None]:
    """Hold that no test takes more CPU time."""
    started = time.process_time()
    yield
    assert time.process_time() - started < CPU_S


# -- what clients send -------------------------------------------------------------------------------------------------


async def _refused(query: str, **more: Any) -> list[dict[str, Any]]:
    """The errors of a request that is refused before anything is fetched."""
    async with router_beside(_not_asked) as router:
        answer = await router.ask(query, **more)
        assert router.shop == []
    assert "data" not in answer
    errors: list[dict[str, Any]] = answer["errors"]
    return errors


def _codes(errors: list[dict[str, Any]]) -> set[str]:
    return {error["extensions"]["code"] for error in errors}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("levels", "code"),
    [(60, "OPERATION_TOO_LARGE"), (10_000, "GRAPHQL_PARSE_FAILED"), (200_000, "REQUEST_TOO_LARGE")],
    ids=["over limits.max_depth", "over limits.max_tokens", "over graphql.max_body_bytes"],
)
async def test_deep_operation_is_refused(levels: int, code: str) -> None:
    query = "{ items { ... on Mug " + "{ me " * levels + "{ id }" + " }" * levels + " } }"
    assert _codes(await _refused(query)) == {code}


@pytest.mark.asyncio
async def test_wide_operation_is_refused() -> None:
    assert _codes(await _refused("{ " + "note " * 50_000 + "}")) == {"GRAPHQL_PARSE_FAILED"}


@pytest.mark.asyncio
async def test_cyclic_fragments_are_refused() -> None:
    cycle = " ".join(f"fragment F{n} on Mug {{ id me {{ ...F{(n + 1) % 40} }} }}" for n in range(40))
    errors = await _refused("{ items { ...F0 } } " + cycle)
    assert _codes(errors) == {"GRAPHQL_VALIDATION_FAILED"}
    assert "Cannot spread fragment 'F0' within itself" in errors[0]["message"]


@pytest.mark.asyncio
async def test_ten_thousand_aliases_are_refused() -> None:
    aliases = " ".join(f"a{n}: note" for n in range(10_000))
    assert _codes(await _refused(f"{{ {aliases} }}")) == {"GRAPHQL_PARSE_FAILED"}
    limits = {"limits": {"max_tokens": 100_000}}
    async with router_beside(_not_asked, **limits) as router:
        answer = await router.ask(f"{{ {aliases} }}")
        assert router.shop == []
    assert _codes(answer["errors"]) == {"OPERATION_TOO_LARGE"}


@pytest.mark.asyncio
async def test_unknown_fields_are_refused_with_few_errors() -> None:
    errors = await _refused("{ items { " + " ".join(f"unknown{n}" for n in range(5_000)) + " } }")
    assert _codes(errors) == {"GRAPHQL_VALIDATION_FAILED"}
    assert errors[0]["message"] == "Cannot query field 'unknown0' on type 'Item'."
    assert len(errors) <= 101


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "variables",
    [{}, {"n": None}, {"n": "1"}, {"n": 1.5}, {"n": 2**31}, {"n": [[1]]}, {"n": {"a": 1}}, {"n": 1, "s": "M"}],
)
async def test_variables_of_the_wrong_kind_are_refused(variables: dict[str, Any]) -> None:
    query = "query ($n: Int!, $s: Size) { add(count: $n, size: $s) }"
    assert _codes(await _refused(query, variables=variables)) == {"BAD_USER_INPUT"}


@pytest.mark.parametrize(
    "text",
    ["", "{", "<html>", "type Query { a: Int }", '{"data": {}}', "\x00\x01", "schema { query: Query }"],
)
def test_supergraph_that_is_not_one_is_refused(text: str) -> None:
    with pytest.raises(InputError) as refused:
        read_supergraph(text)
    assert refused.value.code == "INVALID_SUPERGRAPH"


# -- what subgraphs answer ---------------------------------------------------------------------------------------------


def _lost(answer: Any, *codes: str) -> None:
    """All that ``prices`` owns is null with an error of these codes, and all else is there."""
    item = {"price": None, "maker": None}
    assert answer["data"] == {"note": "open", "items": [{"id": "1", **item}, {"id": "2", **item}]}
    places = [["items", index, field] for index in range(2) for field in ("price", "maker")]
    assert sorted(map(str, (error["path"] for error in answer["errors"]))) == sorted(map(str, places))
    assert _codes(answer["errors"]) == set(codes)


def _left_out(answer: Any, *places: list[Any]) -> None:
    """Each of the places has an error that its key was left out, and no other has one."""
    assert sorted(map(str, (error["path"] for error in answer["errors"]))) == sorted(map(str, places))
    assert _codes(answer["errors"]) == {"SUBGRAPH_INVALID_RESPONSE"}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "body", [b"<!doctype html><h1>502</h1>", entities({"price": 1}, {"price": 2})[:-9]], ids=["HTML", "half a JSON"]
)
async def test_subgraph_that_answers_with_no_json_costs_its_own_fields(body: bytes) -> None:
    async with router_beside(saying(body)) as router:
        _lost(await router.ask(), "SUBGRAPH_INVALID_RESPONSE")
        assert len(router.prices) == 1


@pytest.mark.asyncio
@pytest.mark.parametrize("framing", ["length", "chunks", "end of the connection"])
async def test_subgraph_that_answers_with_a_gigabyte_is_cut_off_at_the_limit(framing: str) -> None:
    """32 MB are the limit; a little more is under way when it is reached."""
    sent = 0

    async def pour(exchange: Exchange) -> None:
        nonlocal sent
        heads = {"length": b"content-length: %d" % GIGABYTE, "chunks": b"transfer-encoding: chunked"}
        await exchange.write(b"HTTP/1.1 200 OK\r\n" + heads.get(framing, b"connection: close") + b"\r\n\r\n")
        piece = b" " * MEGABYTE
        with suppress(ConnectionError):
            while sent < GIGABYTE:
                await exchange.write(b"%x\r\n%b\r\n" % (MEGABYTE, piece) if framing == "chunks" else piece)
                sent += MEGABYTE
        exchange.close()

    async with router_beside(pour) as router:
        tracemalloc.start()
        try:
            answer = await router.ask()
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    _lost(answer, "SUBGRAPH_INVALID_RESPONSE")
    assert sent < 60 * MEGABYTE
    assert most < 120 * MEGABYTE


@pytest.mark.asyncio
async def test_list_where_an_object_belongs_costs_that_field() -> None:
    body = entities({"price": 1, "maker": [{"name": "x"}]}, {"price": 2, "maker": {"name": "y"}})
    async with router_beside(saying(body)) as router:
        answer = await router.ask()
    first, second = answer["data"]["items"]
    assert (first, second) == (
        {"id": "1", "price": 1, "maker": None},
        {"id": "2", "price": 2, "maker": {"name": "y"}},
    )
    assert [(error["path"], error["extensions"]["code"]) for error in answer["errors"]] == [
        (["items", 0, "maker"], "SUBGRAPH_INVALID_RESPONSE")
    ]


@pytest.mark.asyncio
@pytest.mark.parametrize("count", [0, 1, 3, 100_000])
async def test_wrong_number_of_entities_costs_all_of_them(count: int) -> None:
    async with router_beside(saying(entities(*[{"price": 1, "maker": None}] * count))) as router:
        answer = await router.ask()
    _lost(answer, "SUBGRAPH_INVALID_RESPONSE")
    told = f"Subgraph 'prices' answered with {count} entities where 2 were asked for."
    assert {error["message"] for error in answer["errors"]} == {told}


@pytest.mark.asyncio
async def test_key_that_is_left_out_costs_that_field() -> None:
    body = entities({"price": 1}, {"maker": {}})
    async with router_beside(saying(body)) as router:
        answer = await router.ask()
    assert answer["data"]["items"] == [
        {"id": "1", "price": 1, "maker": None},
        {"id": "2", "price": None, "maker": {"name": None}},
    ]
    _left_out(answer, ["items", 0, "maker"], ["items", 1, "price"], ["items", 1, "maker", "name"])


@pytest.mark.asyncio
async def test_answer_without_any_key_costs_all_that_it_should_have_said() -> None:
    async with router_beside(saying(entities({}, {}))) as router:
        _lost(await router.ask(), "SUBGRAPH_INVALID_RESPONSE")


@pytest.mark.asyncio
async def test_root_field_that_is_left_out_costs_that_field() -> None:
    async with router_beside(_not_asked, {"_": 1}) as router:
        answer = await router.ask(
            "query ($no: Boolean! = false) { of: note best { __typename } add: note @include(if: $no) }"
        )
    assert answer["data"] == {"of": None, "best": None}
    _left_out(answer, ["of"], ["best"])


@pytest.mark.asyncio
async def test_keys_of_other_types_need_not_be_there() -> None:
    shop = {"note": None, "best": {"__typename": "Cup", "id": "1"}}
    async with router_beside(_not_asked, shop) as router:
        answer = await router.ask("{ note best { ... on Mug { id price } ... on Cup { id } } }")
    assert answer == {"data": {"note": None, "best": {"id": "1"}}}


@pytest.mark.asyncio
async def test_entities_that_are_not_known_are_null_without_an_error() -> None:
    async with router_beside(saying(entities(None, {"price": None, "maker": None}))) as router:
        answer = await router.ask()
    assert answer["data"]["items"] == [
        {"id": "1", "price": None, "maker": None},
        {"id": "2", "price": None, "maker": None},
    ]
    assert "errors" not in answer


@pytest.mark.asyncio
async def test_key_that_is_left_out_is_told_once_where_the_subgraph_tells_of_it() -> None:
    errors = [{"message": "broken", "path": ["_entities", 0, "maker"]}]
    body = json.dumps({"data": {"_entities": [{"price": 1}, {"price": 2, "maker": None}]}, "errors": errors}).encode()
    async with router_beside(saying(body)) as router:
        answer = await router.ask()
    assert [error["path"] for error in answer["errors"]] == [["items", 0, "maker"]]
    assert _codes(answer["errors"]) == {"SUBGRAPH_ERROR"}


@pytest.mark.asyncio
@pytest.mark.parametrize("name", ["Nobody", "", 7, None, ["Mug"], {"a": "Mug"}])
async def test_unknown_typename_costs_that_object(name: Any) -> None:
    shop = {"note": "open", "best": {"__typename": name, "name": "x"}}
    async with router_beside(_not_asked, shop) as router:
        answer = await router.ask("{ note best { ... on Mug { name price } ... on Cup { name } } }")
        assert router.prices == []
    assert answer["data"] == {"note": "open", "best": None}
    assert [(error["path"], error["extensions"]["code"]) for error in answer["errors"]] == [
        (["best"], "SUBGRAPH_INVALID_RESPONSE")
    ]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"graphql": GraphQLSettings(timeout_s=0.3)}, "TIMEOUT"),
        ({"subgraphs": SubgraphSettings(timeouts={"prices": 0.3})}, "SUBGRAPH_TIMEOUT"),
    ],
    ids=["after the deadline of the request", "after the time limit of the subgraph"],
)
async def test_answer_that_comes_too_late_costs_its_own_fields(settings: dict[str, Any], code: str) -> None:
    """The answer comes when the client has been answered, and harms the next request as little."""
    answered = asyncio.Event()

    async def late(exchange: Exchange) -> None:
        if exchange.connection > 1:
            await exchange.write(ok(entities({"price": 3, "maker": None}, {"price": 4, "maker": None})))
            return
        await answered.wait()
        with suppress(ConnectionError):
            await exchange.write(ok(entities({"price": 1, "maker": None}, {"price": 2, "maker": None})))

    async with router_beside(late, **settings) as router:
        _lost(await router.ask(), code)
        answered.set()
        again = await router.ask()
    assert [item["price"] for item in again["data"]["items"]] == [3, 4]


@pytest.mark.asyncio
async def test_subgraph_that_never_answers_costs_its_own_fields_and_its_connection() -> None:
    gone = asyncio.Event()

    async def never(exchange: Exchange) -> None:
        await gone.wait()

    async with router_beside(never, subgraphs=SubgraphSettings(timeouts={"prices": 0.3})) as router:
        _lost(await router.ask(), "SUBGRAPH_TIMEOUT")
        assert len(router.prices) == 1
        gone.set()
