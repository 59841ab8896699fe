"""Which stored front-end operations does a schema still answer?"""

from __future__ import annotations

from pathlib import Path

from graphql import GraphQLSchema

from router.composition.stored_operations import load_operations

OPERATIONS = Path(__file__).parent / "operations"


def broken_operations(api_schema: GraphQLSchema, directory: Path = OPERATIONS) -> list[str]:
    """One line per break: the file, the operation, and what the schema no longer has (graphql-core names the field)."""
    return [
        f"{operation.label}: {fault}"
        for operation in load_operations(directory)
        for fault in operation.faults(api_schema)
    ]
