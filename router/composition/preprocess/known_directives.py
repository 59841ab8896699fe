"""The directives that a subgraph may apply without defining them, and the check of those that it defines itself."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from graphql.pyutils import suggestion_list

from router.composition.errors import CompositionError, subgraph_error
from router.composition.schema import (
    BUILT_IN_SCALARS,
    DirectiveDefinition,
    InputValue,
    Schema,
    TypeDefinition,
    TypeKind,
)
from router.federation.connect_spec import CONNECT_DIRECTIVES, CONNECT_IDENTITY, CONNECT_TYPES
from router.federation.directives import (
    DIRECTIVES,
    FEDERATION_1_DIRECTIVES,
    ArgumentSpec,
    DirectiveSpec,
    NoDefault,
    directives_of_version,
    types_of_version,
)
from router.federation.error_codes import ErrorCode
from router.federation.feature_url import FEDERATION_IDENTITY, LINK_IDENTITY
from router.federation.link import Link, Links, linked_core_feature
from router.federation.literals import print_literal
from router.federation.type_ref import ListRef, NamedRef, NonNullRef, TypeRef, nullable, type_ref

_GRAPHQL_DIRECTIVES = (
    DirectiveDefinition(
        "skip", ("FIELD", "FRAGMENT_SPREAD", "INLINE_FRAGMENT"), {"if": InputValue("if", type_ref("Boolean!"))}
    ),
    DirectiveDefinition(
        "include", ("FIELD", "FRAGMENT_SPREAD", "INLINE_FRAGMENT"), {"if": InputValue("if", type_ref("Boolean!"))}
    ),
    DirectiveDefinition(
        "deprecated",
        ("FIELD_DEFINITION", "ARGUMENT_DEFINITION", "INPUT_FIELD_DEFINITION", "ENUM_VALUE"),
        {"reason": InputValue("reason", type_ref("String"), "No longer supported")},
    ),
    DirectiveDefinition("specifiedBy", ("SCALAR",), {"url": InputValue("url", type_ref("String!"))}),
    DirectiveDefinition("oneOf", ("INPUT_OBJECT",)),
    DirectiveDefinition("defer", ("FRAGMENT_SPREAD", "INLINE_FRAGMENT")),
    DirectiveDefinition("stream", ("FIELD",)),
)
GRAPHQL_DIRECTIVE_NAMES = frozenset(definition.name for definition in _GRAPHQL_DIRECTIVES)
"""The directives of GraphQL itself, which every schema has."""

ONE_OF = "oneOf"
_FEDERATION_1_FIELD_SET = "_FieldSet"
_LINK_ARGUMENTS = {"url": "String", "as": "String", "for": "link__Purpose", "import": "[link__Import]"}
_LINK_PURPOSES = frozenset({"EXECUTION", "SECURITY"})


@dataclass(frozen=True, slots=True)
class KnownDirectives:
    """What a subgraph may use: ``by_name`` in its own names, ``specs`` those of Federation, and machinery types."""

    by_name: Mapping[str, DirectiveDefinition]
    specs: Mapping[str, str]
    machinery_types: Mapping[str, str]


def known_directives(links: Links, defined: Collection[str]) -> KnownDirectives:
    """The directives of GraphQL, @link and Federation (version 1 where none is linked) under the schema's names.

    ``defined`` are the directives that the schema defines itself: a Federation 1 schema may so use those of
    Federation 2, and its own ``@oneOf`` is its own.
    ``machinery_types`` maps the name in the schema of a specification's scalar to the specification's own name.
    """
    definitions = {definition.name: definition for definition in _GRAPHQL_DIRECTIVES}
    specs: dict[str, str] = {}
    if ONE_OF in defined:
        del definitions[ONE_OF]
    else:
        specs[ONE_OF] = ONE_OF
    types = {"link__Purpose": "Purpose", "link__Import": "Import"}
    if links.federation is None:
        types[_FEDERATION_1_FIELD_SET] = "FieldSet"
        later = [name for name in DIRECTIVES if name in defined and name not in FEDERATION_1_DIRECTIVES]
        for name in (*FEDERATION_1_DIRECTIVES, *later):
            specs[name] = name
            definitions[name] = _definition(DIRECTIVES[name], name, {"FieldSet": _FEDERATION_1_FIELD_SET})
    for link in links.links:
        types |= _add_link(link, definitions, specs)
    definitions[links.link_directive] = _link_definition(links.link_directive)
    return KnownDirectives(definitions, specs, types)


def way_to_know(directive: str, known: Iterable[str]) -> str:
    """How to have a directive that is not ``known`` under its name, as the end of a sentence; empty where none is near.

    It is not imported, or Federation is not linked in a version that has it, or its name is misspelled.
    """
    names = list(known)
    bare = directive.rpartition("__")[2]
    same = [name for name in names if name.rpartition("__")[2] == bare]
    if same and directive == bare:
        return f'; import "@{bare}" in the @link that brings it, or write "@{same[0]}"'
    if not same and bare in DIRECTIVES:
        url = f"{FEDERATION_IDENTITY}/{DIRECTIVES[bare].since}"
        return f'; it is in @link(url: "{url}", import: ["@{bare}"]), and in later versions'
    candidates = same or suggestion_list(directive, names)
    return f'; did you mean "@{candidates[0]}"?' if candidates else ""


def _add_link(link: Link, definitions: dict[str, DirectiveDefinition], specs: dict[str, str]) -> dict[str, str]:
    """Add what a link brings; gives its types by their names in the schema."""
    if link.url.identity == FEDERATION_IDENTITY:
        elements = directives_of_version(link.url.version)
        type_names = {name: link.type_name(name) for name in types_of_version(link.url.version)}
    elif link.url.identity == CONNECT_IDENTITY:
        elements = dict(CONNECT_DIRECTIVES)
        type_names = {name: link.type_name(name) for name in CONNECT_TYPES}
    else:
        feature = linked_core_feature(link.url)
        if link.url.identity == LINK_IDENTITY:
            return {link.type_name("Purpose"): "Purpose", link.type_name("Import"): "Import"}
        if feature is None:
            return {}
        elements = {name: DIRECTIVES[name] for name in feature.directives}
        type_names = {name: link.type_name(name) for name in feature.types}
    for element, spec in elements.items():
        name = link.directive_name(element)
        specs[name] = element
        definitions[name] = _definition(spec, name, type_names)
    return {in_schema: element for element, in_schema in type_names.items()}


def _definition(spec: DirectiveSpec, name: str, type_names: Mapping[str, str]) -> DirectiveDefinition:
    arguments = {a.name: InputValue(a.name, _argument_type(a, type_names), a.default) for a in spec.arguments}
    return DirectiveDefinition(name, spec.locations, arguments, spec.repeatable)


def _argument_type(argument: ArgumentSpec, type_names: Mapping[str, str]) -> TypeRef:
    text = re.sub(r"\w+", lambda match: type_names.get(match[0], match[0]), argument.type)
    return type_ref(text)


def _link_definition(name: str) -> DirectiveDefinition:
    arguments = {key: InputValue(key, type_ref(text)) for key, text in _LINK_ARGUMENTS.items()}
    return DirectiveDefinition(name, ("SCHEMA",), arguments, repeatable=True)


def check_own_definitions(schema: Schema, known: KnownDirectives, subgraph: str) -> Iterator[CompositionError]:
    """Errors for directives and types of a specification that the subgraph defines in another way itself.

    Codes ``DIRECTIVE_DEFINITION_INVALID`` and ``TYPE_DEFINITION_INVALID``.
    """
    for definition in schema.directives.values():
        expected = known.by_name.get(definition.name)
        if expected is None or definition.name in GRAPHQL_DIRECTIVE_NAMES:
            continue
        is_federation_1 = _FEDERATION_1_FIELD_SET in known.machinery_types
        for fault in _directive_faults(definition, expected, is_federation_1):
            message = f'The definition of "@{definition.name}" is not the specification\'s: {fault}'
            yield subgraph_error(ErrorCode.DIRECTIVE_DEFINITION_INVALID, message, subgraph, definition.node)
    for name, element in known.machinery_types.items():
        own = schema.types.get(name)
        type_fault = _type_fault(own, element) if own else None
        if own and type_fault:
            message = f'The definition of type "{name}" is not the specification\'s: {type_fault}'
            yield subgraph_error(ErrorCode.TYPE_DEFINITION_INVALID, message, subgraph, own.node)


def _directive_faults(
    found: DirectiveDefinition, expected: DirectiveDefinition, is_federation_1: bool
) -> Iterator[str]:
    for name, argument in expected.arguments.items():
        own = found.arguments.get(name)
        if own is None:
            if argument.is_required and not (is_federation_1 and expected.name in FEDERATION_1_DIRECTIVES):
                yield f'it lacks the required argument "{name}"'
        elif not _compatible(own.type, argument.type, is_federation_1):
            yield f'the argument "{name}" should be of type "{argument.type}", not "{own.type}"'
        elif not argument.is_required and argument.default != own.default and own.type == argument.type:
            default = argument.default
            wanted = "no default value" if isinstance(default, NoDefault) else f"the default {print_literal(default)}"
            yield f'the argument "{name}" should have {wanted}'
    for name in found.arguments:
        if name not in expected.arguments:
            yield f'it has the unknown argument "{name}"'
    if found.repeatable and not expected.repeatable:
        yield "it should not be repeatable"
    outside = [location for location in found.locations if location not in expected.locations]
    if outside:
        yield f"it should not apply to {', '.join(outside)}"


def _compatible(found: TypeRef, expected: TypeRef, is_federation_1: bool) -> bool:
    """Whether a subgraph's own type of an argument can stand for the specification's."""
    if found == expected:
        return True
    if isinstance(expected, NonNullRef):
        if isinstance(found, NonNullRef):
            return _compatible(found.of, expected.of, is_federation_1)
        if not is_federation_1 or isinstance(found, ListRef):
            return False
        return found == NamedRef("FieldSet") or _compatible(found, expected.of, is_federation_1)
    inner = nullable(found)
    if isinstance(expected, ListRef):
        return isinstance(inner, ListRef) and _compatible(inner.of, expected.of, is_federation_1)
    if expected.name in BUILT_IN_SCALARS:
        return inner == expected
    if isinstance(inner, ListRef):
        return isinstance(inner.of, NonNullRef) and _compatible(inner.of.of, expected, is_federation_1)
    return inner.name in BUILT_IN_SCALARS


def _type_fault(own: TypeDefinition, element: str) -> str | None:
    if element == "Purpose" and own.kind is TypeKind.ENUM:
        return None if set(own.values) == _LINK_PURPOSES else "its values should be EXECUTION and SECURITY"
    return None if own.kind is TypeKind.SCALAR else "it should be a scalar"
