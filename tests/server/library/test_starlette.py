"""A router in a Starlette application, with the lifespan of the host or one of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import Scope

import router
from router.errors import InputError
from router.server.graphs.supergraph_file import COMPOSITION_FAILED
from tests.server.graphs.test_supergraph_file import CATALOG, STOCK
from tests.server.library.hosted import SETTINGS, browser, hosted_router, whoami
from tests.server.shop import SUPERGRAPH

PRODUCT = {"query": "{ products(first: 1) { name available } }"}
MUG = {"data": {"products": [{"name": "Mug", "available": 10}]}}


def mounted(graph: router.Router) -> Starlette:
    return Starlette(routes=[Mount("/shop", graph)])


@pytest.mark.asyncio
async def test_it_starts_with_the_first_request_where_the_host_has_no_lifespan() -> None:
    graph = hosted_router()
    async with browser(mounted(graph)) as client:
        assert (await client.post("/shop/graphql", json=PRODUCT)).json() == MUG
    await graph.aclose()


@pytest.mark.asyncio
async def test_headers_that_the_settings_propagate_reach_the_subgraphs() -> None:
    graph = hosted_router()
    async with graph.lifespan(), browser(mounted(graph)) as client:
        assert await whoami(client, headers={"authorization": "ada"}) == "ada"


@pytest.mark.asyncio
async def test_a_file_is_served_with_given_settings(tmp_path: Path) -> None:
    file = tmp_path / "supergraph.graphql"
    file.write_text(SUPERGRAPH)
    graph = router.Router(file, router.RouterConfig.model_validate(SETTINGS))
    async with graph.lifespan(), browser(mounted(graph)) as client:
        assert (await client.post("/shop/graphql", json=PRODUCT)).json() == MUG


@pytest.mark.asyncio
async def test_subgraphs_are_composed() -> None:
    subgraphs = [
        router.Subgraph("catalog", "http://catalog.test/graphql", CATALOG),
        router.Subgraph("stock", "http://stock.test/graphql", STOCK),
    ]
    graph = router.Router(subgraphs, SETTINGS)
    async with graph.lifespan(), browser(mounted(graph)) as client:
        answer = (await client.post("/shop/graphql", json={"query": "{ products { name available } }"})).json()
    assert answer["data"]["products"] == [{"name": "Mug", "available": 10}, {"name": "Cup", "available": 20}]


def test_subgraphs_that_do_not_compose_are_refused() -> None:
    with pytest.raises(InputError) as caught:
        router.Router([router.Subgraph("catalog", "http://catalog.test/graphql", "type Query { a: Nothing }")])
    assert caught.value.code == COMPOSITION_FAILED


def test_the_name_of_a_file_in_place_of_its_path_is_told_as_that() -> None:
    with pytest.raises(InputError) as caught:
        router.Router("supergraph.graphql")
    told = "'supergraph.graphql' is no SDL; give the path of a file as a pathlib.Path."
    assert (caught.value.code, caught.value.message) == ("INVALID_SUPERGRAPH", told)


def test_a_wrong_setting_is_told_by_its_name() -> None:
    with pytest.raises(InputError) as caught:
        router.Router(SUPERGRAPH, {"graphql": {"timeout": 3}})
    assert str(caught.value).startswith("settings: graphql.timeout: there is no such setting")


@pytest.mark.asyncio
async def test_a_host_that_fails_is_masked_and_nothing_is_asked(caplog: pytest.LogCaptureFixture) -> None:
    async def identify(_: Scope) -> router.Caller:
        raise ValueError("the secret of the host")

    graph = hosted_router(identify)
    async with graph.lifespan(), browser(mounted(graph)) as client:
        response = await client.post("/shop/graphql", json=PRODUCT)
    assert response.status_code == 500
    assert response.json()["errors"][0]["extensions"] == {"code": "IDENTITY_FAILED"}
    assert "secret" not in response.text
    assert "the host cannot tell who asks" in caplog.text


@pytest.mark.asyncio
async def test_a_host_refuses_with_its_own_words() -> None:
    async def identify(_: Scope) -> router.Caller:
        raise router.RequestError(401, "SIGN_IN_FIRST", "Sign in first.")

    graph = hosted_router(identify)
    async with graph.lifespan(), browser(mounted(graph)) as client:
        response = await client.post("/shop/graphql", json=PRODUCT)
    assert response.status_code == 401
    assert response.json() == {"errors": [{"message": "Sign in first.", "extensions": {"code": "SIGN_IN_FIRST"}}]}


@pytest.mark.asyncio
async def test_a_host_is_asked_anew_by_each_request_with_the_same_headers() -> None:
    names = iter((b"ada", b"bob"))

    async def identify(_: Scope) -> router.Caller:
        return router.Caller(((b"authorization", next(names)),))

    graph = hosted_router(identify, telemetry={"trace_context": True})
    async with graph.lifespan(), browser(mounted(graph)) as client:
        assert [await whoami(client), await whoami(client)] == ["ada", "bob"]
