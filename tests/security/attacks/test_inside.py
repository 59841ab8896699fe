"""What the router tells of its inside: the schema, plans, other people's errors, and its settings."""

from __future__ import annotations

import json

import pytest

from tests.security.attacks.subgraphs import INNER
from tests.security.attacks.target import Target

pytestmark = pytest.mark.xdist_group("attacks")

SCHEMA_NAMES = ("ShopQuery", "salary", "requires_scopes", "join__", "127.0.0.1")


@pytest.mark.parametrize(
    "query",
    [
        "{ __schema { types { name } } }",
        '{ __type(name: "Person") { fields { name } } }',
        "{ x: __schema { queryType { name } } }",
        "{ ... on Query { ... { __schema { queryType { name } } } } }",
        "{ ...F } fragment F on Query { __schema { queryType { name } } }",
        "query ($yes: Boolean = true) { __schema @include(if: $yes) { queryType { name } } }",
        "query A { headers } query B { __schema { queryType { name } } }",
        "mutation { __schema { queryType { name } } }",
        "# __typename\n{ __typename __schema { directives { name } } }",
    ],
)
@pytest.mark.parametrize("is_batched", [False, True])
def test_the_schema_is_not_read_by_introspection(target: Target, query: str, is_batched: bool) -> None:
    body = {"query": query, **({"operationName": "B"} if "query B" in query else {})}
    response = target.post([body] if is_batched else body)
    answer = response.json()[0] if is_batched else response.json()
    assert {error["extensions"]["code"] for error in answer["errors"]} <= {
        "INTROSPECTION_DISABLED", "GRAPHQL_VALIDATION_FAILED"
    }  # fmt: skip
    assert not answer.get("data")


@pytest.mark.parametrize(
    "query",
    [
        "{ produc }", "{ peopl { id } }",
        "{ people { salar } }", "{ people { salary(x: 1) } }", "{ products(firs: 1) { id } }",
        "{ search(filter: { pric: 1 }) }", "{ ...F } fragment F on Perso { id }", "{ headers @includ(if: true) }",
        "query ($f: Filte) { search(filter: $f) }", "{ people { ... on Produc { id } } }",
    ],
)  # fmt: skip
def test_no_error_suggests_a_name(target: Target, query: str) -> None:
    response = target.post({"query": query})
    assert response.json()["errors"]
    assert "Did you mean" not in response.text


def test_variables_suggest_no_name_either(target: Target) -> None:
    query = "query ($f: Filter!) { search(filter: $f) }"
    response = target.post({"query": query, "variables": {"f": {"pric": 1, "tex": "a"}}})
    assert response.json()["errors"]
    assert "Did you mean" not in response.text


def test_an_error_inside_is_masked_with_an_id_that_the_log_has(target: Target) -> None:
    [error] = target.post({"query": "{ broken }"}).json()["errors"]
    assert INNER not in str(error)
    assert "hunter2" not in str(error)
    assert f"error {error['extensions']['id']} of subgraph 'shop': {INNER}" in target.log.read_text()


@pytest.mark.parametrize("line_break", ["\n", "\r", "\r\n", "\x85", "\u2028", "\x1b[2J\x1b[H", "\x9b2J", "\0"])
def test_nobody_writes_a_line_of_the_log(target: Target, line_break: str) -> None:
    forged = f"4711{line_break}2026-01-01 00:00:00,000 INFO galleria.router: all is well"
    body = {"query": "query ($t: String!) { refuse(text: $t) }", "variables": {"t": forged}}
    target.client.post(target.url, json=body, headers={"apollographql-client-name": "x", "x-request-id": "a.b"})
    log = target.log.read_bytes().decode()
    assert "4711" in log
    assert line_break == "\n" or line_break not in log
    assert not [line for line in log.splitlines() if line.startswith("2026-01-01 00:00:00,000")]


def test_a_long_message_of_a_subgraph_is_cut_in_the_log(target: Target) -> None:
    before = target.log.stat().st_size
    body = {"query": "query ($t: String!) { refuse(text: $t) }", "variables": {"t": "x" * 500_000}}
    assert target.codes(body) == ["SUBGRAPH_ERROR"]
    assert target.log.stat().st_size - before < 50_000


@pytest.mark.parametrize("accept", ["text/event-stream", "multipart/mixed;subscriptionSpec=1.0"])
def test_an_error_that_ends_a_subscription_is_masked_too(target: Target, accept: str) -> None:
    response = target.post({"query": "subscription { brokenTicks }"}, headers={"accept": accept})
    assert "SUBGRAPH_ERROR" in response.text
    assert "hunter2" not in response.text


@pytest.mark.parametrize("header", ["apollo-federation-include-trace", "x-debug", "apollo-query-plan-experimental"])
def test_no_header_brings_out_plans_or_traces(target: Target, header: str) -> None:
    body = {"query": "{ headers }", "extensions": {"plan": True, "explain": True, "galleria": {"explain": True}}}
    response = target.post(body, headers={header: "ftv1"})
    assert response.json().keys() == {"data"}


def test_the_entities_of_subgraphs_are_no_fields_of_the_graph(target: Target) -> None:
    entities = '{ _entities(representations: [{__typename: "Person", id: "bob"}]) { __typename } }'
    for query in (entities, "{ _service { sdl } }"):
        assert target.codes({"query": query}) == ["GRAPHQL_VALIDATION_FAILED"]


def test_bad_requests_of_any_kind_tell_nothing_of_the_code(target: Target) -> None:
    bodies: list[object] = [None, 7, "x", [], {}, {"query": None}, {"query": []}, {"query": "{", "variables": 7}]
    for body in bodies:
        text = target.post(content=json.dumps(body).encode(), headers={"content-type": "application/json"}).text
        assert not any(word in text for word in ("Traceback", "File ", ".py", "Error(", "<class", "0x"))
