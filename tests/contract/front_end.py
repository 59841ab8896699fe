"""Which stored front-end operations does a schema still answer?"""

from __future__ import annotations

from pathlib import Path

from graphql import GraphQLSchema, OperationDefinitionNode, parse, validate

OPERATIONS = Path(__file__).parent / "operations"


def broken_operations(api_schema: GraphQLSchema, directory: Path = OPERATIONS) -> list[str]:
    """One line per break: the file, the operation, and what the schema no longer has (graphql-core names the field)."""
    lines = []
    for file in sorted(directory.glob("*.graphql")):
        document = parse(file.read_text())
        names = [
            node.name.value for node in document.definitions if isinstance(node, OperationDefinitionNode) and node.name
        ]
        lines += [f"{file.name}: {', '.join(names)}: {error.message}" for error in validate(api_schema, document)]
    return lines
