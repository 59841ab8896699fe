"""The join spec's directives on a supergraph's definitions, read into plain records (versions 0.1 to 0.5).

``id: ID! @join__field(graph: A, external: true)`` -> ``JoinField(graph="A", external=True, ...)``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import ConstDirectiveNode, DocumentNode, SchemaDefinitionNode, SchemaExtensionNode, TypeNode, parse_type
from graphql.utilities import value_from_ast_untyped

from router.errors import InputError
from router.supergraph.field_set import FieldSet, parse_field_set
from router.supergraph.query_graph import ContextualArgument

SPEC_HOST = "https://specs.apollo.dev/"


@dataclass(frozen=True, slots=True)
class JoinNames:
    """How this supergraph calls the join spec (``join`` unless renamed), its version, and its other linked features.

    ``inaccessible`` and ``context`` are the names of these directives; ``authenticated``, ``requires_scopes``,
    ``policy``, ``cost`` and ``list_size`` too, or None where the supergraph does not link them.
    """

    join: str
    version: tuple[int, int]
    machinery: frozenset[str]
    inaccessible: str
    context: str
    authenticated: str | None = None
    requires_scopes: str | None = None
    policy: str | None = None
    cost: str | None = None
    list_size: str | None = None


@dataclass(frozen=True, slots=True)
class JoinType:
    """``@join__type``: a subgraph has the type, with this key if any."""

    graph: str
    key: FieldSet | None
    resolvable: bool
    interface_object: bool


@dataclass(frozen=True, slots=True)
class JoinField:
    """``@join__field``: a subgraph has the field (``graph`` None: only through an interface object)."""

    graph: str | None
    requires: FieldSet
    provides: FieldSet
    type: TypeNode | None
    external: bool
    override: str | None
    override_label: str | None
    used_overridden: bool
    contextual: tuple[ContextualArgument, ...]


def directive_values(directives: Iterable[ConstDirectiveNode] | None, name: str) -> Iterator[dict[str, Any]]:
    """The arguments of every application of ``name``, as plain values."""
    for directive in directives or ():
        if directive.name.value == name:
            yield {a.name.value: value_from_ast_untyped(a.value) for a in directive.arguments or ()}


def read_join_types(directives: Iterable[ConstDirectiveNode] | None, names: JoinNames) -> tuple[JoinType, ...]:
    """Every ``@join__type`` of a definition."""
    return tuple(
        JoinType(
            graph=values["graph"],
            key=parse_field_set(values["key"]) if values.get("key") else None,
            resolvable=values.get("resolvable", True),
            interface_object=values.get("isInterfaceObject", False),
        )
        for values in directive_values(directives, f"{names.join}__type")
    )


def read_join_fields(directives: Iterable[ConstDirectiveNode] | None, names: JoinNames) -> tuple[JoinField, ...]:
    """Every ``@join__field`` of a field."""
    return tuple(
        JoinField(
            graph=values.get("graph"),
            requires=parse_field_set(values["requires"]) if values.get("requires") else (),
            provides=parse_field_set(values["provides"]) if values.get("provides") else (),
            type=parse_type(values["type"], no_location=True) if values.get("type") else None,
            external=values.get("external") or False,
            override=values.get("override"),
            override_label=values.get("overrideLabel"),
            used_overridden=values.get("usedOverridden") or False,
            contextual=tuple(_read_contextual_argument(one) for one in values.get("contextArguments") or ()),
        )
        for values in directive_values(directives, f"{names.join}__field")
    )


def _read_contextual_argument(values: Mapping[str, Any]) -> ContextualArgument:
    return ContextualArgument(values["name"], values["type"], values["context"], parse_field_set(values["selection"]))


def read_names(document: DocumentNode) -> JoinNames:
    """The linked features of a supergraph; InputError(INVALID_SUPERGRAPH) if the join spec is not among them."""
    join, version = "", (0, 0)
    directives: dict[str, str] = {}
    machinery = {"link", "core"}
    for values in _links(document):
        url = str(values.get("url") or values.get("feature") or "")
        if not url.startswith(SPEC_HOST):
            continue
        feature, _, number = url.removeprefix(SPEC_HOST).partition("/")
        name = values.get("as") or feature
        machinery |= {name, *_imported(values)}
        if feature == "join":
            join, version = name, _version(number)
        else:
            # The directive that bears the feature's own name is known by it where it is not imported by another.
            directives[feature] = _imports(values).get(f"@{feature}", f"@{name}").removeprefix("@")
        if feature == "cost":
            directives["listSize"] = _imports(values).get("@listSize", f"@{name}__listSize").removeprefix("@")
    if not join:
        raise InputError(
            "INVALID_SUPERGRAPH",
            "This is not a supergraph: its schema does not link https://specs.apollo.dev/join. "
            "Compose the subgraphs first, for example with `galleria compose`.",
        )
    return JoinNames(
        join,
        version,
        frozenset(machinery),
        inaccessible=directives.get("inaccessible", "inaccessible"),
        context=directives.get("context", "context"),
        authenticated=directives.get("authenticated"),
        requires_scopes=directives.get("requiresScopes"),
        policy=directives.get("policy"),
        cost=directives.get("cost"),
        list_size=directives.get("listSize"),
    )


def is_machinery(name: str, names: JoinNames) -> bool:
    """Whether a type or directive called ``name`` belongs to a linked feature rather than to the API."""
    return name in names.machinery or name.partition("__")[0] in names.machinery


def _links(document: DocumentNode) -> Iterator[dict[str, Any]]:
    for definition in document.definitions:
        if isinstance(definition, SchemaDefinitionNode | SchemaExtensionNode):
            yield from directive_values(definition.directives, "link")
            yield from directive_values(definition.directives, "core")


def _imports(values: Mapping[str, Any]) -> dict[str, str]:
    imports: dict[str, str] = {}
    for item in values.get("import") or ():
        if isinstance(item, str):
            imports[item] = item
        else:
            imports[item["name"]] = item.get("as") or item["name"]
    return imports


def _imported(values: Mapping[str, Any]) -> set[str]:
    return {local.removeprefix("@") for local in _imports(values).values()}


def _version(text: str) -> tuple[int, int]:
    major, _, minor = text.removeprefix("v").partition(".")
    return (int(major), int(minor)) if major.isdigit() and minor.isdigit() else (0, 0)
