"""What is said in Python is what a front-end reads."""

from __future__ import annotations

from enum import Enum

import pytest
import strawberry
from graphql import GraphQLObjectType

from subgraphs.chassis.graphql.descriptions import describe_enum
from subgraphs.chassis.graphql.graphql_schema import ServiceSchema, service_schema


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


class Size(Enum):
    """As the domain has it, without a word for front-ends."""

    SMALL = "SMALL"
    LARGE = "LARGE"


@strawberry.input(description="What to make.")
class MakeInput:
    size: strawberry.ID


@strawberry.type
class Mutation:
    @strawberry.mutation
    def make(self, input: MakeInput) -> int:  # noqa: A002 - the convention
        """Make one."""
        return 1


def test_an_argument_is_described_by_its_input_object_and_a_root_by_what_it_is_for() -> None:
    sdl = service_schema(Query, Mutation).as_str()
    assert '"""What can be asked."""\ntype Query {' in sdl
    assert '"""What can be changed."""\ntype Mutation {' in sdl
    assert '"""What to make."""\n    input: MakeInput!' in sdl


def test_an_enum_of_the_domain_is_described_value_by_value() -> None:
    @strawberry.type
    class Sizes:
        size: Size = Size.SMALL

    describe_enum(Size, "How large.", {Size.SMALL: "Fits a hand.", Size.LARGE: "Fits none."}, "HowLarge")
    sdl = service_schema(Sizes).as_str()
    assert '"""How large."""\nenum HowLarge {\n  """Fits a hand."""\n  SMALL\n\n  """Fits none."""\n  LARGE\n}' in sdl


def test_an_enum_with_a_value_of_which_nothing_is_said_is_a_defect() -> None:
    with pytest.raises(KeyError):
        describe_enum(Size, "How large.", {Size.SMALL: "Fits a hand."})
