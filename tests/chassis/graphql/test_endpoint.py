"""POST /graphql: what is wrong with a request is told with a stable code."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from graphql import get_introspection_query

from subgraphs.chassis.clock import utc_now
from tests.chassis.example import Notes, notes_service
from tests.services import ServiceClient, client_of

ENTITIES = "query($keys: [_Any!]!) { _entities(representations: $keys) { ... on Note { text } } }"


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def client(notes: Notes, tmp_path: Path) -> ServiceClient:
    return client_of(notes_service(notes), notes, tmp_path)


@pytest.mark.parametrize(
    ("how", "code", "message"),
    [
        ("coded", "TOO_LATE", "It is too late."),
        ("domain", "NO_PAPER", "There is no paper."),
        ("unavailable", "SERVICE_UNAVAILABLE", "The pen is empty; try again."),
        ("outage", "SERVICE_UNAVAILABLE", "The database cannot be reached now; try again."),
    ],
)
@pytest.mark.asyncio
async def test_what_a_client_can_act_on_is_explained(client: ServiceClient, how: str, code: str, message: str) -> None:
    body = await client.ask("query($how: String!) { fails(how: $how) }", how=how)
    assert body == {
        "data": {"fails": None},
        "errors": [
            {
                "message": message,
                "locations": [{"line": 1, "column": 24}],
                "path": ["fails"],
                "extensions": {"code": code},
            }
        ],
    }


@pytest.mark.asyncio
async def test_our_own_mistakes_are_masked_and_can_be_found_by_id(
    client: ServiceClient, capsys: pytest.CaptureFixture[str]
) -> None:
    (error,) = (await client.ask('{ fails(how: "bug") }'))["errors"]
    error_id = error["extensions"]["error_id"]
    assert error["message"] == f"Something went wrong on our side; quote error {error_id}."
    assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert "hunter2" not in str(error)
    assert error_id in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "content_type", "status", "code"),
    [
        (b'{"query": ', "application/json", 400, "BAD_REQUEST"),
        (b"[]", "application/json", 400, "BAD_REQUEST"),
        (b'"{ whoami }"', "application/json", 400, "BAD_REQUEST"),
        (b"{}", "application/json", 400, "BAD_REQUEST"),
        (b'{"query": 5}', "application/json", 400, "BAD_REQUEST"),
        (b'{"query": "{ __typename }", "variables": 5}', "application/json", 400, "BAD_REQUEST"),
        (b"{ __typename }", "application/graphql", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b"query=%7B__typename%7D", "application/x-www-form-urlencoded", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (
            b'{"query": "query A { __typename }", "operationName": "B"}',
            "application/json",
            400,
            "OPERATION_RESOLUTION_FAILURE",
        ),
        (b'{"query": "{ __typename"}', "application/json", 200, "GRAPHQL_PARSE_FAILED"),
        (b'{"query": "{ nothing }"}', "application/json", 200, "GRAPHQL_VALIDATION_FAILED"),
        (b'{"query": "query($how: String!) { fails(how: $how) }"}', "application/json", 200, "BAD_USER_INPUT"),
    ],
)
@pytest.mark.asyncio
async def test_a_request_that_is_none_is_refused_in_json(
    client: ServiceClient, content: bytes, content_type: str, status: int, code: str
) -> None:
    response = await client.http.post("/graphql", content=content, headers={"content-type": content_type})
    (error,) = response.json()["errors"]
    assert (response.status_code, error["extensions"]["code"]) == (status, code)
    assert error["message"]


@pytest.mark.asyncio
async def test_operations_come_by_post_only(client: ServiceClient) -> None:
    response = await client.http.get("/graphql", params={"query": "{ __typename }"})
    assert response.status_code == 405
    assert response.json()["errors"][0]["extensions"]["code"] == "METHOD_NOT_ALLOWED"


@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.asyncio
async def test_a_body_of_five_megabytes_is_refused(client: ServiceClient, declared: bool) -> None:
    async def chunks() -> Any:
        for _ in range(50):
            yield b"x" * 100_000

    content = b"x" * 5_000_000 if declared else chunks()
    response = await client.http.post("/graphql", content=content, headers={"content-type": "application/json"})
    assert response.status_code == 413
    (error,) = response.json()["errors"]
    assert error == {
        "message": "The request body is larger than 1000000 bytes.",
        "extensions": {"code": "REQUEST_TOO_LARGE"},
    }


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ " + "__typename " * 5001 + "}", "GRAPHQL_PARSE_FAILED"),
        ("{ notes " + "{ edges { node " * 8 + "{ id }" + " } }" * 8 + " }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ " + " ".join(f"a{n}: __typename" for n in range(201)) + " }", "GRAPHQL_VALIDATION_FAILED"),
    ],
)
@pytest.mark.asyncio
async def test_documents_have_limits(client: ServiceClient, query: str, code: str) -> None:
    body = await client.ask(query)
    assert body["data"] is None
    assert {error["extensions"]["code"] for error in body["errors"]} == {code}


@pytest.mark.asyncio
async def test_entities_keep_their_positions_and_are_fetched_at_once(client: ServiceClient, notes: Notes) -> None:
    keys: list[dict[str, object]] = [
        {"__typename": "Note", "id": "2"},
        {"__typename": "Note", "id": "none"},
        {"__typename": "Nothing", "id": "1"},
        {"id": "1"},
        {"__typename": "Note", "isbn": "1"},
        {"__typename": "Note", "id": "1"},
        {"__typename": "Note", "id": "2"},
    ]
    body = await client.ask(ENTITIES, keys=keys)
    assert body["data"]["_entities"] == [{"text": "two"}, None, None, None, None, {"text": "one"}, {"text": "two"}]
    assert [(error["path"], error["extensions"]["code"]) for error in body["errors"]] == [
        (["_entities", position], "BAD_USER_INPUT") for position in (2, 3, 4)
    ]
    assert notes.fetched == [["2", "none", "1"]]


@pytest.mark.asyncio
async def test_a_key_of_another_type_is_no_key(client: ServiceClient, notes: Notes) -> None:
    keys: list[object] = [{"__typename": "Note", "id": id_} for id_ in ({"$ne": ""}, ["1"], True, 1.5, None, 3, "3")]
    body = await client.ask(ENTITIES, keys=keys)
    assert body["data"]["_entities"] == [None] * 5 + [{"text": "three"}] * 2
    assert [(error["path"], error["extensions"]["code"]) for error in body["errors"]] == [
        (["_entities", position], "BAD_USER_INPUT") for position in range(5)
    ]
    assert notes.fetched == [["3"]]


@pytest.mark.asyncio
async def test_a_loader_forgets_between_requests(client: ServiceClient, notes: Notes) -> None:
    for _ in range(2):
        await client.data(ENTITIES, keys=[{"__typename": "Note", "id": "1"}])
    assert notes.fetched == [["1"], ["1"]]


@pytest.mark.asyncio
async def test_who_asks_is_told_by_the_token(client: ServiceClient) -> None:
    assert await client.data("{ whoami }", "cus_ada") == {"whoami": "cus_ada"}
    assert await client.data("{ secret }", "staff_grace") == {"secret": "for staff_grace"}


@pytest.mark.parametrize(
    ("query", "subject", "code"),
    [
        ("{ whoami }", None, "UNAUTHENTICATED"),
        ("{ secret }", None, "UNAUTHENTICATED"),
        ("{ secret }", "cus_ada", "FORBIDDEN"),
    ],
)
@pytest.mark.asyncio
async def test_who_may_not_is_told_so(client: ServiceClient, query: str, subject: str | None, code: str) -> None:
    assert await client.error_code(query, subject) == code


@pytest.mark.asyncio
async def test_a_bad_token_is_refused_even_where_none_is_needed(client: ServiceClient) -> None:
    expired = client.token("cus_ada", utc_now() - timedelta(seconds=1))
    for header in ("Basic abc", "Bearer", "Bearer abc", f"Bearer {expired}"):
        response = await client.http.post(
            "/graphql", json={"query": "{ __typename }"}, headers={"authorization": header}
        )
        assert response.json()["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}, header
        assert response.json()["data"] is None


@pytest.mark.asyncio
async def test_the_whole_introspection_is_within_the_limits(client: ServiceClient) -> None:
    data = await client.data(get_introspection_query(input_value_deprecation=True, directive_is_repeatable=True))
    assert data["__schema"]["queryType"]["name"] == "Query"
