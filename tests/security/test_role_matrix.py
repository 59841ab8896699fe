"""Who may do what: every cell of the README's table, tried."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import orjson
import pytest
from graphql import GraphQLObjectType, GraphQLUnionType

from subgraphs.chassis.clock import utc_now
from subgraphs.chassis.command import STAFF_SCOPES, load_service, service_names
from subgraphs.chassis.identity.auth import issue_token
from subgraphs.chassis.identity.dev_keys import ensure_key
from tests.security.examples import UNKNOWN, Example, Json
from tests.security.matrix import GRACE, OWNER, SUBJECTS, Row, cells, read_table
from tests.services import ServiceClient

MACHINERY = {"Query._service", "Query._entities"}
Requests = Mapping[tuple[str, str], Example]
Services = Mapping[str, ServiceClient]


def fields_of(service: str) -> set[str]:
    """Everything that can be asked of ``service``: root fields, and entities that it resolves."""
    schema = load_service(service).schema._schema
    roots = (schema.query_type, schema.mutation_type, schema.subscription_type)
    fields = {f"{root.name}.{field}" for root in roots if root for field in root.fields} - MACHINERY
    union = schema.type_map["_Entity"]
    assert isinstance(union, GraphQLUnionType)
    return fields | {f"entity {entity.name}" for entity in union.types if _is_resolved(service, entity)}


def _is_resolved(service: str, entity: GraphQLObjectType) -> bool:
    known = load_service(service).schema.schema_converter.type_map[entity.name]
    return hasattr(getattr(known.definition, "origin", None), "resolve_reference")


def test_the_table_has_a_row_for_every_operation_of_every_service() -> None:
    in_schemas = {(service, field) for service in service_names() for field in fields_of(service)}
    assert {(row.service, row.field) for row in read_table()} == in_schemas
    assert len(read_table()) == len({(row.service, row.operation) for row in read_table()}), "one has two rows"


def test_every_scope_of_the_table_can_be_had(requests: Requests) -> None:
    assert {row.scope for row in read_table() if row.scope} == set(STAFF_SCOPES)
    assert set(requests) == {(row.service, row.operation) for row in read_table()}


@pytest.mark.parametrize(("row", "role", "outcome"), cells(), ids=lambda value: getattr(value, "operation", str(value)))
@pytest.mark.asyncio(loop_scope="module")
async def test_a_cell_of_the_table(services: Services, requests: Requests, row: Row, role: str, outcome: str) -> None:
    client, example = services[row.service], requests[row.service, row.operation]
    token = token_of(client, row, role)
    body = await ask(client, token, example, example.variables)
    if outcome in ("UNAUTHENTICATED", "FORBIDDEN"):
        assert {error["extensions"]["code"] for error in body["errors"]} == {outcome}
        assert example.witness not in orjson.dumps(body["data"]).decode()
        assert not role.startswith("staff") or row.scope in body["errors"][0]["message"]
        return
    assert "errors" not in body, body["errors"]
    assert outcome in ("yes", "no")
    witness = example.witness.format(subject=SUBJECTS.get(role))
    assert (witness in orjson.dumps(body).decode()) is (outcome == "yes"), body
    unknown = example.of_nothing()
    if outcome == "no" and unknown:
        nothing = await ask(client, token, example, unknown)
        assert without_id(body, example.variables["id"]) == without_id(nothing, UNKNOWN)


@pytest.mark.parametrize("row", read_table(), ids=lambda row: f"{row.service}-{row.operation}")
@pytest.mark.asyncio(loop_scope="module")
async def test_an_expired_or_forged_token_opens_nothing(
    services: Services, requests: Requests, tmp_path: Path, row: Row
) -> None:
    client, example = services[row.service], requests[row.service, row.operation]
    claims = {"sub": GRACE, "role": "staff", "scope": " ".join(STAFF_SCOPES)}
    forged = issue_token(ensure_key(tmp_path), claims, utc_now() + timedelta(hours=1))
    expired = client.token(OWNER, utc_now() - timedelta(seconds=1))
    for token in (expired, forged):
        body = await ask(client, token, example, example.variables)
        assert [error["extensions"]["code"] for error in body["errors"]] == ["UNAUTHENTICATED"]
        assert body["data"] is None


def token_of(client: ServiceClient, row: Row, role: str) -> str | None:
    """The bearer token of ``role`` for ``row``; customers claim every scope, which must not help them."""
    if role == "anonymous":
        return None
    scopes: tuple[str, ...] = STAFF_SCOPES
    if row.scope and role.startswith("staff"):
        scopes = (row.scope,) if role == "staff with" else tuple(each for each in STAFF_SCOPES if each != row.scope)
    return client.token(SUBJECTS[role], scopes=scopes)


async def ask(client: ServiceClient, token: str | None, example: Example, variables: Json) -> Json:
    """The GraphQL response; of a subscription the first one."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    request = {"query": example.document, "variables": variables}
    if example.document.startswith("subscription"):
        headers["accept"] = "text/event-stream"
    response = await client.http.post("/graphql", json=request, headers=headers)
    events = [line.removeprefix("data: ") for line in response.text.splitlines() if line.startswith("data: {")]
    body: Json = orjson.loads(events[0] if events else response.content)
    return body


def without_id(body: Json, id_: str) -> str:
    """``body`` with the id that was asked for taken out, to compare answers about different ids."""
    return orjson.dumps(body).decode().replace(id_, "<id>")
