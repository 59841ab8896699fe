"""What may cost too much is refused before anything is fetched for it; by default nothing is estimated."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from router.server.config import DemandControlSettings, RouterConfig, load_config
from tests.server.config.test_settings_reload import running
from tests.server.deferred.test_defer import CURRENT, sending
from tests.server.demand.library import BOOKS, client, library, metric, router_over
from tests.server.plugins.trying import noted
from tests.server.shop import client_of, codes
from tests.server.subscriptions.live import live_stack, streaming

ENFORCED = {"mode": "enforce", "max": 10}
TOLD = {"accept": "application/graphql-response+json"}


async def ask(client: httpx.AsyncClient, text: str, **variables: object) -> httpx.Response:
    return await client.post("/graphql", json={"query": text, "variables": variables}, headers=TOLD)


@pytest.mark.asyncio
async def test_an_operation_that_may_cost_more_than_the_maximum_is_refused_and_nothing_is_fetched() -> None:
    subgraphs = library()
    async with client(subgraphs, demand_control=ENFORCED) as router:
        # A book is 1, its author 4: two come to 10, three to 15.
        accepted, refused = await ask(router, BOOKS, n=2), await ask(router, BOOKS, n=3)
        estimated = await metric(router, "galleria_operation_cost_estimated_count")
        actual = await metric(router, "galleria_operation_cost_actual_sum")
    assert accepted.json() == {
        "data": {
            "books": [
                {"title": "Mort", "author": {"name": "Terry Pratchett"}},
                {"title": "Sourcery", "author": None},
            ]
        }
    }
    assert (refused.status_code, refused.json()) == (
        400,
        {
            "errors": [
                {
                    "message": "The operation may cost 15: 10 is allowed. Ask for shorter lists, or for less at once.",
                    "extensions": {"code": "COST_ESTIMATED_TOO_EXPENSIVE", "cost": {"estimated": 15, "max": 10}},
                }
            ]
        },
    )
    assert [name for name, _ in subgraphs.requests] == ["books", "authors"]
    assert estimated == [
        'galleria_operation_cost_estimated_count{result="within"} 1.0',
        'galleria_operation_cost_estimated_count{result="too_expensive"} 1.0',
    ]
    # Two books, and one author.
    assert actual == ['galleria_operation_cost_actual_sum{result="within"} 6.0']


@pytest.mark.asyncio
async def test_literals_count_as_variables_do_and_each_text_by_its_own() -> None:
    subgraphs = library()
    async with client(subgraphs, demand_control=ENFORCED) as router:
        answers = [
            await ask(router, "{ books(first: %d) { title author { name } } }" % n)  # noqa: UP031 - braces
            for n in (1, 3, 2)
        ]
    assert ["errors" in answer.json() for answer in answers] == [False, True, False]


@pytest.mark.asyncio
async def test_under_application_json_a_refusal_has_status_200_as_every_operations_fault() -> None:
    async with client(library(), demand_control=ENFORCED) as router:
        refused = await router.post("/graphql", json={"query": BOOKS, "variables": {"n": 3}})
    assert (refused.status_code, codes(refused)) == (200, ["COST_ESTIMATED_TOO_EXPENSIVE"])


@pytest.mark.asyncio
async def test_a_missing_slicing_argument_is_refused_by_a_code_of_its_own() -> None:
    subgraphs = library()
    async with client(subgraphs, demand_control=ENFORCED) as router:
        refused = await ask(router, BOOKS)
        estimated = await metric(router, "galleria_operation_cost_estimated_sum")
    assert refused.status_code == 400
    assert refused.json()["errors"] == [
        {
            "message": "'Query.books' needs exactly one of its slicing arguments, which say how long its list may be.",
            "extensions": {"code": "COST_SLICING_ARGUMENT_REQUIRED", "coordinate": "Query.books"},
        }
    ]
    assert subgraphs.requests == []
    # As long as a list without @listSize: 10 books with their authors.
    assert estimated == ['galleria_operation_cost_estimated_sum{result="unsliced"} 50.0']


@pytest.mark.asyncio
async def test_measuring_refuses_nothing_and_tells_metrics_what_it_would_refuse() -> None:
    async with client(library(), demand_control={"mode": "measure", "max": 10}) as router:
        answers = [await ask(router, BOOKS, n=3), await ask(router, BOOKS), await ask(router, "{ shelf { title } }")]
        counted = await metric(router, "galleria_operation_cost_actual_sum")
    assert ["errors" in answer.json() for answer in answers] == [False, False, False]
    assert counted == [
        'galleria_operation_cost_actual_sum{result="too_expensive"} 6.0',
        'galleria_operation_cost_actual_sum{result="unsliced"} 6.0',
        'galleria_operation_cost_actual_sum{result="within"} 2.0',
    ]


@pytest.mark.asyncio
async def test_mutations_cost_ten_more() -> None:
    async with client(library(), demand_control=ENFORCED) as router:
        refused = await ask(router, 'mutation { borrow(id: "1") { title } }')
    assert refused.json()["errors"][0]["extensions"]["cost"] == {"estimated": 11, "max": 10}


@pytest.mark.asyncio
async def test_by_default_nothing_is_estimated() -> None:
    subgraphs = library()
    app = router_over(subgraphs, {})
    async with client_of(app) as router:
        assert "errors" not in (await ask(router, BOOKS, n=100_000)).json()
        assert await metric(router, "galleria_operation_cost") == []
    _, compiled = await _compiled(app)
    assert (type(app.service).__name__, type(compiled.projection).__name__, compiled.cost) == (
        "GraphQLService",
        "Projection",
        None,
    )


async def _compiled(app: Any) -> Any:
    graph = app.service.served_graph()
    return graph, await graph.operations.compiled(graph.operations.most_recent(1)[0])


@pytest.mark.asyncio
async def test_without_counting_the_answers_are_not_walked() -> None:
    app = router_over(library(), {"demand_control": {**ENFORCED, "count_actual": False}})
    async with client_of(app) as router:
        await ask(router, BOOKS, n=2)
        assert await metric(router, "galleria_operation_cost_actual") == []
    _, compiled = await _compiled(app)
    assert (type(compiled.projection).__name__, compiled.cost.actual) == ("Projection", None)


@pytest.mark.asyncio
@pytest.mark.parametrize(("environment", "is_told"), [("development", True), ("production", False)])
async def test_the_cost_is_told_beside_the_answer_to_who_may_inspect(environment: str, is_told: bool) -> None:
    async with client(library(), demand_control=ENFORCED, environment=environment) as router:
        answer = (await ask(router, BOOKS, n=2)).json()
    expected = {"cost": {"estimated": 10, "max": 10, "actual": 6}}
    assert answer.get("extensions") == (expected if is_told else None)


@pytest.mark.asyncio
async def test_what_a_requester_may_not_see_costs_nothing() -> None:
    subgraphs = library()
    async with client(subgraphs, demand_control={"mode": "enforce", "max": 0}) as router:
        answer = (await ask(router, "{ archive { title } }")).json()
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["UNAUTHORIZED_FIELD_OR_TYPE"]
    assert subgraphs.requests == []


@pytest.mark.asyncio
async def test_a_batch_has_one_maximum_for_all_of_its_operations() -> None:
    subgraphs = library()
    settings = {"demand_control": ENFORCED, "batching": {"enabled": True}}
    async with client_of(router_over(subgraphs, settings)) as router:
        batch = [{"query": BOOKS, "variables": {"n": n}} for n in (1, 2, 1)]
        for _ in range(2):
            first, second, third = (await router.post("/graphql", json=batch)).json()
            assert "errors" not in first
            assert second["errors"][0]["message"] == (
                "The operation may cost 10, and with those before it in the batch 15: 10 is allowed. "
                "Ask for shorter lists, or for less at once."
            )
            assert "errors" not in third
        assert "errors" not in (await ask(router, BOOKS, n=2)).json()
    assert [name for name, _ in subgraphs.requests].count("books") == 5


DEFERRED = "{ books(first: 2) { title ... @defer { author { name } } } }"


@pytest.mark.asyncio
async def test_deferred_fragments_count_before_anything_is_delivered_and_after_all_is() -> None:
    app = router_over(library(), {"demand_control": ENFORCED})
    async with sending(app, DEFERRED, CURRENT) as exchange:
        while await exchange.part() is not None:
            pass
    async with client_of(app) as router:
        assert await metric(router, "galleria_operation_cost_estimated_sum") == [
            'galleria_operation_cost_estimated_sum{result="within"} 10.0'
        ]
        assert await metric(router, "galleria_operation_cost_actual_sum") == [
            'galleria_operation_cost_actual_sum{result="within"} 6.0'
        ]


@pytest.mark.asyncio
async def test_a_deferred_operation_that_may_cost_too_much_is_refused_whole() -> None:
    subgraphs = library()
    app = router_over(subgraphs, {"demand_control": {"mode": "enforce", "max": 9}})
    async with sending(app, DEFERRED, CURRENT) as exchange:
        message = await asyncio.wait_for(exchange.sent.get(), 60)
        body = await asyncio.wait_for(exchange.sent.get(), 60)
    assert message["status"] == 200
    assert json.loads(body["body"])["errors"][0]["extensions"]["cost"] == {"estimated": 10, "max": 9}
    assert subgraphs.requests == []


@pytest.mark.asyncio
async def test_each_event_of_a_subscription_is_counted_and_too_much_of_one_refused() -> None:
    settings = DemandControlSettings(mode="enforce", max=2)
    async with live_stack(RouterConfig(demand_control=settings)) as stack, stack.socket() as socket:
        # A bid is 1, its product 1.
        await socket.subscribe()
        await stack.auction.followed_by(1)
        for amount in (10, 20):
            stack.auction.bid(amount)
            assert (await socket.receive())["type"] == "next"
        await socket.subscribe("subscription { bids { a: product { id } b: product { id } } }", "2")
        refused = await socket.receive()
        accept = "text/event-stream"
        async with streaming(stack, accept, "subscription { bids { a: product { id } b: product { id } } }") as stream:
            assert '"COST_ESTIMATED_TOO_EXPENSIVE"' in (await stream.aread()).decode()
        async with httpx.AsyncClient(base_url=f"http://{stack.router.address}", trust_env=False, timeout=60) as http:
            counted = await metric(http, "galleria_operation_cost_actual_sum")
    assert (refused["type"], refused["payload"][0]["extensions"]["cost"]) == ("error", {"estimated": 3, "max": 2})
    assert counted == ['galleria_operation_cost_actual_sum{result="event"} 4.0']


@pytest.mark.asyncio
async def test_a_subscription_is_counted_on_after_a_reload() -> None:
    settings = DemandControlSettings(mode="enforce", max=2)
    async with live_stack(RouterConfig(demand_control=settings)) as stack, stack.socket() as socket:
        await socket.subscribe()
        await stack.auction.followed_by(1)
        stack.app.replace_graph(stack.graph())
        stack.auction.bid(10)
        assert (await socket.receive())["type"] == "next"
        async with httpx.AsyncClient(base_url=f"http://{stack.router.address}", trust_env=False, timeout=60) as http:
            assert await metric(http, "galleria_operation_cost_actual_sum") == [
                'galleria_operation_cost_actual_sum{result="event"} 2.0'
            ]


@pytest.mark.asyncio
async def test_plugins_hear_of_a_refusal() -> None:
    noted.clear()
    plugins = [{"use": "tests.server.plugins.trying:Noting"}]
    async with client(library(), demand_control=ENFORCED, plugins=plugins) as router:
        refused = await ask(router, BOOKS, n=3)
    assert codes(refused) == ["COST_ESTIMATED_TOO_EXPENSIVE"]
    assert noted[2:] == [
        "plan 2",
        "error The operation may cost 15: 10 is allowed. Ask for shorter lists, or for less at once.",
        "response 400",
    ]


SHELF = {"query": "{ products { name } }"}


def with_breaker_off(demand_control: str) -> str:
    return f"{{demand_control: {demand_control}, traffic: {{breaker: {{enabled: false}}}}}}"


@pytest.mark.asyncio
async def test_a_changed_maximum_holds_for_the_next_request_and_costs_no_operation_its_plan(tmp_path: Path) -> None:
    async with running(tmp_path, with_breaker_off("{mode: enforce, max: 9}")) as router:
        assert codes(await router.client.post("/graphql", json=SHELF)) == ["COST_ESTIMATED_TOO_EXPENSIVE"]
        operations = router.app.service.served_graph().operations
        await router.write(with_breaker_off("{mode: enforce, max: 10}"))
        assert router.app.service.served_graph().operations is operations
        # The subgraph is not there, but it was asked.
        assert codes(await router.client.post("/graphql", json=SHELF)) == ["SUBGRAPH_REQUEST_FAILED"]
        await router.write(with_breaker_off("{mode: enforce, max: 10, default_list_size: 11}"))
        assert codes(await router.client.post("/graphql", json=SHELF)) == ["COST_ESTIMATED_TOO_EXPENSIVE"]
        await router.write(with_breaker_off("{mode: measure, max: 10, default_list_size: 11}"))
        assert codes(await router.client.post("/graphql", json=SHELF)) == ["SUBGRAPH_REQUEST_FAILED"]
        await router.write(with_breaker_off("{mode: off}"))
        assert codes(await router.client.post("/graphql", json=SHELF)) == ["SUBGRAPH_REQUEST_FAILED"]
        assert type(router.app.service).__name__ == "GraphQLService"


def test_off_may_be_written_as_yaml_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "router.yaml"
    for text in ("off", "'off'", "false"):
        path.write_text(f"demand_control: {{mode: {text}}}")
        assert load_config(path, {}).demand_control.mode == "off"
