"""A process of its own: what a router holds more of after many requests, no two of which are alike.

The features that remember things are on, each with little room, so that all of it is used up before anything is
measured. Writes, for so many requests as it is told, the memory blocks and the bytes that are held more of afterwards.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import logging
import re
import sys
from collections.abc import Iterator
from typing import Any

import psutil
from starlette.types import Message, Receive, Scope, Send

from router.server.app import RouterApp, create_app
from router.server.config import RouterConfig
from router.server.graphs.graph import open_graph
from router.supergraph.read import read_supergraph
from tests.server.shop import SUPERGRAPH

# Before the first measurement every table is full that grows with what differs. The last are those by operation: of the
# code of projections 4,096 pieces are kept, two for each operation here, and of what fetches ask for 5,000.
WARM_OPERATIONS, WARM_REQUESTS = 3_000, 2_000
AT_ONCE = 20
_ALIASED = re.compile(r"(\w+): (\w+)")


class Subgraph:
    """Answers with products under whatever names they are asked; at some requests with an error of its own, or none."""

    def __init__(self) -> None:
        self.asked = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI says."""
        if scope["type"] != "http":
            return
        sent = json.loads((await receive())["body"])
        self.asked += 1
        status = 500 if self.asked % 97 == 0 else 200
        await send(
            {"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json")]}
        )
        await send({"type": "http.response.body", "body": json.dumps(self._answer(sent)).encode()})

    def _answer(self, sent: dict[str, Any]) -> dict[str, Any]:
        representations = sent.get("variables", {}).get("representations")
        names = [alias for alias, name in _ALIASED.findall(sent["query"]) if name in ("name", "available")]
        product = {"__typename": "Product", "name": "Mug", "available": 3, **dict.fromkeys(names)}
        if representations is not None:
            return {"data": {"_entities": [{**product, "id": one["id"]} for one in representations]}}
        roots = [alias for alias, name in _ALIASED.findall(sent["query"]) if name == "products"] or ["products"]
        answer: dict[str, Any] = {"data": {root: [{**product, "id": "1"}, {**product, "id": "2"}] for root in roots}}
        if self.asked % 31 == 0:
            answer["errors"] = [{"message": f"failure {self.asked}", "path": [roots[0], 0, "name"]}]
        return answer


catalog, stock = Subgraph(), Subgraph()


def assembled() -> RouterApp:
    """A router with all that remembers something of requests."""
    config = RouterConfig.model_validate(
        {
            "graphql": {"max_cached_operations": 50, "share": True},
            "subgraphs": {"apps": {name: f"tests.server.varied_load:{name}" for name in ("catalog", "stock")}},
            "headers": {"propagate": ["authorization"]},
            "persisted_documents": {"apq": True, "apq_max_bytes": 20_000},
            "rate_limits": {"rules": [{"name": "each", "header": "x-client", "limit": 1e9}], "max_keys": 100},
            "demand_control": {"mode": "measure"},
            "traffic": {"shedding": {"max_lag_s": 60}},
            "telemetry": {"trace_context": True, "metrics": {"operations": True}},
            "entity_cache": {
                "enabled": True,
                "admit": "always",
                "max_bytes": 200_000,
                "lifetimes": {"Product": {"max_age_s": 60}},
            },
        }
    )
    return create_app(config, open_graph(read_supergraph(SUPERGRAPH), config))


def operations() -> Iterator[tuple[int, bytes]]:
    """Requests of which each has an operation of its own."""
    for number in itertools.count(1_000_000_000):
        yield number, _new_operation(number)


def requests() -> Iterator[tuple[int, bytes]]:
    """Requests that differ: in variables and in who asks always, and now and then in texts, names and mistakes."""
    for number in itertools.count():
        yield number, _body(number)


def _new_operation(number: int) -> bytes:
    query = f"query Q{number} {{ p{number}: products {{ n{number}: name a{number}: available }} }}"
    return json.dumps({"query": query, "operationName": f"Q{number}"}).encode()


def _body(number: int) -> bytes:
    known = "query Known($first: Int) { products(first: $first) { name available } }"
    match number % 100:
        case 0:
            return _new_operation(number)
        case 1:
            return json.dumps({"query": f"{{ products {{ no{number} }} }}"}).encode()
        case 2:
            return json.dumps({"query": known, "variables": {"first": f"no {number}"}}).encode()
        case 3:
            persisted = {"version": 1, "sha256Hash": f"{number:064x}"}
            return json.dumps({"extensions": {"persistedQuery": persisted}}).encode()
        case 4:
            return b"{" + str(number).encode()
    return json.dumps({"query": known, "variables": {"first": number}}).encode()


async def ask_all(app: RouterApp, sent: Iterator[tuple[int, bytes]], count: int) -> None:
    """Send so many of the requests, some at once; each must be answered."""
    some = itertools.islice(sent, count)

    async def ask_next() -> None:
        for number, body in some:
            await _ask(app, number, body)

    await asyncio.gather(*(ask_next() for _ in range(AT_ONCE)))


async def _ask(app: RouterApp, number: int, body: bytes) -> None:
    client = f"client-{number}".encode()
    headers = [
        (b"host", b"router.test"),
        (b"content-type", b"application/json"),
        (b"authorization", b"Bearer " + client),
        (b"apollographql-client-name", client),
        (b"x-client", client),
    ]
    scope = {"type": "http", "method": "POST", "path": "/graphql", "query_string": b"", "headers": headers}
    answered: list[Message] = []

    async def receive() -> Message:
        if answered:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": body}

    async def send(message: Message) -> None:
        answered.append(message)

    await app(scope, receive, send)
    assert answered[0]["status"] in (200, 400), answered


def held() -> tuple[int, int]:
    """Blocks and bytes that are held now."""
    gc.collect()
    return sys.getallocatedblocks(), psutil.Process().memory_info().rss


async def main(count: int) -> None:
    """Write the blocks and bytes that are held more of after ``count`` requests."""
    logging.disable()
    app, sent = assembled(), requests()
    async with app.lifespan():
        await ask_all(app, operations(), WARM_OPERATIONS)
        await ask_all(app, sent, WARM_REQUESTS)
        blocks, resident = held()
        await ask_all(app, sent, count)
        later_blocks, later_resident = held()
    sys.stdout.write(f"{later_blocks - blocks} {later_resident - resident}\n")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
