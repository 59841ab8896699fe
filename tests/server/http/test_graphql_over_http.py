"""Good requests, in every form that GraphQL over HTTP allows."""

from __future__ import annotations

import httpx
import pytest

from tests.server.shop import Shop, codes

PRODUCTS = "{ products { id name available } }"
ANSWER = {"products": [{"id": "1", "name": "Mug", "available": 10}, {"id": "2", "name": "Cup", "available": 20}]}


@pytest.mark.asyncio
async def test_a_query_over_two_subgraphs_is_answered(production: httpx.AsyncClient, shop: Shop) -> None:
    response = await production.post("/graphql", json={"query": PRODUCTS})
    assert response.status_code == 200
    assert response.json() == {"data": ANSWER}
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    assert shop.asked == {"catalog": 1, "stock": 1}


@pytest.mark.asyncio
async def test_a_query_by_get_is_answered(production: httpx.AsyncClient) -> None:
    query = "query P($first: Int) { products(first: $first) { id } } query Q { whoami }"
    params = {"query": query, "operationName": "P", "variables": '{"first": 1}', "extensions": "{}"}
    response = await production.get("/graphql", params=params)
    assert response.json() == {"data": {"products": [{"id": "1"}]}}


@pytest.mark.asyncio
async def test_a_mutation_is_answered(production: httpx.AsyncClient, shop: Shop) -> None:
    query = "mutation R($name: String!) { rename(id: 2, name: $name) { name available } }"
    response = await production.post("/graphql", json={"query": query, "variables": {"name": "Glass"}})
    assert response.json() == {"data": {"rename": {"name": "Glass", "available": 20}}}
    assert shop.names["2"] == "Glass"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (None, "application/json"),
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        ("application/graphql-response+json", "application/graphql-response+json"),
        ("application/graphql-response+json; charset=utf-8", "application/graphql-response+json"),
        ("application/graphql-response+json, application/json;q=0.9", "application/graphql-response+json"),
        ("application/graphql-response+json;q=0.5, application/json", "application/json"),
        ("application/*", "application/json"),
        ("text/html, */*;q=0.1", "application/json"),
        ("application/json;q=0, */*", "application/graphql-response+json"),
    ],
)
async def test_the_answer_has_the_type_that_the_client_accepts(
    production: httpx.AsyncClient, accept: str | None, content_type: str
) -> None:
    headers = {"accept": accept} if accept else {}
    request = production.build_request("POST", "/graphql", json={"query": "{ __typename }"}, headers=headers)
    if accept is None:
        del request.headers["accept"]
    response = await production.send(request)
    assert response.headers["content-type"] == f"{content_type}; charset=utf-8"
    assert response.json() == {"data": {"__typename": "Query"}}


@pytest.mark.asyncio
async def test_the_authorization_header_reaches_subgraphs_and_others_do_not(production: httpx.AsyncClient) -> None:
    headers = {"authorization": "Bearer t", "x-secret": "s"}
    response = await production.post("/graphql", json={"query": "{ whoami }"}, headers=headers)
    assert response.json() == {"data": {"whoami": "Bearer t"}}


@pytest.mark.asyncio
async def test_a_subgraph_that_is_down_costs_its_fields_alone(production: httpx.AsyncClient, shop: Shop) -> None:
    shop.down.add("stock")
    response = await production.post("/graphql", json={"query": "{ products { name available } warehouses }"})
    assert response.status_code == 200
    body = response.json()
    assert body["data"] == {
        "products": [{"name": "Mug", "available": None}, {"name": "Cup", "available": None}],
        "warehouses": None,
    }
    message = "Subgraph 'stock' answered with HTTP status 503."
    extensions = {"code": "SUBGRAPH_REQUEST_FAILED", "service": "stock"}
    paths = [["products", 0, "available"], ["products", 1, "available"], ["warehouses"]]
    expected = [{"message": message, "path": path, "extensions": extensions} for path in paths]
    assert sorted(body["errors"], key=str) == sorted(expected, key=str)
    shop.down.clear()
    response = await production.post("/graphql", json={"query": "{ products { name available } warehouses }"})
    assert "errors" not in response.json()


@pytest.mark.asyncio
async def test_introspection_stands_beside_data_in_development(development: httpx.AsyncClient) -> None:
    query = "query I($n: String!) { products(first: 1) { id } t: __type(name: $n) { name kind } __typename }"
    response = await development.post("/graphql", json={"query": query, "variables": {"n": "Product"}})
    data = {"products": [{"id": "1"}], "t": {"name": "Product", "kind": "OBJECT"}, "__typename": "Query"}
    assert response.json() == {"data": data}


@pytest.mark.asyncio
async def test_introspection_is_refused_in_production(production: httpx.AsyncClient, shop: Shop) -> None:
    headers = {"accept": "application/graphql-response+json"}
    body = {"query": "{ __schema { queryType { name } } whoami }"}
    response = await production.post("/graphql", json=body, headers=headers)
    assert response.status_code == 400
    assert codes(response) == ["INTROSPECTION_DISABLED"]
    assert shop.asked == {"catalog": 0, "stock": 0}
