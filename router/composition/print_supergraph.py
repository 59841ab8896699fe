"""The last stage: the merged supergraph as SDL, in the conventions that other tools print.

Directive definitions and types are sorted by name, members stay in the order in which subgraphs first mention them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from graphql.language.block_string import print_block_string

from router.composition.merge.core_features import SupergraphLink
from router.composition.merge.merge import Merged
from router.composition.schema import (
    Application,
    DirectiveDefinition,
    EnumValue,
    Field,
    InputValue,
    TypeDefinition,
    TypeKind,
)
from router.federation.directives import NoDefault
from router.federation.feature_url import APOLLO_SPECS
from router.federation.join_spec import join_directive_definitions, join_type_definitions
from router.federation.literals import print_arguments, print_literal

_KEYWORDS = {
    TypeKind.SCALAR: "scalar",
    TypeKind.OBJECT: "type",
    TypeKind.INTERFACE: "interface",
    TypeKind.UNION: "union",
    TypeKind.ENUM: "enum",
    TypeKind.INPUT_OBJECT: "input",
}


def print_supergraph(merged: Merged) -> str:
    """The supergraph SDL, ending in a newline."""
    schema = merged.schema
    directives = {
        **join_directive_definitions(merged.join_version),
        **merged.directive_definitions,
        **{name: _directive_definition(definition) for name, definition in schema.directives.items()},
    }
    types = {
        **join_type_definitions(merged.join_version),
        **merged.type_definitions,
        "join__Graph": _graphs(merged),
        **{name: _type(type_) for name, type_ in schema.types.items()},
    }
    parts = [
        _schema(merged),
        *(directives[name] for name in sorted(directives, key=str.lower)),
        *(types[n] for n in sorted(types, key=str.lower)),
    ]
    return "\n\n".join(parts) + "\n"


def _schema(merged: Merged) -> str:
    links = (
        SupergraphLink(f"{APOLLO_SPECS}/link/v1.0"),
        SupergraphLink(f"{APOLLO_SPECS}/join/{merged.join_version}", "EXECUTION"),
        *merged.links,
    )
    lines = [*map(_link, links), *map(_application, merged.schema.applications)]
    roots = [f"  {operation}: {name}" for operation, name in merged.schema.roots.items()]
    head = _description(merged.schema.description, "") + "schema\n" + "".join(f"  {line}\n" for line in lines)
    return head + "{\n" + "\n".join(roots) + "\n}"


def _link(link: SupergraphLink) -> str:
    purpose = f", for: {link.purpose}" if link.purpose else ""
    imports = ", ".join(
        f'"{name}"' if name == alias else f'{{name: "{name}", as: "{alias}"}}' for name, alias in link.imports
    )
    return f'@link(url: "{link.url}"{purpose}{f", import: [{imports}]" if imports else ""})'


def _graphs(merged: Merged) -> str:
    values = (
        f"  {graph} @join__graph(name: {print_literal(subgraph.name)}, url: {print_literal(subgraph.url)})"
        for graph, subgraph in zip(merged.graphs, merged.subgraphs, strict=True)
    )
    return _block("enum join__Graph", values)


def _block(head: str, lines: Iterable[str]) -> str:
    body = "\n".join(lines)
    return f"{head} {{\n{body}\n}}" if not head.endswith("\n") else f"{head}{{\n{body}\n}}"


def _description(text: str | None, indent: str) -> str:
    if text is None:
        return ""
    lines = print_block_string(text).split("\n")
    return "".join(f"{indent}{line}\n" if line else "\n" for line in lines)


def _application(application: Application) -> str:
    if not application.arguments:
        return f"@{application.name}"
    return f"@{application.name}({print_arguments(application.arguments)})"


def _applied(applications: Sequence[Application]) -> str:
    return "".join(f" {_application(application)}" for application in applications)


def _type(type_: TypeDefinition) -> str:
    interfaces = f" implements {' & '.join(type_.interfaces)}" if type_.interfaces else ""
    head = f"{_description(type_.description, '')}{_KEYWORDS[type_.kind]} {type_.name}{interfaces}"
    if type_.directives:
        head += "\n" + "".join(f"  {_application(application)}\n" for application in type_.directives)
    match type_.kind:
        case TypeKind.SCALAR:
            return head.rstrip("\n")
        case TypeKind.UNION:
            return f"{head.rstrip(chr(10))}\n = {' | '.join(type_.members)}"
        case TypeKind.ENUM:
            return _block(head, _separated(map(_enum_value, type_.values.values())))
        case TypeKind.INPUT_OBJECT:
            return _block(head, _separated(_input_field(value) for value in type_.inputs.values()))
    return _block(head, _separated(map(_field, type_.fields.values())))


def _separated(members: Iterable[str]) -> Iterator[str]:
    """Members, with an empty line before each that has a description."""
    for position, member in enumerate(members):
        yield f"\n{member}" if position and member.lstrip().startswith('"') else member


def _field(field: Field) -> str:
    arguments = f"({', '.join(map(_argument, field.arguments.values()))})" if field.arguments else ""
    if any(argument.description for argument in field.arguments.values()):
        arguments = "(\n" + "\n".join(_described_argument(a) for a in field.arguments.values()) + "\n  )"
    return f"{_description(field.description, '  ')}  {field.name}{arguments}: {field.type}{_applied(field.directives)}"


def _argument(value: InputValue) -> str:
    default = "" if isinstance(value.default, NoDefault) else f" = {print_literal(value.default)}"
    return f"{value.name}: {value.type}{default}{_applied(value.directives)}"


def _described_argument(value: InputValue) -> str:
    return f"{_description(value.description, '    ')}    {_argument(value)}"


def _input_field(value: InputValue) -> str:
    return f"{_description(value.description, '  ')}  {_argument(value)}"


def _enum_value(value: EnumValue) -> str:
    return f"{_description(value.description, '  ')}  {value.name}{_applied(value.directives)}"


def _directive_definition(definition: DirectiveDefinition) -> str:
    arguments = f"({', '.join(map(_argument, definition.arguments.values()))})" if definition.arguments else ""
    if any(argument.description for argument in definition.arguments.values()):
        arguments = "(\n" + "\n".join(_described_argument(a)[2:] for a in definition.arguments.values()) + "\n)"
    repeatable = " repeatable" if definition.repeatable else ""
    description = _description(definition.description, "")
    return f"{description}directive @{definition.name}{arguments}{repeatable} on {' | '.join(definition.locations)}"
