"""Federation's own types and fields in a subgraph's SDL, which are no part of what it offers to clients."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from router.composition.schema import BUILT_IN_SCALARS, Schema, TypeDefinition, TypeKind

_SERVICE_FIELDS = ("_service", "_entities")
_SERVICE_TYPES = ("_Service", "_Entity", "_Any")


def without_service_fields(schema: Schema) -> Schema:
    """The schema without ``_service`` and ``_entities``, whose types Federation 1 left undefined in printed SDL."""
    root = schema.types.get(schema.roots.get("query", ""))
    if root is None:
        return schema
    fields = {name: field for name, field in root.fields.items() if name not in _SERVICE_FIELDS}
    return replace(schema, types={**schema.types, root.name: replace(root, fields=fields)})


def without_machinery(schema: Schema, directives: Collection[str], types: Collection[str]) -> Schema:
    """The schema without the given directives and types, ``_service`` and ``_entities``; it always has a ``Query``."""
    query = schema.types.get("Query", TypeDefinition(TypeKind.OBJECT, "Query"))
    fields = {name: field for name, field in query.fields.items() if name not in _SERVICE_FIELDS}
    dropped = {*types, *_SERVICE_TYPES, *BUILT_IN_SCALARS}
    kept = {name: type_ for name, type_ in schema.types.items() if name not in dropped}
    return replace(
        schema,
        types={**kept, "Query": replace(query, fields=fields)},
        directives={name: definition for name, definition in schema.directives.items() if name not in directives},
        roots={"query": "Query", **schema.roots},
    )
