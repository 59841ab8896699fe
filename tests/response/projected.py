"""One word for all tests of projection: an operation over a schema, merged data, errors -> what the client gets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from graphql import GraphQLSchema, build_schema

from router.field_error import FieldError
from router.operation.document import parse_document
from router.operation.normalize import build_operation
from router.response.projection import Projection, compile_projection

SCHEMA = build_schema(
    """
    scalar Date
    enum Color { RED GREEN }
    interface Media { id: ID! title: String related: [Media!] }
    type Book implements Media { id: ID! title: String related: [Media!] pages: Int maker: Maker! }
    type Film implements Media { id: ID! title: String related: [Media!] minutes: Int }
    union Thing = Book | Maker
    type Maker { name: String! country: String }
    type Leaves { string: String int: Int float: Float boolean: Boolean id: ID color: Color date: Date sure: Int! }
    type Query {
      media: [Media]
      sure: [Media!]
      must: Media!
      things: [Thing]
      grid: [[Leaves!]]
      leaves: Leaves
      maker: Maker
      makers: [Maker!]!
    }
    """
)


def projection_of(query: str, schema: GraphQLSchema = SCHEMA) -> Projection:
    """The compiled projection of ``query``."""
    return compile_projection(build_operation(schema, parse_document(query)), schema)


def project(
    query: str, data: dict[str, Any], errors: Sequence[FieldError] = (), variables: Mapping[str, object] | None = None
) -> tuple[Any, list[tuple[tuple[str | int, ...], str]]]:
    """The projected data, and path and message of each error."""
    result = projection_of(query)(data, errors, variables or {})
    return result.data, [(error.path, error.message) for error in result.errors]


def failed(*path: str | int, message: str = "down") -> FieldError:
    """An error of execution."""
    return FieldError(path, message, {"code": "SUBGRAPH_REQUEST_FAILED"})
