"""Root types under their default names: ``schema { query: MyQuery }`` becomes ``Query``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from router.composition.errors import CompositionError, subgraph_error
from router.composition.schema import ROOT_NAMES, Field, Schema, TypeDefinition
from router.federation.error_codes import ErrorCode
from router.federation.type_ref import named_type, with_named_type


def check_root_types(schema: Schema, subgraph: str) -> Iterator[CompositionError]:
    """Errors ``ROOT_*_USED`` for types that have a root type's default name without being that root."""
    for operation, default in ROOT_NAMES.items():
        root = schema.roots.get(operation)
        if root is not None and root != default and default in schema.types:
            message = (
                f'The type "{default}" is not the {operation} root type, which is "{root}"; '
                f"rename it, as composition gives the root type its default name"
            )
            code = ErrorCode(f"ROOT_{operation.upper()}_USED")
            yield subgraph_error(code, message, subgraph, schema.types[default].node)


def rename_root_types(schema: Schema) -> Schema:
    """Give the root types their default names, wherever they are mentioned."""
    renames = {root: ROOT_NAMES[operation] for operation, root in schema.roots.items() if root != ROOT_NAMES[operation]}
    if not renames:
        return schema
    types = {renames.get(name, name): _rename_type(type_, renames) for name, type_ in schema.types.items()}
    return replace(schema, types=types, roots={operation: ROOT_NAMES[operation] for operation in schema.roots})


def _rename_type(type_: TypeDefinition, renames: Mapping[str, str]) -> TypeDefinition:
    return replace(
        type_,
        name=renames.get(type_.name, type_.name),
        fields={name: _rename_in_field(field, renames) for name, field in type_.fields.items()},
        members={renames.get(name, name): node for name, node in type_.members.items()},
    )


def _rename_in_field(field: Field, renames: Mapping[str, str]) -> Field:
    name = named_type(field.type)
    return replace(field, type=with_named_type(field.type, renames[name])) if name in renames else field
