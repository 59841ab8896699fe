"""Every resolvable key of every service answers: what exists, and null at the right place for what does not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import BooleanValueNode, ConstDirectiveNode, ObjectTypeDefinitionNode, StringValueNode, parse

from tests.mall import Json, RunningMall

pytestmark = [pytest.mark.xdist_group("mall"), pytest.mark.timeout(300)]
SUBGRAPHS = Path(__file__).parent.parent.parent / "subgraphs"
UNKNOWN = "no-such-id"
OWNERS = {
    "Product": "inventory",
    "Order": "orders",
    "Customer": "orders",
    "Payment": "payments",
    "Shipment": "shipping",
}
KNOWN_IDS = """
{
  me { id }
  orders(first: 1, status: DELIVERED) { edges { node { id payment { id } shipment { id } lines { product { id } } } } }
}
"""


def _is_resolvable(directive: ConstDirectiveNode) -> bool:
    for argument in directive.arguments or ():
        if argument.name.value == "resolvable" and isinstance(argument.value, BooleanValueNode):
            return argument.value.value
    return True


def _fields(directive: ConstDirectiveNode) -> str:
    value = next(argument.value for argument in directive.arguments or () if argument.name.value == "fields")
    assert isinstance(value, StringValueNode)
    return value.value


def resolvable_keys() -> Iterator[tuple[str, str, str]]:
    """(service, type, key fields) for each @key that its service resolves."""
    for file in sorted(SUBGRAPHS.glob("*/schema.graphql")):
        for node in parse(file.read_text()).definitions:
            if isinstance(node, ObjectTypeDefinitionNode):
                for directive in node.directives or ():
                    if directive.name.value == "key" and _is_resolvable(directive):
                        yield file.parent.name, node.name.value, _fields(directive)


@pytest.fixture(scope="module")
def ids(mall: RunningMall) -> dict[str, str]:
    """An id that exists, by type."""
    order = mall.data(KNOWN_IDS, "staff")["orders"]["edges"][0]["node"]
    return {
        "Order": order["id"],
        "Payment": order["payment"]["id"],
        "Shipment": order["shipment"]["id"],
        "Product": order["lines"][0]["product"]["id"],
        "Customer": "cus_ada",
    }


def test_the_owners_resolve_their_types() -> None:
    assert {(service, name) for name, service in OWNERS.items()} <= {(s, name) for s, name, _ in resolvable_keys()}


@pytest.mark.parametrize(("service", "name", "fields"), tuple(resolvable_keys()), ids=str)
def test_known_and_unknown_ids_keep_their_places(
    mall: RunningMall, ids: dict[str, str], service: str, name: str, fields: str
) -> None:
    assert fields == "id"
    wanted = [UNKNOWN, ids[name], UNKNOWN, ids[name]]
    representations = [{"__typename": name, "id": id_} for id_ in wanted]
    query = f"query ($r: [_Any!]!) {{ _entities(representations: $r) {{ __typename ... on {name} {{ id }} }} }}"
    entities = mall.data(query, "staff", name=service, r=representations)["_entities"]
    known: Json = {"__typename": name, "id": ids[name]}
    if OWNERS[name] == service:
        assert entities == [None, known, None, known]
    else:  # a service that adds fields to a type cannot tell whether the owner knows the id
        assert [entities[1], entities[3]] == [known, known]
        assert all(entity in (None, {"__typename": name, "id": UNKNOWN}) for entity in (entities[0], entities[2]))
