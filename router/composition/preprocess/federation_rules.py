"""What Federation forbids within one subgraph; the rules of one directive stand together.

Contexts, costs and field sets have files of their own.
"""

from __future__ import annotations

from collections.abc import Iterator

from router.composition.errors import CompositionError, subgraph_error
from router.composition.preprocess.context_rules import check_contexts
from router.composition.preprocess.cost_rules import check_costs
from router.composition.preprocess.field_sets import check_field_sets
from router.composition.preprocess.prepared import PreparedSubgraph
from router.composition.preprocess.usage import is_readable
from router.composition.schema import Application, Field, TypeDefinition, TypeKind, all_applied, applied
from router.federation.error_codes import ErrorCode
from router.federation.feature_url import Version
from router.federation.field_set import FieldSetError, parse_field_set, print_field_set
from router.federation.type_ref import named_type

_INTERFACE_KEYS_SINCE = Version(2, 3)
AUTH_DIRECTIVES = ("authenticated", "requiresScopes", "policy")


def check_federation_rules(subgraph: PreparedSubgraph) -> Iterator[CompositionError]:
    """All errors of a Federation 2 (or upgraded) subgraph by itself.

    What fields provide decides which others are external and used, so nothing else is judged while that is wrong.
    """
    faults = list(_provides_faults(subgraph))
    if faults:
        yield from faults
        return
    for type_ in subgraph.schema.types.values():
        if type_.kind is TypeKind.INTERFACE:
            yield from _interface_rules(subgraph, type_)
        elif type_.kind is TypeKind.OBJECT:
            yield from _object_rules(subgraph, type_)
    yield from check_field_sets(subgraph.schema, subgraph.usage, subgraph.name, lenient=False)
    yield from check_costs(subgraph.schema, subgraph.name)
    yield from check_contexts(subgraph.schema, subgraph.name)


def _error(
    subgraph: PreparedSubgraph, code: ErrorCode, message: str, element: TypeDefinition | Field | Application
) -> CompositionError:
    return subgraph_error(code, message, subgraph.name, element.node)


def _interface_rules(subgraph: PreparedSubgraph, type_: TypeDefinition) -> Iterator[CompositionError]:
    yield from _auth_on(subgraph, type_, f'the interface "{type_.name}"')
    for key in all_applied(type_, "key"):
        if subgraph.effective_version < _INTERFACE_KEYS_SINCE:
            message = (
                f'@key is not supported on interfaces such as "{type_.name}" before Federation {_INTERFACE_KEYS_SINCE}'
            )
            yield _error(subgraph, ErrorCode.KEY_UNSUPPORTED_ON_INTERFACE, message, key)
        else:
            yield from _interface_key(subgraph, type_, key)
    for field in type_.fields.values():
        place = f'"{type_.name}.{field.name}"'
        yield from _auth_on(subgraph, field, f"the interface field {place}")
        yield from _unused_external(subgraph, type_, field)
        for spec, code in (
            ("requires", ErrorCode.REQUIRES_UNSUPPORTED_ON_INTERFACE),
            ("provides", ErrorCode.PROVIDES_UNSUPPORTED_ON_INTERFACE),
            ("external", ErrorCode.EXTERNAL_ON_INTERFACE),
            ("shareable", ErrorCode.INVALID_SHAREABLE_USAGE),
        ):
            application = applied(field, spec)
            if application is not None:
                message = f"@{spec} cannot be used on {place}, a field of an interface; use it on the implementations"
                yield _error(subgraph, code, message, application)


def _provides_faults(subgraph: PreparedSubgraph) -> Iterator[CompositionError]:
    """What a field provides must be there to select from, and of an object that the subgraph resolves itself."""
    for type_ in subgraph.schema.types.values():
        for field in type_.fields.values():
            provides = applied(field, "provides") if field.directives else None
            if provides is None:
                continue
            place = f"{type_.name}.{field.name}"
            kind = subgraph.schema.kind_of(named_type(field.type))
            if kind is not None and not kind.is_composite:
                message = f'@provides on "{place}" needs a field with subfields, but its type is "{field.type}"'
                yield _error(subgraph, ErrorCode.PROVIDES_ON_NON_OBJECT_FIELD, message, provides)
            elif subgraph.version is not None and subgraph.is_external(type_.name, field.name):
                message = (
                    f'"{place}" is @external, so this subgraph does not resolve it and cannot @provides its fields'
                )
                yield _error(subgraph, ErrorCode.EXTERNAL_COLLISION_WITH_ANOTHER_DIRECTIVE, message, provides)


