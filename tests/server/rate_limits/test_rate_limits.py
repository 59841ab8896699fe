"""Who asks for too much is refused with 429, and told when to come again; by default nobody is counted."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import Scope

from router import Caller, Requester, Router
from router.errors import InputError
from router.server.app import RouterApp
from router.server.config import RouterConfig
from tests.server.config.test_settings_reload import running
from tests.server.demand.library import BOOKS, library, metric
from tests.server.demand.library import router_over as library_over
from tests.server.shop import SUPERGRAPH, Shop, client_of, codes, router_over
from tests.server.subscriptions.live import live_stack, streaming

QUERY = {"query": "{ warehouses }"}
HOUR = 3600


def rules(*each: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Settings with these rules, each of an hour."""
    return {"rate_limits": {"rules": [{"name": "one", "window_s": HOUR, **rule} for rule in each], **more}}


def app_with(shop: Shop, settings: Mapping[str, Any]) -> RouterApp:
    return router_over(shop, RouterConfig.model_validate(settings))


@asynccontextmanager
async def at(app: RouterApp, address: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client at ``address``."""
    transport = httpx.ASGITransport(app, client=(address, 4711))
    async with httpx.AsyncClient(transport=transport, base_url="http://router.test") as client:
        yield client


async def statuses(client: httpx.AsyncClient, times: int, **headers: str) -> list[int]:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return [(await client.post("/graphql", json=QUERY, headers=sent)).status_code for _ in range(times)]


@pytest.mark.asyncio
async def test_each_address_has_its_limit_and_what_is_beyond_is_refused_before_anything_is_fetched(shop: Shop) -> None:
    app = app_with(shop, rules({"limit": 2}))
    async with at(app, "192.0.2.1") as one, at(app, "192.0.2.2") as other:
        assert await statuses(one, 2) == [200, 200]
        refused = await one.post("/graphql", json=QUERY)
        assert shop.asked["stock"] == 2
        assert await statuses(other, 3) == [200, 200, 429]
        assert await metric(one, "galleria_rate_limit") == [
            'galleria_rate_limited_total{rule="one"} 2.0',
            'galleria_rate_limit_keys{rule="one"} 2.0',
        ]
    seconds = int(refused.headers["retry-after"])
    assert 0 < seconds <= 2 * HOUR
    assert refused.status_code == 429
    assert refused.headers["ratelimit-policy"] == '"one";q=2;w=3600'
    assert refused.headers["ratelimit"] == f'"one";r=0;t={seconds}'
    assert refused.headers["cache-control"] == "no-store"
    assert refused.json()["errors"] == [
        {
            "message": f"Too much was asked for: the rule 'one' allows 2 requests in 3600 s. Try again in {seconds} s.",
            "extensions": {"code": "RATE_LIMITED", "rule": "one", "retryAfterS": seconds},
        }
    ]


@pytest.mark.asyncio
async def test_clients_are_told_apart_by_header_and_by_address_where_they_send_none(shop: Shop) -> None:
    app = app_with(shop, rules({"limit": 1, "header": "Apollographql-Client-Name"}))
    async with at(app, "192.0.2.1") as one, at(app, "192.0.2.2") as other:
        assert await statuses(one, 2, apollographql_client_name="web") == [200, 429]
        assert await statuses(other, 1, apollographql_client_name="web") == [429]
        assert await statuses(one, 1, apollographql_client_name="app") == [200]
        assert await statuses(one, 2) == [200, 429]
        assert await statuses(other, 2) == [200, 429]


@pytest.mark.asyncio
async def test_users_are_told_apart_by_claim_and_by_address_where_nobody_is_known() -> None:
    async def identify(scope: Scope) -> Caller:
        user = dict(scope["headers"]).get(b"x-user")
        return Caller(requester=Requester({"sub": user.decode()})) if user else Caller()

    app = Router(SUPERGRAPH, rules({"limit": 1, "claim": "sub"}), identify)
    query = {"query": "{ __typename }"}
    async with app.lifespan(), at(app, "192.0.2.1") as one, at(app, "192.0.2.2") as other:
        asked = [(one, "ada"), (other, "ada"), (one, "eve"), (one, ""), (one, ""), (other, "")]
        answers = [
            (await client.post("/graphql", json=query, headers={"x-user": user} if user else {})).status_code
            for client, user in asked
        ]
    assert answers == [200, 429, 200, 200, 429, 200]


@pytest.mark.asyncio
@pytest.mark.parametrize(("trusted", "expected"), [(["10.0.0.0/8"], [200, 200, 429]), ([], [200, 429, 429])])
async def test_forwarded_addresses_count_where_the_proxy_is_trusted(
    shop: Shop, trusted: list[str], expected: list[int]
) -> None:
    app = app_with(shop, rules({"limit": 1}, trusted_proxies=trusted))
    async with at(app, "10.0.0.1") as proxy:
        found = [
            (await statuses(proxy, 1, x_forwarded_for=said))[0]
            for said in ("198.51.100.1", "198.51.100.2", "1.1.1.1, 198.51.100.1")
        ]
    assert found == expected


@pytest.mark.asyncio
async def test_a_request_that_one_rule_refuses_is_taken_off_no_other(shop: Shop) -> None:
    settings = rules({"limit": 3}, {"name": "clients", "limit": 1, "header": "x-client"})
    async with at(app_with(shop, settings), "192.0.2.1") as client:
        assert await statuses(client, 3, x_client="web") == [200, 429, 429]
        assert await statuses(client, 1, x_client="app") == [200]
        assert await statuses(client, 1, x_client="third") == [200]
        refused = await client.post("/graphql", json=QUERY, headers={"x-client": "fourth"})
        assert refused.json()["errors"][0]["extensions"]["rule"] == "one"


@pytest.mark.asyncio
async def test_each_operation_of_a_batch_counts_and_is_refused_at_its_place(shop: Shop) -> None:
    app = app_with(shop, {**rules({"limit": 2}), "batching": {"enabled": True}})
    async with at(app, "192.0.2.1") as client:
        first, second, third = (await client.post("/graphql", json=[QUERY] * 3)).json()
        assert await statuses(client, 1) == [429]
    assert first == second == {"data": {"warehouses": ["north", "south"]}}
    assert third["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
    assert third["errors"][0]["extensions"]["retryAfterS"] > 0
    assert shop.asked["stock"] == 2


@pytest.mark.asyncio
async def test_operations_over_a_websocket_count_each_with_those_over_http() -> None:
    config = RouterConfig.model_validate(rules({"limit": 3}))
    async with live_stack(config) as stack, stack.socket() as socket:
        await socket.subscribe("{ highest }", "1")
        assert [(await socket.receive())["type"] for _ in range(2)] == ["next", "complete"]
        await socket.subscribe(id_="2")
        await stack.auction.followed_by(1)
        async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
            answers = [await http.post(stack.url, json={"query": "{ highest }"}) for _ in range(2)]
        await socket.subscribe("{ highest }", "3")
        refused = await socket.receive()
        # A subscription that has begun goes on: its events are not asked for.
        stack.auction.bid(10)
        assert (await socket.receive())["type"] == "next"
        async with streaming(stack, "text/event-stream") as stream:
            assert '"RATE_LIMITED"' in (await stream.aread()).decode()
    assert [answer.status_code for answer in answers] == [200, 429]
    assert (refused["id"], refused["type"]) == ("3", "error")
    assert refused["payload"][0]["extensions"]["code"] == "RATE_LIMITED"


@pytest.mark.asyncio
async def test_plans_count_as_requests_do(shop: Shop) -> None:
    app = app_with(shop, {**rules({"limit": 1}), "environment": "development"})
    async with at(app, "192.0.2.1") as client:
        assert [(await client.post("/plan", json=QUERY)).status_code for _ in range(2)] == [200, 429]
        assert (await client.get("/health/live")).status_code == 200


COSTS = {"demand_control": {"mode": "measure"}, **rules({"limit": 20, "count": "cost"})}


@pytest.mark.asyncio
async def test_operations_are_taken_off_by_what_they_may_cost() -> None:
    subgraphs = library()
    async with at(library_over(subgraphs, COSTS), "192.0.2.1") as client:
        # A book with its author is 5.
        sent = [await client.post("/graphql", json={"query": BOOKS, "variables": {"n": n}}) for n in (3, 2, 1, 1, 5)]
    assert [answer.status_code for answer in sent] == [200, 429, 200, 429, 429]
    assert (
        sent[1]
        .json()["errors"][0]["message"]
        .startswith(
            "Too much was asked for: the rule 'one' allows 20 as the cost of operations in 3600 s. Try again in "
        )
    )
    assert [name for name, _ in subgraphs.requests].count("books") == 2


@pytest.mark.asyncio
async def test_an_operation_that_costs_more_than_a_rule_ever_allows_is_not_told_to_come_again() -> None:
    async with at(library_over(library(), COSTS), "192.0.2.1") as client:
        refused = await client.post("/graphql", json={"query": BOOKS, "variables": {"n": 5}})
    assert refused.status_code == 429
    assert "retry-after" not in refused.headers
    assert refused.json()["errors"] == [
        {
            "message": "This operation alone costs too much: "
            "the rule 'one' allows 20 as the cost of operations in 3600 s.",
            "extensions": {"code": "RATE_LIMITED", "rule": "one"},
        }
    ]


@pytest.mark.asyncio
async def test_by_default_nobody_is_counted(production: httpx.AsyncClient, shop: Shop) -> None:
    app = app_with(shop, {})
    async with client_of(app) as client:
        assert await statuses(client, 20) == [200] * 20
        assert await metric(client, "galleria_rate") == []
    assert type(app.service).__name__ == "GraphQLService"


@pytest.mark.asyncio
async def test_a_changed_limit_holds_for_the_next_request_and_what_was_counted_counts_on(tmp_path: Path) -> None:
    rule = "{name: one, limit: %d, window_s: 3600}"
    query = {"query": "{ __typename }"}

    async with running(tmp_path, f"rate_limits: {{rules: [{rule % 2}]}}") as router:

        async def status() -> int:
            return (await router.client.post("/graphql", json=query)).status_code

        assert [await status() for _ in range(3)] == [200, 200, 429]
        await router.write(f"rate_limits: {{rules: [{rule % 3}]}}")
        assert [await status() for _ in range(2)] == [200, 429]
        await router.write(f"rate_limits: {{rules: [{rule % 3}], max_keys: 5}}")
        assert await status() == 429
        await router.write("")
        assert await status() == 200
        await router.write(f"rate_limits: {{rules: [{rule % 1}]}}")
        assert [await status() for _ in range(2)] == [200, 429]


@pytest.mark.asyncio
async def test_the_counter_of_what_a_rule_has_refused_goes_on_over_a_reload(tmp_path: Path) -> None:
    rule = "{name: one, limit: %d, window_s: 3600}"
    query = {"query": "{ __typename }"}
    async with running(tmp_path, f"rate_limits: {{rules: [{rule % 1}]}}") as router:
        for limit in (1, 2):
            await router.write(f"rate_limits: {{rules: [{rule % limit}]}}")
            assert [(await router.client.post("/graphql", json=query)).status_code for _ in range(2)] == [200, 429]
            assert await metric(router.client, "galleria_rate_limited") == [
                f'galleria_rate_limited_total{{rule="one"}} {limit}.0'
            ]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            rules({"limit": 1}, shared=True),
            "rate_limits.shared: replicas share over NATS, and nats.url names no server.",
        ),
        (
            rules({"limit": 1, "count": "cost"}),
            "rate_limits.rules: the rule 'one' counts cost, so set demand_control.mode to measure or enforce.",
        ),
    ],
)
def test_what_a_rule_needs_must_be_configured(shop: Shop, settings: Mapping[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        app_with(shop, settings)
    assert (caught.value.code, caught.value.message) == ("INVALID_CONFIG", message)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"limit": 1, "header": "a", "claim": "b"}, "a rule has one key: name either header or claim"),
        ({"limit": 0}, "greater than 0"),
        ({"limit": 1, "name": "Not a label"}, "should match pattern"),
        ({"limit": 1, "window_s": 0.5}, "greater than or equal to 1"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(rule: Mapping[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RouterConfig.model_validate(rules(rule))


def test_two_rules_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two rules are named 'one'"):
        RouterConfig.model_validate(rules({"limit": 1}, {"limit": 2}))


@pytest.mark.asyncio
async def test_no_key_is_told_in_metrics_or_errors(shop: Shop) -> None:
    app = app_with(shop, rules({"limit": 1, "header": "x-api-key"}))
    async with at(app, "192.0.2.77") as client:
        for _ in range(2):
            answer = await client.post("/graphql", json=QUERY, headers={"x-api-key": "planted-secret"})
        told = (await client.get("/metrics")).text + answer.text + json.dumps(dict(answer.headers))
    assert answer.status_code == 429
    assert "planted-secret" not in told
    assert "192.0.2.77" not in told
    assert codes(answer) == ["RATE_LIMITED"]
