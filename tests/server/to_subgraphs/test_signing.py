"""Requests to subgraphs bear a signature and the time that is left, where the settings say so: over real sockets."""

from __future__ import annotations

from typing import Any

import pytest

from router.errors import InputError
from router.server.app import create_app
from router.server.config import RouterConfig, check_config
from router.server.graphs.graph import open_graph
from router.server.to_subgraphs.subgraph_traffic import open_traffic, traffic_input
from router.supergraph.read import read_supergraph
from tests.execution.raw_server import Exchange, ok, raw_server
from tests.server.shop import SUPERGRAPH, client_of
from tests.server.subscriptions.live import BIDS, live_stack

SECRET = "a-secret-of-the-router-with-forty-letters"
KEYS = f"2026-01:{SECRET}, 2025-12:{SECRET[::-1]}"


async def asked(settings: dict[str, Any]) -> dict[str, str]:
    """The headers of a request to a subgraph."""

    async def talk(exchange: Exchange) -> None:
        await exchange.write(ok(b'{"data":{"warehouses":[]}}'))

    async with raw_server(talk) as server:
        config = check_config(settings, "settings")
        graph = open_graph(read_supergraph(SUPERGRAPH.replace("http://stock.test/graphql", server.url)), config)
        async with client_of(create_app(config, graph)) as client:
            response = await client.post("/graphql", json={"query": "{ warehouses }"}, headers={"authorization": "a"})
            assert response.json() == {"data": {"warehouses": []}}
        await graph.client.close()
    [exchange] = server.exchanges
    lines = exchange.head.decode().split("\r\n")[1:]
    return dict(line.split(": ", 1) for line in lines if line)


@pytest.mark.asyncio
async def test_the_first_key_signs_and_the_subgraph_is_named() -> None:
    headers = await asked({"signing": {"keys": KEYS}})
    assert headers["signature-input"].startswith(
        'galleria=("@method" "@path" "content-digest" "authorization");created='
    )
    assert headers["signature-input"].endswith(';keyid="2026-01";alg="hmac-sha256";tag="stock"')
    assert headers["signature"].startswith("galleria=:")


@pytest.mark.asyncio
async def test_a_subgraph_is_told_the_time_that_is_left() -> None:
    settings = {"traffic": {"timeout_header": "X-Request-Timeout-Ms"}, "subgraphs": {"timeouts": {"stock": 3}}}
    assert 2000 < int((await asked(settings))["x-request-timeout-ms"]) <= 3000


@pytest.mark.asyncio
async def test_what_is_off_is_not_there() -> None:
    headers = await asked({"signing": {"keys": ""}})
    assert not {"signature", "signature-input", "content-digest", "x-request-timeout-ms"} & set(headers)
    urls = {"stock": "http://stock.test/graphql"}
    traffic = open_traffic(traffic_input(urls, RouterConfig()))
    assert [type(one.client).__name__ for one in traffic.balancing.replicas["stock"]] == ["HttpSubgraphClient"]


@pytest.mark.asyncio
async def test_a_subscription_is_signed_as_it_is_opened() -> None:
    config = check_config({"signing": {"keys": KEYS}}, "settings")
    async with live_stack(config) as stack, stack.socket({"authorization": "ada"}) as client:
        await client.subscribe(BIDS)
        await stack.auction.followed_by(1)
        assert stack.auction.signatures == [True]
        assert stack.auction.authorizations == ["ada"]


@pytest.mark.parametrize(("protocol", "has_digest"), [("websocket", False), ("sse", True)])
def test_what_opens_a_subscription_is_signed_with_its_body_where_it_has_one(protocol: str, has_digest: bool) -> None:
    url = "http://stock.test/events?a=1"
    subscriptions = {"stock": {"protocol": protocol, "url": url}}
    config = check_config({"signing": {"keys": KEYS}, "subgraphs": {"subscriptions": subscriptions}}, "settings")
    route = open_graph(read_supergraph(SUPERGRAPH), config).event_routes["stock"]
    headers = dict(route.headers(((b"authorization", b"a"),), b"{}"))
    digest = ' "content-digest"' if has_digest else ""
    expected = f'galleria=("@method" "@path" "@query"{digest} "authorization");created='
    assert headers[b"signature-input"].decode().startswith(expected)
    assert (b"content-digest" in headers) is has_digest


@pytest.mark.parametrize("keys", ["a", "a:short", f":{SECRET}", f'"a":{SECRET}', f"a:{SECRET} b:x", f"a:{SECRET}é"])
def test_keys_that_are_none_are_refused_and_not_told(keys: str) -> None:
    with pytest.raises(InputError) as caught:
        check_config({"signing": {"keys": keys}}, "settings")
    assert (caught.value.code, caught.value.message) == (
        "INVALID_CONFIG",
        "settings: signing.keys: a key is ID:SECRET, in printable ASCII without quotes, with a secret of at least 32 "
        "characters",
    )


def test_the_secret_is_in_no_repr() -> None:
    config = check_config({"signing": {"keys": KEYS}}, "settings")
    assert SECRET not in repr(config)
    assert SECRET not in repr(traffic_input({"stock": "http://stock.test/graphql"}, config))
