"""Arguments and input fields: types, defaults and presence over several subgraphs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from router.composition.merge.applied_directives import DirectiveMerge
from router.composition.merge.context import MergeContext, Sources, by_text
from router.composition.merge.descriptions import merge_description
from router.composition.merge.types import narrowest
from router.composition.schema import BUILT_IN_SCALARS, Field, InputValue, TypeKind, applied
from router.composition.words import variants
from router.federation.directives import NO_DEFAULT, NoDefault
from router.federation.error_codes import ErrorCode
from router.federation.hint_codes import HintCode
from router.federation.literals import EnumLiteral, Literal, ObjectLiteral, print_literal
from router.federation.type_ref import ListRef, NonNullRef, TypeRef

_WHOLE_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)")


@dataclass(frozen=True, slots=True)
class ValueCodes:
    """How messages and codes call what is merged: an argument, or an input field."""

    noun: str
    type_mismatch: ErrorCode
    default_mismatch: ErrorCode
    compatible_types: HintCode


ARGUMENT = ValueCodes(
    "argument",
    ErrorCode.FIELD_ARGUMENT_TYPE_MISMATCH,
    ErrorCode.FIELD_ARGUMENT_DEFAULT_MISMATCH,
    HintCode.INCONSISTENT_BUT_COMPATIBLE_ARGUMENT_TYPE,
)
INPUT_FIELD = ValueCodes(
    "input field",
    ErrorCode.FIELD_TYPE_MISMATCH,
    ErrorCode.INPUT_FIELD_DEFAULT_MISMATCH,
    HintCode.INCONSISTENT_BUT_COMPATIBLE_FIELD_TYPE,
)


def merge_input_type(
    context: MergeContext, coordinate: str, sources: Sources[InputValue], codes: ValueCodes
) -> TypeRef:
    """The narrowest type; the first one, with an error, where the types do not fit."""
    types = {index: value.type for index, value in sources.items()}
    distinct = list(dict.fromkeys(types.values()))
    if len(distinct) == 1:
        return distinct[0]
    found = variants(by_text(context, {index: str(type_) for index, type_ in types.items()}))
    merged = narrowest(distinct, context.relations)
    if merged is None:
        message = f'The type of {codes.noun} "{coordinate}" differs between subgraphs and no type fits all: {found}'
        context.error(codes.type_mismatch, message, sources)
        return distinct[0]
    message = f'The type of {codes.noun} "{coordinate}" differs, the supergraph uses "{merged}": {found}'
    context.hint(codes.compatible_types, message, sources, coordinate)
    return merged


def merge_default(
    context: MergeContext, coordinate: str, sources: Sources[InputValue], codes: ValueCodes
) -> Literal | NoDefault:
    """The default that all agree on; none, with a hint or an error, where they do not."""
    with_default = {index: value for index, value in sources.items() if not isinstance(value.default, NoDefault)}
    if not with_default:
        return NO_DEFAULT
    if len({comparable_default(context, value) for value in with_default.values()}) > 1:
        texts = {i: print_literal(v.default) for i, v in with_default.items() if not isinstance(v.default, NoDefault)}
        found = variants(by_text(context, texts))
        message = f'The {codes.noun} "{coordinate}" has different default values: {found}'
        context.error(codes.default_mismatch, message, sources)
        return NO_DEFAULT
    if len(with_default) < len(sources):
        without = [index for index in sources if index not in with_default]
        message = (
            f'The {codes.noun} "{coordinate}" has a default value in {context.named(with_default)} '
            f"but not in {context.named(without)}; the supergraph uses none"
        )
        context.hint(HintCode.INCONSISTENT_DEFAULT_VALUE_PRESENCE, message, sources, coordinate)
        return NO_DEFAULT
    return next(iter(with_default.values())).default


def comparable_default(context: MergeContext, value: InputValue) -> str | None:
    """A text that is equal for defaults which are one value of the type: ``{x: 1, y: 1.0}`` and ``{y: 1, x: 1}``."""
    if isinstance(value.default, NoDefault):
        return None
    return print_literal(_in_order(_in_type(context, value.default, value.type)))


def _in_order(value: Literal) -> Literal:
    """A literal with the fields of its objects by name, and whole numbers without a point."""
    if isinstance(value, tuple):
        return tuple(map(_in_order, value))
    if isinstance(value, ObjectLiteral):
        return ObjectLiteral(tuple(sorted((name, _in_order(inner)) for name, inner in value.fields)))
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _in_type(context: MergeContext, value: Literal, type_: TypeRef) -> Literal:
    """A default as its type writes it: enum values, and no other strings, as names; whole numbers of IDs unquoted."""
    if isinstance(type_, NonNullRef):
        return _in_type(context, value, type_.of)
    if isinstance(type_, ListRef):
        return tuple(_in_type(context, item, type_.of) for item in value) if isinstance(value, tuple) else value
    if isinstance(value, ObjectLiteral):
        return ObjectLiteral(tuple(_fields_in_type(context, value, type_.name)))
    if isinstance(value, EnumLiteral) and type_.name in BUILT_IN_SCALARS:
        value = value.name
    if not isinstance(value, str):
        return value
    if type_.name == "ID" and _WHOLE_NUMBER.fullmatch(value):
        return int(value)
    return EnumLiteral(value) if context.relations.kinds.get(type_.name) is TypeKind.ENUM else value


def _fields_in_type(context: MergeContext, value: ObjectLiteral, type_name: str) -> Iterator[tuple[str, Literal]]:
    sources = context.type_sources(type_name)
    types = {name: field.type for source in sources.values() for name, field in source.inputs.items()}
    for name, inner in value.fields:
        yield name, _in_type(context, inner, types[name]) if name in types else inner


def merge_input_value(
    context: MergeContext, directives: DirectiveMerge, coordinate: str, sources: Sources[InputValue], codes: ValueCodes
) -> InputValue:
    """One argument or input field of all that are declared under ``coordinate``."""
    first = next(iter(sources.values()))
    type_ = merge_input_type(context, coordinate, sources, codes)
    default = merge_default(context, coordinate, sources, codes)
    return InputValue(
        first.name,
        type_,
        default if isinstance(default, NoDefault) else _in_type(context, default, type_),
        merge_description(context, coordinate, sources),
        directives.merge(coordinate, {index: value.directives for index, value in sources.items()}, sources),
        first.node,
    )


def merge_arguments(
    context: MergeContext, directives: DirectiveMerge, place: str, sources: Sources[Field]
) -> dict[str, InputValue]:
    """The arguments that all subgraphs with the field declare; a required one that some lack is an error."""
    if not any(field.arguments for field in sources.values()):
        return {}
    merged: dict[str, InputValue] = {}
    for name in dict.fromkeys(name for field in sources.values() for name in field.arguments):
        coordinate = f"{place}({name}:)"
        declared = {index: field.arguments[name] for index, field in sources.items() if name in field.arguments}
        contextual = [index for index, argument in declared.items() if applied(argument, "fromContext")]
        if contextual:
            _check_contextual(context, coordinate, declared, contextual, sources)
        elif len(declared) == len(sources):
            merged[name] = merge_input_value(context, directives, coordinate, declared, ARGUMENT)
        else:
            _missing_argument(context, coordinate, declared, [i for i in sources if i not in declared])
    return merged


def _missing_argument(
    context: MergeContext, coordinate: str, declared: Mapping[int, InputValue], missing: list[int]
) -> None:
    required = [index for index, argument in declared.items() if argument.is_required]
    if required:
        message = (
            f'The argument "{coordinate}" is required in {context.named(required)} '
            f"but does not exist in {context.named(missing)}"
        )
        context.error(ErrorCode.REQUIRED_ARGUMENT_MISSING_IN_SOME_SUBGRAPH, message, declared)
        return
    message = (
        f'The optional argument "{coordinate}" is left out of the supergraph, as it is defined in '
        f"{context.named(declared)} but not in {context.named(missing)}"
    )
    context.hint(HintCode.INCONSISTENT_ARGUMENT_PRESENCE, message, declared, coordinate)


def _check_contextual(
    context: MergeContext,
    coordinate: str,
    declared: Mapping[int, InputValue],
    contextual: list[int],
    sources: Sources[Field],
) -> None:
    """An argument that one subgraph fills from a context cannot be one that clients give elsewhere."""
    plain = {index: argument for index, argument in declared.items() if index not in contextual}
    if not plain and len(declared) == len(sources):
        return
    required = [index for index, argument in plain.items() if argument.is_required]
    if required:
        message = (
            f'The argument "{coordinate}" is contextual in {context.named(contextual)} '
            f"but a required argument in {context.named(required)}"
        )
        context.error(ErrorCode.CONTEXTUAL_ARGUMENT_NOT_CONTEXTUAL_IN_ALL_SUBGRAPHS, message, declared)
    elif plain:
        where = f"in {context.named(contextual)} but not in {context.named(plain)}"
        message = f'The argument "{coordinate}" is contextual {where}'
        context.hint(HintCode.CONTEXTUAL_ARGUMENT_NOT_CONTEXTUAL_IN_ALL_SUBGRAPHS, message, declared, coordinate)
