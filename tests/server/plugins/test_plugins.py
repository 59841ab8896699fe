"""Plugins see a request on its way, in order; what they raise refuses, or is masked; absent hooks are not there."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from httpx import Response

import router
from router.errors import InputError
from router.server.http.endpoint import GraphQLEndpoint
from router.server.service import GraphQLService
from router.server.shedding.overload import LoadShedder
from tests.server.library.hosted import SETTINGS, browser
from tests.server.plugins import trying
from tests.server.shop import SUPERGRAPH

TRYING = "tests.server.plugins.trying"


def with_plugins(*uses: str, **settings: Any) -> router.Router:
    plugins = [{"use": use, "settings": settings} for use in uses]
    return router.Router(SUPERGRAPH, {**SETTINGS, "plugins": plugins, "batching": {"enabled": True}})


async def asked(graph: router.Router, query: Any, **headers: str) -> Response:
    sent = query if isinstance(query, list) else {"query": query}
    async with graph.lifespan(), browser(graph) as client:
        return await client.post("/graphql", json=sent, headers={k.replace("_", "-"): v for k, v in headers.items()})


@pytest.mark.asyncio
async def test_hooks_are_called_in_the_order_of_the_request() -> None:
    trying.noted.clear()
    response = await asked(with_plugins(f"{TRYING}:Noting"), "{ warehouses }")
    assert response.json() == {"data": {"warehouses": ["north", "south"]}}
    assert response.headers["x-noted"] == "yes"
    expected = ["request /graphql", "operation { warehouses }", "plan 1", "to stock", "from stock 200", "response 200"]
    assert trying.noted == expected


@pytest.mark.asyncio
async def test_an_invalid_operation_is_told_to_on_error() -> None:
    trying.noted.clear()
    await asked(with_plugins(f"{TRYING}:Noting"), "{ nothing }")
    assert [one for one in trying.noted if one.startswith("error")] == [
        "error Cannot query field 'nothing' on type 'Query'."
    ]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("sent", "errors"),
    [
        ([{"query": "{ nothing }"}, {"query": "{ warehouses }"}, {"query": "{"}], 2),
        ([{"query": "{ warehouses }"}] * 11, 1),
        ({}, 1),
        ("no request", 1),
        ({"query": "subscription { none }"}, 1),
        ({"query": "query ($f: Int!) { products(first: $f) { id } }"}, 1),
    ],
)
async def test_each_error_in_place_of_a_result_is_told_once(sent: object, errors: int) -> None:
    trying.noted.clear()
    graph = with_plugins(f"{TRYING}:Noting")
    async with graph.lifespan(), browser(graph) as client:
        await client.post("/graphql", json=sent)
    assert len([one for one in trying.noted if one.startswith("error")]) == errors


@pytest.mark.asyncio
async def test_each_member_of_a_batch_is_seen_once() -> None:
    trying.noted.clear()
    await asked(with_plugins(f"{TRYING}:Noting"), [{"query": "{ warehouses }"}, {"query": "{ whoami }"}])
    seen = [one for one in trying.noted if one.startswith("operation")]
    assert seen == ["operation { warehouses }", "operation { whoami }"]


@pytest.mark.asyncio
@pytest.mark.parametrize("hook", ["Request", "Operation", "Plan", "SubgraphRequest", "Response"])
async def test_what_a_hook_raises_is_masked_and_logged(hook: str, caplog: pytest.LogCaptureFixture) -> None:
    response = await asked(with_plugins(f"{TRYING}:FailsOn{hook}"), "{ warehouses }")
    assert [one["extensions"]["code"] for one in response.json()["errors"]] == ["PLUGIN_FAILED"]
    assert "secret" not in response.text
    assert f"plugin FailsOn{hook} failed in on_" in caplog.text
    assert "the secret of the plugin" in caplog.text


def test_hooks_that_are_absent_are_not_on_the_way() -> None:
    plain = with_plugins()._serving
    assert type(plain.service) is GraphQLService
    assert isinstance(plain.http, LoadShedder)
    assert isinstance(plain.http._app, GraphQLEndpoint)
    idle = with_plugins(f"{TRYING}:HasNone").service
    assert type(idle) is GraphQLService
    assert idle.served_graph().client.__class__.__name__ == "SharingClient"


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (f"{TRYING}:Missing", f"plugins.0: {TRYING}:Missing is no subclass of router.Plugin."),
        (
            "no.such:Plugin",
            "plugins.0: no.such:Plugin cannot be loaded: ModuleNotFoundError: No module named 'no'; "
            "PYTHONPATH must name the folder that it is in",
        ),
        ("examples.plugins.refused_clients:RefusedClients", "plugins.0.settings.names: Field required"),
    ],
)
def test_a_plugin_that_cannot_be_had_is_told_at_the_start(use: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        with_plugins(use)
    assert (caught.value.code, caught.value.message) == ("INVALID_CONFIG", message)


@pytest.mark.asyncio
async def test_example_a_subgraph_gets_a_header_that_the_client_cannot_set() -> None:
    graph = with_plugins(
        "examples.plugins.subgraph_header:SubgraphHeader", subgraphs=["catalog"], name="Authorization", value="key"
    )
    response = await asked(graph, "{ whoami }", authorization="another")
    assert response.json() == {"data": {"whoami": "key"}}


@pytest.mark.asyncio
async def test_example_a_client_is_refused_by_its_name() -> None:
    use = "examples.plugins.refused_clients:RefusedClients"
    refused = await asked(with_plugins(use, names=["old"]), "{ warehouses }", apollographql_client_name="old")
    assert refused.status_code == 403
    assert refused.json()["errors"][0]["extensions"] == {"code": "CLIENT_REFUSED"}
    served = await asked(with_plugins(use, names=["old"]), "{ warehouses }", apollographql_client_name="new")
    assert served.json() == {"data": {"warehouses": ["north", "south"]}}


@pytest.mark.asyncio
@pytest.mark.parametrize(("after_s", "lines"), [(0, 1), (60, 0)])
async def test_example_slow_operations_are_logged(after_s: float, lines: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    await asked(with_plugins("examples.plugins.slow_operations:SlowOperations", after_s=after_s), "{ warehouses }")
    assert caplog.text.count("slow query of 1 fetches") == lines
