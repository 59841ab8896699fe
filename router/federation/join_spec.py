"""The join specification: the machinery that a supergraph's SDL defines, and the names of its graphs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from router.federation.directives import DIRECTIVES, NEWEST_VERSION, CoreFeature, DirectiveSpec, NoDefault
from router.federation.feature_url import Version
from router.federation.literals import print_literal

_LABELS_SINCE = Version(2, 7)
_CONTEXTS_SINCE = Version(2, 8)

_LINK_DIRECTIVE = (
    "directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA"
)
_LINK_PURPOSE = '''enum link__Purpose {
  """
  `SECURITY` features provide metadata necessary to securely resolve fields.
  """
  SECURITY

  """
  `EXECUTION` features provide metadata necessary for operation execution.
  """
  EXECUTION
}'''
_CONTEXT_ARGUMENT = """input join__ContextArgument {
  name: String!
  type: String!
  context: String!
  selection: join__FieldValue!
}"""


def join_version(federation: Version) -> Version:
    """The join version that carries everything which ``federation`` (the highest linked version) can express."""
    if federation < _LABELS_SINCE:
        return Version(0, 3)
    return Version(0, 4) if federation < _CONTEXTS_SINCE else Version(0, 5)


def join_directive_definitions(version: Version) -> dict[str, str]:
    """The SDL of ``@link`` and the join directives, by directive name."""
    field = "graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet, type: String, external: Boolean, override: String, usedOverridden: Boolean"  # noqa: E501 -- one line of SDL
    if version >= Version(0, 4):
        field += ", overrideLabel: String"
    if version >= Version(0, 5):
        field += ", contextArguments: [join__ContextArgument!]"
    definitions = {
        "link": _LINK_DIRECTIVE,
        "join__enumValue": "directive @join__enumValue(graph: join__Graph!) repeatable on ENUM_VALUE",
        "join__field": f"directive @join__field({field}) repeatable on FIELD_DEFINITION | INPUT_FIELD_DEFINITION",
        "join__graph": "directive @join__graph(name: String!, url: String!) on ENUM_VALUE",
        "join__implements": (
            "directive @join__implements(graph: join__Graph!, interface: String!) repeatable on OBJECT | INTERFACE"
        ),
        "join__type": (
            "directive @join__type(graph: join__Graph!, key: join__FieldSet, extension: Boolean! = false, "
            "resolvable: Boolean! = true, isInterfaceObject: Boolean! = false) "
            "repeatable on OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR"
        ),
        "join__unionMember": ("directive @join__unionMember(graph: join__Graph!, member: String!) repeatable on UNION"),
    }
    if version >= Version(0, 4):
        definitions["join__directive"] = (
            "directive @join__directive(graphs: [join__Graph!], name: String!, args: join__DirectiveArguments) "
            "repeatable on SCHEMA | OBJECT | INTERFACE | FIELD_DEFINITION"
        )
    return definitions


def join_type_definitions(version: Version) -> dict[str, str]:
    """The SDL of the types behind ``@link`` and the join directives but ``join__Graph``, by type name."""
    definitions = {
        "join__FieldSet": "scalar join__FieldSet",
        "link__Import": "scalar link__Import",
        "link__Purpose": _LINK_PURPOSE,
    }
    if version >= Version(0, 4):
        definitions["join__DirectiveArguments"] = "scalar join__DirectiveArguments"
    if version >= Version(0, 5):
        definitions["join__FieldValue"] = "scalar join__FieldValue"
        definitions["join__ContextArgument"] = _CONTEXT_ARGUMENT
    return definitions


def feature_definitions(feature: CoreFeature, names: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """The SDL of a core feature's directives and types; ``names`` maps each directive to its name in the supergraph."""
    directives = {
        names[element]: _print_directive(DIRECTIVES[element].at(NEWEST_VERSION), names[element], feature)
        for element in feature.directives
    }
    types = {f"{feature.name}__{element}": f"scalar {feature.name}__{element}" for element in feature.types}
    return directives, types


def _print_directive(spec: DirectiveSpec, name: str, feature: CoreFeature) -> str:
    arguments = []
    for argument in spec.arguments:
        type_text = argument.type
        for element in feature.types:
            type_text = re.sub(rf"\b{element}\b", f"{feature.name}__{element}", type_text)
        default = "" if isinstance(argument.default, NoDefault) else f" = {print_literal(argument.default)}"
        arguments.append(f"{argument.name}: {type_text}{default}")
    parameters = f"({', '.join(arguments)})" if arguments else ""
    repeatable = " repeatable" if spec.repeatable else ""
    return f"directive @{name}{parameters}{repeatable} on {' | '.join(spec.locations)}"


def graph_enum_names(subgraph_names: Iterable[str]) -> dict[str, str]:
    """The value of ``join__Graph`` for each subgraph: ``product-list`` becomes ``PRODUCT_LIST``.

    Names that would be equal are told apart by ``_1``, ``_2`` and so on.
    """
    plain: dict[str, list[str]] = {}
    for name in subgraph_names:
        plain.setdefault(_graph_enum_name(name), []).append(name)
    result: dict[str, str] = {}
    for value, names in plain.items():
        if len(names) == 1:
            result[names[0]] = value
        else:
            result.update({name: f"{value}_{number}" for number, name in enumerate(names, 1)})
    return result


def _graph_enum_name(name: str) -> str:
    value = re.sub(r"\W", "_", name, flags=re.ASCII)
    if value[:1].isdigit():
        value = f"_{value}"
    if re.search(r"_\d+$", value):
        value += "_"
    return value.upper()
