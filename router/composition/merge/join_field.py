"""``@join__field``: what each subgraph has to do with a field of the supergraph."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from router.composition.merge.context import MergeContext, Sources
from router.composition.merge.overrides import NO_OVERRIDES, FieldOverrides
from router.composition.preprocess.contexts import split_context_field
from router.composition.preprocess.usage import is_extension_key
from router.composition.schema import Application, Field, InputValue, TypeDefinition, all_applied, applied
from router.federation.literals import EnumLiteral, Literal, ObjectLiteral


def join_fields(
    context: MergeContext,
    type_name: str,
    sources: Sources[Field],
    parents: Collection[int],
    overrides: FieldOverrides = NO_OVERRIDES,
) -> tuple[Application, ...]:
    """One application for each subgraph that has the field; none at all where they would say nothing.

    They say nothing when all subgraphs with the parent type resolve the field in the same way.
    """
    kept = {index: field for index, field in sources.items() if index not in overrides.removed}
    types_differ = len({field.type for field in sources.values()}) > 1
    if not types_differ and len(kept) == len(parents) and not overrides.used and not overrides.labels:
        special = (
            context.subgraphs[index].is_external(type_name, field.name)
            or any(a.spec in {"requires", "provides"} for a in field.directives)
            or _context_arguments(context, index, field)
            for index, field in kept.items()
        )
        if not any(special):
            return ()
    return tuple(
        context.join(
            "field",
            index,
            requires=_field_set(field, "requires"),
            provides=_field_set(field, "provides"),
            override=_argument(field, "override", "from"),
            type=str(field.type) if types_differ else None,
            external=context.subgraphs[index].is_external(type_name, field.name),
            usedOverridden=index in overrides.used,
            overrideLabel=overrides.label(index),
            contextArguments=_context_arguments(context, index, field) or None,
        )
        for index, field in kept.items()
    )


def join_input_fields(
    context: MergeContext, sources: Mapping[int, InputValue], parents: Collection[int]
) -> tuple[Application, ...]:
    """The same for a field of an input object."""
    types_differ = len({value.type for value in sources.values()}) > 1
    if not types_differ and len(sources) == len(parents):
        return ()
    return tuple(
        context.join("field", index, type=str(value.type) if types_differ else None) for index, value in sources.items()
    )


def _argument(field: Field, spec: str, name: str) -> Literal:
    application = applied(field, spec) if field.directives else None
    return application.arguments.get(name) if application else None


def _field_set(field: Field, spec: str) -> str | None:
    text = _argument(field, spec, "fields")
    return text if isinstance(text, str) else None


def _context_arguments(context: MergeContext, index: int, field: Field) -> tuple[Literal, ...]:
    found: list[Literal] = []
    for argument in field.arguments.values():
        application = applied(argument, "fromContext") if argument.directives else None
        name, selection = split_context_field(application) if application else (None, None)
        if name is not None and selection is not None:
            found.append(
                ObjectLiteral(
                    (
                        ("context", f"{context.name(index)}__{name}"),
                        ("name", argument.name),
                        ("type", str(argument.type)),
                        ("selection", selection),
                    )
                )
            )
    return tuple(found)


def join_types(context: MergeContext, sources: Sources[TypeDefinition]) -> tuple[Application, ...]:
    """``@join__type`` for every subgraph that defines a type: one a key, else a single one."""
    return tuple(a for index, type_ in sources.items() for a in _join_types_of(context, index, type_))


def _join_types_of(context: MergeContext, index: int, type_: TypeDefinition) -> Iterator[Application]:
    interface_object = applied(type_, "interfaceObject") is not None
    keys = all_applied(type_, "key")
    if not keys:
        yield context.join("type", index, isInterfaceObject=interface_object)
    for key in keys:
        extension = is_extension_key(type_, key)
        fields = key.arguments.get("fields")
        arguments = {"key": fields, **({"extension": True} if extension else {})}
        if isinstance(key.arguments.get("resolvable"), bool):
            arguments["resolvable"] = key.arguments["resolvable"]
        if interface_object:
            arguments["isInterfaceObject"] = True
        yield Application("join__type", {"graph": EnumLiteral(context.graphs[index]), **arguments})
