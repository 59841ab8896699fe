"""A query that shows a problem: the steps of a walk as a GraphQL operation."""

from __future__ import annotations

from router.composition.merge.merge import Merged
from router.composition.satisfiability.state import State
from router.composition.schema import Field, TypeKind
from router.federation.directives import NoDefault
from router.federation.type_ref import ListRef, NamedRef, NonNullRef, TypeRef

_EXAMPLES = {"Int": "0", "Float": "0.0", "String": '"..."', "Boolean": "false", "ID": '"<any id>"'}


def witness_query(merged: Merged, state: State, *, is_leaf: bool) -> str:
    """The operation that leads to ``state``; what would be selected next is shown as ``...``."""
    steps = state.steps()
    types = []
    at: State | None = state
    while at is not None and at.parent is not None:
        types.append(at.parent.type)
        at = at.parent
    types.reverse()
    keyword = next((operation for operation, name in merged.schema.roots.items() if name == state.root), "query")
    lines = ["{" if keyword == "query" else f"{keyword} {{"]
    for depth, (step, parent) in enumerate(zip(steps, types, strict=True), 1):
        indent = "  " * depth
        last = depth == len(steps)
        text = step if step.startswith("...") else f"{step}{_arguments(merged, parent, step)}"
        lines.append(f"{indent}{text}" if last and is_leaf else f"{indent}{text} {{")
    depth = len(steps)
    if not is_leaf:
        lines.append("  " * (depth + 1) + "...")
        lines.append("  " * depth + "}")
    lines.extend("  " * level + "}" for level in range(depth - 1, -1, -1))
    return "\n".join(lines)


def _arguments(merged: Merged, parent: str, name: str) -> str:
    field: Field = merged.schema.types[parent].fields[name]
    required = [argument for argument in field.arguments.values() if argument.is_required]
    if not required:
        return ""
    return f"({', '.join(f'{a.name}: {_example(merged, a.type, 0)}' for a in required)})"


def _example(merged: Merged, type_: TypeRef, depth: int) -> str:
    if isinstance(type_, NonNullRef):
        return _example(merged, type_.of, depth)
    if isinstance(type_, ListRef):
        return "[]"
    assert isinstance(type_, NamedRef)  # noqa: S101 -- the third kind of reference
    definition = merged.schema.types.get(type_.name)
    if definition is None or definition.kind is TypeKind.SCALAR:
        return _EXAMPLES.get(type_.name, '"<some value>"')
    if definition.kind is TypeKind.ENUM:
        return next(iter(definition.values), "null")
    if depth > 5:
        return "{ ... }"
    fields = [
        f"{value.name}: {_example(merged, value.type, depth + 1)}"
        for value in definition.inputs.values()
        if isinstance(value.type, NonNullRef) and isinstance(value.default, NoDefault)
    ]
    return f"{{{', '.join(fields)}}}"
