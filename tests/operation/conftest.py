"""The schema that the tests of operations ask."""

from __future__ import annotations

import pytest
from graphql import GraphQLSchema, build_schema

SCHEMA = """
type Query { user(id: ID, role: Role, filter: Filter): User node: Node things: [Thing!]! big: Date }
type Mutation { rename(name: String!): User }
interface Node { id: ID! }
interface Named implements Node { id: ID! name: String }
type User implements Node & Named { id: ID! name: String friend: User }
type Shop implements Node { id: ID! city: String }
union Thing = User | Shop
enum Role { ADMIN USER }
input Filter { limit: Int = 10 tags: [String!] }
input Range { least: Int! most: Int inner: [Range!] at: Date }
scalar Date
"""


@pytest.fixture(scope="session")
def schema() -> GraphQLSchema:
    return build_schema(SCHEMA)
