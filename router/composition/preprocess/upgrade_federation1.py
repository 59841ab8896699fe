"""Federation 1 subgraphs -> what they mean in Federation 2.

Federation 1 wrote ``extend type`` for every entity that another subgraph owns, ``@external`` on its keys, and shared
value types without saying so. The steps below, in their order, say the same in Federation 2's words; afterwards the
subgraph is checked by Federation 2's rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from router.composition.errors import CompositionError, subgraph_error
from router.composition.preprocess.federation_rules import check_federation_rules
from router.composition.preprocess.prepared import PreparedSubgraph
from router.composition.preprocess.usage import (
    Coordinate,
    FieldUsage,
    application_coordinates,
    compute_usage,
    is_extension_key,
)
from router.composition.schema import (
    ROOT_NAMES,
    Application,
    Block,
    Field,
    Schema,
    TypeDefinition,
    TypeKind,
    all_applied,
    applied,
)
from router.federation.error_codes import ErrorCode
from router.federation.field_set import (
    FieldSelection,
    FieldSetError,
    FragmentSelection,
    Selection,
    parse_field_set,
    print_field_set,
)
from router.federation.literals import EnumLiteral, Literal
from router.federation.type_ref import named_type

_ROOTS = frozenset(ROOT_NAMES.values())
_FieldChange = Callable[[TypeDefinition, Field], Field | None]


def upgrade_federation1(
    subgraphs: Sequence[PreparedSubgraph],
) -> tuple[tuple[PreparedSubgraph, ...], tuple[CompositionError, ...]]:
    """Upgrade those subgraphs that do not link Federation 2; the others are given back as they are."""
    if all(subgraph.version is not None for subgraph in subgraphs):
        return tuple(subgraphs), ()
    errors: list[CompositionError] = []
    upgraded: list[PreparedSubgraph] = []
    for subgraph in subgraphs:
        if subgraph.version is None:
            errors.extend(_keyed_interfaces(subgraph, subgraphs))
            errors.extend(_extensions_without_base(subgraph, subgraphs))
            upgraded.append(_upgrade_alone(subgraph, subgraphs, errors))
        else:
            upgraded.append(subgraph)
    shared = [_share(subgraph, upgraded) if subgraph.version is None else subgraph for subgraph in upgraded]
    for subgraph in shared:
        if subgraph.version is None and not errors:
            errors.extend(check_federation_rules(subgraph))
    return tuple(shared), tuple(errors)


def _is_extension(type_: TypeDefinition) -> bool:
    return type_.is_extension_only or applied(type_, "extends") is not None


def _keyed_interfaces(subgraph: PreparedSubgraph, subgraphs: Sequence[PreparedSubgraph]) -> Iterator[CompositionError]:
    """A key on a Federation 1 interface does not resolve its types, which an ``@interfaceObject`` relies on."""
    for type_ in subgraph.schema.types.values():
        if type_.kind is not TypeKind.INTERFACE or applied(type_, "key") is None:
            continue
        for other in subgraphs:
            stand_in = other.schema.types.get(type_.name)
            if stand_in is not None and applied(stand_in, "interfaceObject"):
                message = (
                    f'"{type_.name}" is an @interfaceObject in subgraph "{other.name}", but its @key in the '
                    f'Federation 1 subgraph "{subgraph.name}" cannot resolve its types; upgrade it or remove the @key'
                )
                yield subgraph_error(ErrorCode.INTERFACE_OBJECT_USAGE_ERROR, message, subgraph.name, type_.node)


def _extensions_without_base(
    subgraph: PreparedSubgraph, subgraphs: Sequence[PreparedSubgraph]
) -> Iterator[CompositionError]:
    for type_ in subgraph.schema.types.values():
        if not _is_extension(type_) or type_.name in _ROOTS or not type_.fields:
            continue
        declared = [other.schema.types.get(type_.name) for other in subgraphs if other.name != subgraph.name]
        if not any(other and other.fields and not other.is_extension_only for other in declared):
            message = f'"{type_.name}" is extended, but no subgraph defines it'
            yield subgraph_error(ErrorCode.EXTENSION_WITH_NO_BASE, message, subgraph.name, type_.node)


def _upgrade_alone(
    subgraph: PreparedSubgraph, subgraphs: Sequence[PreparedSubgraph], errors: list[CompositionError]
) -> PreparedSubgraph:
    """All steps but those that depend on what the others share."""
    schema = _map_fields(_coerce_field_sets(subgraph.schema), _without_useless_external)
    schema = _with_usage(schema, lambda schema, usage: _internal_keys(schema, subgraph, subgraphs))
    schema = _prune_field_sets(schema)
    schema = _without_extensions(_without_interface_directives(schema))
    schema = _without_unused_externals(schema, subgraph.name, errors)
    return replace(subgraph, schema=schema, usage=compute_usage(schema))


def _with_usage(schema: Schema, step: Callable[[Schema, FieldUsage], Schema]) -> Schema:
    return step(schema, compute_usage(schema))


def _map_types(schema: Schema, change: Callable[[TypeDefinition], TypeDefinition]) -> Schema:
    return replace(schema, types={name: change(type_) for name, type_ in schema.types.items()})


def _map_fields(schema: Schema, change: _FieldChange) -> Schema:
    """Change or (None) remove each field of every object type and interface."""

    def change_type(type_: TypeDefinition) -> TypeDefinition:
        if not type_.fields:
            return type_
        changed = {name: change(type_, field) for name, field in type_.fields.items()}
        return replace(type_, fields={name: field for name, field in changed.items() if field is not None})

    return _map_types(schema, change_type)


def _without(directives: Sequence[Application], *specs: str) -> tuple[Application, ...]:
    return tuple(application for application in directives if application.spec not in specs)


def _coerce_field_sets(schema: Schema) -> Schema:
    """``fields: ["a", "b"]`` and ``fields: a`` mean ``fields: "a b"`` and ``fields: "a"``."""

    def coerce(directives: Sequence[Application]) -> tuple[Application, ...]:
        return tuple(
            replace(a, arguments={**a.arguments, "fields": _field_set_text(a.arguments["fields"])})
            if "fields" in a.arguments and a.spec in {"key", "requires", "provides"}
            else a
            for a in directives
        )

    schema = _map_types(schema, lambda type_: replace(type_, directives=coerce(type_.directives)))
    return _map_fields(
        schema, lambda _, field: replace(field, directives=coerce(field.directives)) if field.directives else field
    )


def _field_set_text(value: Literal) -> Literal:
    if isinstance(value, tuple):
        return " ".join(str(_field_set_text(item)) for item in value)
    return value.name if isinstance(value, EnumLiteral) else value


def _without_useless_external(type_: TypeDefinition, field: Field) -> Field:
    """Interface fields have no resolver, so ``@external`` says nothing there."""
    if type_.kind is TypeKind.INTERFACE and field.directives:
        return replace(field, directives=_without(field.directives, "external"))
    return field


def _internal_keys(schema: Schema, subgraph: PreparedSubgraph, subgraphs: Sequence[PreparedSubgraph]) -> Schema:
    """Key fields of extensions are resolved by the extension too, though Federation 1 had them marked external."""
    keys: set[Coordinate] = set()
    for type_ in schema.types.values():
        if not _is_extension(type_) and not any(is_extension_key(type_, key) for key in all_applied(type_, "key")):
            continue
        own = all_applied(type_, "key")
        for key in own or _first_key_elsewhere(type_.name, subgraph, subgraphs):
            coordinates = application_coordinates(schema, type_.name, key)
            keys.update(coordinate for coordinate in coordinates if coordinate[0] == type_.name)

    def change(type_: TypeDefinition, field: Field) -> Field:
        if (type_.name, field.name) in keys:
            return replace(field, directives=_without(field.directives, "external"))
        return field

    without_types = _map_types(schema, lambda type_: replace(type_, directives=_without(type_.directives, "external")))
    return _map_fields(without_types, change)


def _first_key_elsewhere(
    name: str, subgraph: PreparedSubgraph, subgraphs: Sequence[PreparedSubgraph]
) -> tuple[Application, ...]:
    for other in subgraphs:
        type_ = other.schema.types.get(name)
        if other.name != subgraph.name and type_ is not None:
            keys = all_applied(type_, "key")
            if keys:
                return keys[:1]
    return ()


def _prune_field_sets(schema: Schema) -> Schema:
    """Drop from ``@provides`` and ``@requires`` what the subgraph resolves by itself."""
    usage = compute_usage(schema)

    def change(type_: TypeDefinition, field: Field) -> Field:
        kept: list[Application] = []
        for application in field.directives:
            if application.spec in {"requires", "provides"}:
                parent = type_.name if application.spec == "requires" else named_type(field.type)
                pruned = _prune(schema, usage, parent, application)
                if pruned is not None:
                    kept.append(pruned)
            else:
                kept.append(application)
        return replace(field, directives=tuple(kept))

    return _map_fields(schema, lambda type_, field: change(type_, field) if field.directives else field)


def _prune(schema: Schema, usage: FieldUsage, parent: str, application: Application) -> Application | None:
    try:
        selections = parse_field_set(str(application.arguments.get("fields")))
    except FieldSetError:
        return application
    kept = _external_selections(schema, usage, parent, selections)
    if not kept:
        return None
    if kept == selections:
        return application
    return replace(application, arguments={**application.arguments, "fields": print_field_set(kept)})


def _external_selections(
    schema: Schema, usage: FieldUsage, parent: str, selections: Sequence[Selection]
) -> tuple[Selection, ...]:
    """What of a field set is external, or leads to something that is."""
    type_ = schema.types.get(parent)
    kept: list[Selection] = []
    for selection in selections:
        if isinstance(selection, FragmentSelection):
            inner = _external_selections(schema, usage, selection.type_condition or parent, selection.selections)
            if inner:
                kept.append(replace(selection, selections=inner))
            continue
        if selection.name == "__typename":
            continue
        field = type_.fields.get(selection.name) if type_ else None
        target = schema.kind_of(named_type(field.type)) if field else None
        if target is not None and target.is_composite and not selection.selections:
            kept.append(selection)  # incomplete: left for the check of field sets to report
            continue
        if type_ is None or field is None or usage.is_external_or_implemented_so(schema, type_, field.name):
            kept.append(selection)
            continue
        inner = _external_selections(schema, usage, named_type(field.type), selection.selections)
        if inner:
            kept.append(FieldSelection(selection.name, selection.arguments, inner, has_braces=True))
    return tuple(kept)


def _without_extensions(schema: Schema) -> Schema:
    """What Federation 1 only extends, Federation 2 defines; where a definition stands beside it, nothing changes."""

    def change(type_: TypeDefinition) -> TypeDefinition:
        if not type_.is_extension_only or not type_.fields:
            return type_
        return replace(type_, blocks=tuple(Block(is_extension=False, node=block.node) for block in type_.blocks))

    return _map_types(schema, change)


def _without_interface_directives(schema: Schema) -> Schema:
    """Keys, requires and provides of interfaces did nothing in Federation 1, nor did provides on leaves."""

    def change_type(type_: TypeDefinition) -> TypeDefinition:
        if type_.kind is not TypeKind.INTERFACE:
            return type_
        return replace(type_, directives=_without(type_.directives, "key"))

    def change_field(type_: TypeDefinition, field: Field) -> Field:
        if not field.directives:
            return field
        specs = ("requires", "provides") if type_.kind is TypeKind.INTERFACE else ()
        kind = schema.kind_of(named_type(field.type))
        if kind is not None and not kind.is_composite:
            specs = (*specs, "provides")
        return replace(field, directives=_without(field.directives, *specs))

    return _map_fields(_map_types(schema, change_type), change_field)


def _without_unused_externals(schema: Schema, subgraph: str, errors: list[CompositionError]) -> Schema:
    usage = compute_usage(schema)
    unused = usage.external - usage.used
    if not unused:
        return schema
    pruned = _map_fields(schema, lambda type_, field: None if (type_.name, field.name) in unused else field)
    emptied = {name for name, type_ in pruned.types.items() if schema.types[name].fields and not type_.fields}
    emptied.discard("Query")
    for name in sorted(emptied & _referenced(schema)):
        message = f'All fields of "{name}" are @external and used by no @key, @requires or @provides'
        node = schema.types[name].node
        errors.append(subgraph_error(ErrorCode.TYPE_WITH_ONLY_UNUSED_EXTERNAL, message, subgraph, node))
    return replace(pruned, types={name: type_ for name, type_ in pruned.types.items() if name not in emptied})


def _referenced(schema: Schema) -> set[str]:
    """The types that fields, unions or, as entities, the router itself refer to."""
    names = {named_type(field.type) for type_ in schema.types.values() for field in type_.fields.values()}
    entities = {name for name, type_ in schema.types.items() if applied(type_, "key")}
    return names.union(entities, *(type_.members for type_ in schema.types.values()))


def _share(subgraph: PreparedSubgraph, subgraphs: Sequence[PreparedSubgraph]) -> PreparedSubgraph:
    """Federation 1 let everything be resolved in several places; say so with ``@shareable``."""
    others = [other for other in subgraphs if other.name != subgraph.name]
    schema = _map_types(subgraph.schema, lambda type_: _share_type(type_, subgraph, others))
    schema = _map_fields(schema, lambda type_, field: _without_tag_elsewhere(type_, field, subgraph, others))
    return replace(subgraph, schema=schema, usage=compute_usage(schema))


def _share_type(
    type_: TypeDefinition, subgraph: PreparedSubgraph, others: Sequence[PreparedSubgraph]
) -> TypeDefinition:
    if type_.kind is not TypeKind.OBJECT or type_.name == ROOT_NAMES["subscription"]:
        return type_
    declaring = [other for other in others if type_.name in other.schema.types]
    if type_.name not in _ROOTS and applied(type_, "key") is None:
        if not declaring:
            return type_
        blocks = [number for number, block in enumerate(type_.blocks) if not block.is_extension]
        shared = {application.block for application in all_applied(type_, "shareable")}
        blocks = [block for block in blocks if block not in shared]
        marks = tuple(Application("shareable", spec="shareable", block=block) for block in blocks)
        return replace(type_, directives=(*type_.directives, *marks))
    fields = {
        name: replace(field, directives=(*field.directives, Application("shareable", spec="shareable")))
        if _is_resolved_by(type_.name, name, declaring) and (type_.name, name) not in subgraph.usage.shareable
        else field
        for name, field in type_.fields.items()
    }
    return replace(type_, fields=fields)


def _is_resolved_by(type_name: str, field_name: str, others: Sequence[PreparedSubgraph]) -> bool:
    return any(
        field_name in other.schema.types[type_name].fields and not other.usage.is_fully_external(type_name, field_name)
        for other in others
    )


def _without_tag_elsewhere(
    type_: TypeDefinition, field: Field, subgraph: PreparedSubgraph, others: Sequence[PreparedSubgraph]
) -> Field:
    """Tags of an external field are those of its owner."""
    if not all_applied(field, "tag") or not subgraph.usage.is_external(type_.name, field.name):
        return field
    elsewhere: set[Literal] = set()
    for other in others:
        fields: Mapping[str, Field] = other.schema.types[type_.name].fields if type_.name in other.schema.types else {}
        found = fields.get(field.name)
        if found is not None and not other.usage.is_external(type_.name, field.name):
            elsewhere.update(tag.arguments.get("name") for tag in all_applied(found, "tag"))
    kept = tuple(a for a in field.directives if a.spec != "tag" or a.arguments.get("name") not in elsewhere)
    return replace(field, directives=kept)
