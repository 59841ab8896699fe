"""What is said of a resolver is what a front-end reads of its field."""

from __future__ import annotations

import strawberry
from graphql import GraphQLObjectType

from subgraphs.chassis.graphql_schema import ServiceSchema, service_schema


def said(self: object) -> int:
    """Said of the resolver."""
    return 1


@strawberry.type
class Query:
    plain: int = 1
    said: int = strawberry.field(resolver=said, description="Said at the field.")

    @strawberry.field
    def total(self) -> int:
        """What the customer pays,
        with ``shipping``.

        More for who reads the source.
        """
        return 1

    @strawberry.field
    def silent(self) -> int:
        return 1


def descriptions(schema: ServiceSchema) -> dict[str, str | None]:
    query = schema._schema.query_type
    assert isinstance(query, GraphQLObjectType)
    return {name: field.description for name, field in query.fields.items() if not name.startswith("_")}


def test_a_field_is_described_by_the_first_paragraph_of_its_resolver_where_nothing_else_is_said() -> None:
    schema = service_schema(Query)
    assert descriptions(schema) == {
        "plain": None,
        "total": "What the customer pays, with `shipping`.",
        "said": "Said at the field.",
        "silent": None,
    }
    assert '"""What the customer pays, with `shipping`."""\n  total: Int!' in schema.as_str()
