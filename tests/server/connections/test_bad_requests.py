"""Bad requests: a stable code each, the right status, and nothing asked of any subgraph."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.server.shop import Shop, codes

JSON = {"content-type": "application/json"}
GRAPHQL = {"accept": "application/graphql-response+json"}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("request_", "status", "code", "message"),
    [
        ({"content": b'{"query": '}, 400, "INVALID_JSON", "The request body is not JSON."),
        ({"content": b""}, 400, "INVALID_JSON", "The request body is not JSON."),
        ({"content": b"\xff\xfe\x00"}, 400, "INVALID_JSON", "The request body is not JSON."),
        ({"content": b"[" * 10_000}, 400, "INVALID_JSON", "The request body is not JSON."),
        ({"content": b"[" * 100_000}, 413, "REQUEST_TOO_LARGE", "The request holds more than 50000 values."),
        ({"content": b"7"}, 400, "INVALID_REQUEST", "The request is not a JSON object."),
        ({"json": {}}, 400, "INVALID_REQUEST", "The parameter 'query' is missing."),
        ({"json": {"query": 5}}, 400, "INVALID_REQUEST", "The parameter 'query' is not a string."),
        (
            {"json": {"query": "{whoami}", "operationName": 1}},
            400,
            "INVALID_REQUEST",
            "The parameter 'operationName' is neither a string nor null.",
        ),
        (
            {"json": {"query": "{whoami}", "variables": []}},
            400,
            "INVALID_REQUEST",
            "The parameter 'variables' is neither an object nor null.",
        ),
        (
            {"json": {"query": "{whoami}", "extensions": "x"}},
            400,
            "INVALID_REQUEST",
            "The parameter 'extensions' is neither an object nor null.",
        ),
        (
            {"content": b"{whoami}", "headers": {"content-type": "application/graphql"}},
            415,
            "UNSUPPORTED_MEDIA_TYPE",
            "Send the request as application/json, in UTF-8.",
        ),
        (
            {"content": b'{"query":"{whoami}"}', "headers": {"content-type": "text/plain"}},
            415,
            "UNSUPPORTED_MEDIA_TYPE",
            "Send the request as application/json, in UTF-8.",
        ),
        (
            {"content": b'{"query":"{whoami}"}', "headers": {"content-type": "application/json; charset=latin-1"}},
            415,
            "UNSUPPORTED_MEDIA_TYPE",
            "Send the request as application/json, in UTF-8.",
        ),
        (
            {"content": b'{"query":"{whoami}"}', "headers": {"content-type": ""}},
            415,
            "UNSUPPORTED_MEDIA_TYPE",
            "Send the request as application/json, in UTF-8.",
        ),
        (
            {"json": {"query": "{whoami}"}, "headers": {"accept": "text/html"}},
            406,
            "NOT_ACCEPTABLE",
            "Accept application/graphql-response+json or application/json.",
        ),
        (
            {"json": {"query": "{whoami}", "variables": {"x": "y" * 5_000_000}}},
            413,
            "REQUEST_TOO_LARGE",
            "The request body is larger than 1000000 bytes.",
        ),
    ],
)
async def test_what_is_no_graphql_request_is_refused(
    production: httpx.AsyncClient, shop: Shop, request_: dict[str, Any], status: int, code: str, message: str
) -> None:
    response = await production.post("/graphql", **{"headers": JSON, **request_} if "content" in request_ else request_)
    assert response.status_code == status
    assert response.json() == {"errors": [{"message": message, "extensions": {"code": code}}]}
    assert shop.asked == {"catalog": 0, "stock": 0}


@pytest.mark.asyncio
async def test_a_body_of_unknown_length_is_cut_off_at_the_limit(production: httpx.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 100_000

    response = await production.post("/graphql", content=endless(), headers=JSON)
    assert response.status_code == 413
    assert codes(response) == ["REQUEST_TOO_LARGE"]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"query": "{ whoami"}, "GRAPHQL_PARSE_FAILED"),
        ({"query": ""}, "GRAPHQL_PARSE_FAILED"),
        ({"query": "{" * 5000}, "GRAPHQL_PARSE_FAILED"),
        ({"query": "{ nothing }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "{ whoami }", "operationName": "Other"}, "OPERATION_RESOLUTION_FAILURE"),
        ({"query": "query A { whoami } query B { whoami }"}, "OPERATION_RESOLUTION_FAILURE"),
        ({"query": "query ($f: Int!) { products(first: $f) { id } }"}, "BAD_USER_INPUT"),
        ({"query": "query ($f: Int) { products(first: $f) { id } }", "variables": {"f": "x"}}, "BAD_USER_INPUT"),
    ],
)
async def test_an_operation_that_cannot_run_is_explained_with_the_status_of_its_media_type(
    production: httpx.AsyncClient, shop: Shop, body: dict[str, Any], code: str
) -> None:
    response = await production.post("/graphql", json=body, headers=GRAPHQL)
    assert (response.status_code, codes(response)) == (400, [code])
    assert "data" not in response.json()
    response = await production.post("/graphql", json=body)
    assert (response.status_code, codes(response)) == (200, [code])
    assert shop.asked == {"catalog": 0, "stock": 0}


@pytest.mark.asyncio
async def test_a_mutation_by_get_changes_nothing(production: httpx.AsyncClient, shop: Shop) -> None:
    params = {"query": 'mutation { rename(id: 1, name: "x") { id } }'}
    response = await production.get("/graphql", params=params)
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert codes(response) == ["METHOD_NOT_ALLOWED"]
    assert shop.names["1"] == "Mug"


@pytest.mark.asyncio
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_other_methods_are_refused(production: httpx.AsyncClient, method: str) -> None:
    response = await production.request(method, "/graphql", json={"query": "{ whoami }"})
    assert (response.status_code, response.headers["allow"]) == (405, "GET, POST")
    assert codes(response) == ["METHOD_NOT_ALLOWED"]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("query_string", "code"),
    [
        ("", "INVALID_REQUEST"),
        ("query={whoami}&variables={", "INVALID_JSON"),
        ("query={whoami}&variables=[]", "INVALID_REQUEST"),
        ("query=%ff", "INVALID_REQUEST"),
        ("&".join(f"x{n}=1" for n in range(200)), "INVALID_REQUEST"),
    ],
)
async def test_a_bad_url_is_refused(production: httpx.AsyncClient, query_string: str, code: str) -> None:
    response = await production.get(f"/graphql?{query_string}")
    assert (response.status_code, codes(response)) == (400, [code])


@pytest.mark.asyncio
async def test_another_path_is_not_found(production: httpx.AsyncClient) -> None:
    response = await production.get("/elsewhere")
    assert (response.status_code, codes(response)) == (404, ["NOT_FOUND"])


@pytest.mark.asyncio
async def test_a_body_of_more_values_than_are_taken_is_refused(production: httpx.AsyncClient, shop: Shop) -> None:
    values: list[list[object]] = [[] for _ in range(50_000)]
    response = await production.post("/graphql", json={"query": "{ whoami }", "variables": {"x": values}})
    assert response.status_code == 413
    assert response.json()["errors"][0]["message"] == "The request holds more than 50000 values."
    assert shop.asked == {"catalog": 0, "stock": 0}
    text = "a, b, c [d] {e} " * 5000
    response = await production.post("/graphql", json={"query": "{ whoami }", "variables": {"x": text}})
    assert response.status_code == 200