def _auth_on(subgraph: PreparedSubgraph, element: TypeDefinition | Field, what: str) -> Iterator[CompositionError]:
    for spec in AUTH_DIRECTIVES:
        application = applied(element, spec)
        if application is not None:
            message = f"@{spec} cannot be applied to {what}; apply it to the implementing types and their fields"
            yield _error(subgraph, ErrorCode.AUTH_REQUIREMENTS_APPLIED_ON_INTERFACE, message, application)


def _normal_key(key: Application) -> str:
    """The field set of a key in a form in which equal keys are equal texts."""
    text = key.arguments.get("fields")
    try:
        return " ".join(sorted({print_field_set((s,)) for s in parse_field_set(str(text))}))
    except FieldSetError:
        return str(text)


def _interface_key(subgraph: PreparedSubgraph, type_: TypeDefinition, key: Application) -> Iterator[CompositionError]:
    """A resolvable key of an interface must be a resolvable key of each of its implementations."""
    if not is_readable(subgraph.schema, type_.name, key):
        return
    wanted, resolvable = _normal_key(key), key.arguments.get("resolvable") is not False
    for name in subgraph.schema.possible_types(type_.name):
        implementation = subgraph.schema.types[name]
        keys = all_applied(implementation, "key")
        if not all(is_readable(subgraph.schema, name, other) for other in keys):
            continue
        same = [other for other in keys if _normal_key(other) == wanted]
        if not same:
            fault = f'but "{name}" does not have it'
        elif resolvable and all(other.arguments.get("resolvable") is False for other in same):
            fault = f'but it is not resolvable on "{name}"'
        else:
            continue
        message = (
            f'The key "{key.arguments.get("fields")}" of the interface "{type_.name}" must be on all its types, {fault}'
        )
        yield subgraph_error(
            ErrorCode.INTERFACE_KEY_NOT_ON_IMPLEMENTATION, message, subgraph.name, key.node, implementation.node
        )


def _object_rules(subgraph: PreparedSubgraph, type_: TypeDefinition) -> Iterator[CompositionError]:
    interface_object = applied(type_, "interfaceObject")
    if interface_object is not None:
        yield from _auth_on(subgraph, type_, f'the interface object "{type_.name}"')
        if applied(type_, "key") is None:
            message = f'@interfaceObject needs an entity, but "{type_.name}" has no @key in this subgraph'
            yield _error(subgraph, ErrorCode.INTERFACE_OBJECT_USAGE_ERROR, message, interface_object)
    yield from _duplicate_shareable(subgraph, type_, type_.name)
    for field in type_.fields.values():
        place = f"{type_.name}.{field.name}"
        yield from _duplicate_shareable(subgraph, field, place)
        yield from _unused_external(subgraph, type_, field)


def _duplicate_shareable(
    subgraph: PreparedSubgraph, element: TypeDefinition | Field, place: str
) -> Iterator[CompositionError]:
    blocks = set()
    for application in all_applied(element, "shareable"):
        if application.block in blocks:
            message = f'@shareable is applied twice to the same declaration of "{place}"'
            yield _error(subgraph, ErrorCode.INVALID_SHAREABLE_USAGE, message, application)
        blocks.add(application.block)


def _unused_external(subgraph: PreparedSubgraph, type_: TypeDefinition, field: Field) -> Iterator[CompositionError]:
    if subgraph.version is None:
        return  # the upgrade of Federation 1 removes them
    coordinate = (type_.name, field.name)
    if coordinate in subgraph.usage.external and coordinate not in subgraph.usage.used:
        message = (
            f'"{type_.name}.{field.name}" is @external, but no @key, @requires, @provides or interface '
            f"of this subgraph uses it; remove the field, or @external if this subgraph resolves it"
        )
        yield _error(subgraph, ErrorCode.EXTERNAL_UNUSED, message, field)
