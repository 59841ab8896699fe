"""A supergraph's SDL -> subgraphs that compose to it: what the join directives say, read the other way round.

Fields are ``@shareable`` wherever that is allowed, as a supergraph no longer tells which were; directives that were
merged stand in every subgraph that has the element.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from graphql import (
    ConstDirectiveNode,
    DirectiveDefinitionNode,
    EnumTypeDefinitionNode,
    FieldDefinitionNode,
    InputObjectTypeDefinitionNode,
    InterfaceTypeDefinitionNode,
    Node,
    ObjectTypeDefinitionNode,
    ScalarTypeDefinitionNode,
    SchemaDefinitionNode,
    UnionTypeDefinitionNode,
    parse,
    print_ast,
)

from router import Subgraph
from router.federation.directives import CORE_FEATURES

FEDERATION = {"v0.3": "v2.6", "v0.4": "v2.7", "v0.5": "v2.12"}
APOLLO = "https://specs.apollo.dev/"
AUTH = {"authenticated", "requiresScopes", "policy"}
ROOTS = ("Query", "Mutation", "Subscription")
MACHINERY = ("join__", "link__")
KEYWORDS = {
    EnumTypeDefinitionNode: "enum",
    InputObjectTypeDefinitionNode: "input",
    InterfaceTypeDefinitionNode: "interface",
    ObjectTypeDefinitionNode: "type",
    ScalarTypeDefinitionNode: "scalar",
    UnionTypeDefinitionNode: "union",
}


def quoted(text: str) -> str:
    """A GraphQL string; JSON's escapes are GraphQL's."""
    return json.dumps(text, ensure_ascii=False)


def value_of(node: Any) -> Any:
    """A literal as Python; enum values as their names."""
    if hasattr(node, "values"):
        return [value_of(item) for item in node.values]
    if hasattr(node, "fields"):
        return {field.name.value: value_of(field.value) for field in node.fields}
    return getattr(node, "value", None)


def applied(node: Any, name: str) -> list[dict[str, Any]]:
    """The arguments of each application of a directive."""
    return [
        {argument.name.value: value_of(argument.value) for argument in directive.arguments or ()}
        for directive in node.directives or ()
        if directive.name.value == name
    ]


def invert_supergraph(sdl: str) -> list[Subgraph]:
    """The subgraphs in the order of ``join__Graph``."""
    document = parse(sdl, no_location=True)
    enums = (definition for definition in document.definitions if isinstance(definition, EnumTypeDefinitionNode))
    [graphs] = (enum for enum in enums if enum.name.value == "join__Graph")
    subgraphs = []
    for value in graphs.values or ():
        [graph] = applied(value, "join__graph")
        inverse = Inverse(document.definitions, value.name.value, graph["name"])
        subgraphs.append(Subgraph(graph["name"], graph["url"], "\n\n".join(inverse.definitions())))
    return subgraphs


class Inverse:
    """One subgraph of a supergraph."""

    def __init__(self, definitions: Iterable[Any], graph: str, name: str) -> None:
        self.supergraph = tuple(definitions)
        self.graph = graph
        self.name = name
        [self.schema] = (d for d in self.supergraph if isinstance(d, SchemaDefinitionNode))
        self.links = applied(self.schema, "link")
        self.specs = {alias: spec for spec, alias in self.feature_names()}

    def feature_names(self) -> Iterator[tuple[str, str]]:
        """The directives of linked features: the specification's name, and that in the supergraph."""
        for link in self.links:
            name = link["url"].removeprefix(APOLLO).split("/")[0]
            feature = next((feature for feature in CORE_FEATURES if feature.name == name), None)
            if feature is None or not link["url"].startswith(APOLLO) or name == "cacheTag":
                continue  # @cacheTag stands in @join__directive, under the name that subgraphs give it
            names = {spec: spec if spec == name else f"{name}__{spec}" for spec in feature.directives}
            for item in link.get("import", ()):
                spec, alias = (item, item) if isinstance(item, str) else (item["name"], item["as"])
                names[spec.removeprefix("@")] = alias.removeprefix("@")
            yield from names.items()

    def definitions(self) -> Iterator[str]:
        """The subgraph's SDL, definition by definition."""
        yield self.head()
        yield from self.members()

    def members(self) -> Iterator[str]:
        """Types and directives."""
        for definition in self.supergraph:
            name = definition.name.value if hasattr(definition, "name") else "join__"
            if name.startswith(MACHINERY) or self.is_of_a_feature(definition):
                continue
            if isinstance(definition, DirectiveDefinitionNode):
                yield print_ast(definition)
            elif any(values["graph"] == self.graph for values in applied(definition, "join__type")):
                yield from self.type_definition(definition)

    def is_of_a_feature(self, definition: Any) -> bool:
        name = definition.name.value
        if isinstance(definition, DirectiveDefinitionNode):
            return name in self.specs or name == "link"
        return not applied(definition, "join__type")

    def head(self) -> str:
        """The links and ``@composeDirective``s."""
        join = next(link["url"] for link in self.links if link["url"].startswith(f"{APOLLO}join/"))
        imports = [
            f'{{name: "@{spec}", as: "@{alias}"}}'
            for alias, spec in self.specs.items()
            if not alias.startswith("federation__") and "__" not in alias
        ]
        version = FEDERATION[join.rpartition("/")[2]]
        lines = [f'@link(url: "{APOLLO}federation/{version}", import: [{", ".join(imports)}])']
        lines += [d for d in self.merged(self.schema) if not d.startswith("@link")]
        lines += self.composed_directives()
        roots = [
            f"{operation.operation.value}: {operation.type.name.value}"
            for operation in self.schema.operation_types
            if any(text.split(" {")[0].endswith(f"type {operation.type.name.value}") for text in self.members())
        ]
        if not self.schema.description or not roots:
            return f"extend schema {' '.join(lines)}"
        return f"{print_ast(self.schema.description)}\nschema {' '.join(lines)} {{ {' '.join(roots)} }}"

    def composed_directives(self) -> Iterator[str]:
        """The links that are not of the federation's own features, and all directives of theirs."""
        machinery = {"link", "join", *(feature.name for feature in CORE_FEATURES)}
        defined = [d.name.value for d in self.supergraph if isinstance(d, DirectiveDefinitionNode)]
        nodes = [node for node in self.schema.directives or () if node.name.value == "link"]
        for node, link in zip(nodes, self.links, strict=True):
            name = link["url"].split("/")[-2]
            if name in machinery and link["url"].startswith(APOLLO):
                continue
            yield print_ast(node)
            imports = [item if isinstance(item, str) else item["as"] for item in link.get("import", ())]
            prefixed = [f"@{d}" for d in defined if d.split("__")[0] == link.get("as", name) and f"@{d}" not in imports]
            for directive in (*imports, *prefixed):
                yield f'@federation__composeDirective(name: "{directive}")'

    def type_definition(self, node: Any) -> Iterator[str]:
        mine = [values for values in applied(node, "join__type") if values["graph"] == self.graph]
        is_interface_object = any(values.get("isInterfaceObject") for values in mine)
        directives = ["@federation__interfaceObject"] if is_interface_object else []
        without_auth = isinstance(node, InterfaceTypeDefinitionNode)
        directives += self.merged(node, without_auth=without_auth)
        keyword = "type" if is_interface_object else KEYWORDS[type(node)]
        extending = [values for values in mine if values.get("extension")]
        has_base_elsewhere = any(not values.get("extension") for values in applied(node, "join__type"))
        extends = len(extending) == len(mine) and has_base_elsewhere
        extend = "extend " if extends else ""
        name = node.name.value
        head = f"{self.description(node, extend)}{extend}{keyword} {name}{self.implements(node)}"
        body = self.body(node, is_interface_object=is_interface_object)
        is_overridden = any(applied(f, "join__field") for f in getattr(node, "fields", None) or ())
        if not body and (name in ROOTS or is_overridden):
            return
        keys = [self.key(values) for values in mine if "key" in values and (extends or values not in extending)]
        yield " ".join([head, *keys, *directives, body])
        if extending and not extends:
            yield f"extend {keyword} {name} {' '.join(map(self.key, extending))}"

    def key(self, values: dict[str, Any]) -> str:
        resolvable = f", resolvable: {str(values['resolvable']).lower()}" if "resolvable" in values else ""
        return f"@federation__key(fields: {quoted(values['key'])}{resolvable})"

    def description(self, node: Any, extend: str = "") -> str:
        return f"{print_ast(node.description)}\n" if node.description and not extend else ""

    def implements(self, node: Any) -> str:
        names = [v["interface"] for v in applied(node, "join__implements") if v["graph"] == self.graph]
        return f" implements {' & '.join(names)}" if names else ""

    def body(self, node: Any, *, is_interface_object: bool) -> str:
        if isinstance(node, UnionTypeDefinitionNode):
            members = [v["member"] for v in applied(node, "join__unionMember") if v["graph"] == self.graph]
            return f"= {' | '.join(members)}"
        if isinstance(node, EnumTypeDefinitionNode):
            mine = {"graph": self.graph}
            values = [v for v in node.values or () if mine in applied(v, "join__enumValue")]
            return self.block(" ".join([self.description(v) + v.name.value, *self.merged(v)]) for v in values)
        can_share = is_interface_object or isinstance(node, ObjectTypeDefinitionNode)
        can_share &= node.name.value != "Subscription"
        without_auth = isinstance(node, InterfaceTypeDefinitionNode) and not is_interface_object
        nodes = getattr(node, "fields", None) or ()
        fields = (self.field(field, can_share=can_share, without_auth=without_auth) for field in nodes)
        return self.block(filter(None, fields))

    def block(self, lines: Iterable[str]) -> str:
        text = "\n".join(lines)
        return f"{{\n{text}\n}}" if text else ""

    def field(self, node: Any, *, can_share: bool, without_auth: bool) -> str | None:
        joins = applied(node, "join__field")
        mine = next((values for values in joins if values.get("graph") == self.graph), None)
        if joins and mine is None:
            return None
        join = mine or {}
        words = [f"{self.description(node)}{node.name.value}{self.arguments(node, join)}:"]
        words.append(join.get("type") or print_ast(node.type))
        if getattr(node, "default_value", None) is not None:
            words.append(f"= {print_ast(node.default_value)}")
        words += self.federation(join)
        if join.get("external"):
            return " ".join([*words, "@federation__external"])
        words += self.merged(node, without_auth=without_auth)
        return " ".join([*words, "@federation__shareable"] if can_share else words)

    def federation(self, join: dict[str, Any]) -> Iterator[str]:
        for name in ("requires", "provides"):
            if name in join:
                yield f"@federation__{name}(fields: {quoted(join[name])})"
        if "override" in join:
            label = f', label: "{join["overrideLabel"]}"' if "overrideLabel" in join else ""
            yield f'@federation__override(from: "{join["override"]}"{label})'

    def arguments(self, node: Any, join: dict[str, Any]) -> str:
        if not isinstance(node, FieldDefinitionNode):
            return ""
        texts = [
            " ".join(
                [f"{self.description(a)}{a.name.value}: {print_ast(a.type)}"]
                + ([f"= {print_ast(a.default_value)}"] if a.default_value else [])
                + ([] if join.get("external") else self.merged(a))
            )
            for a in node.arguments or ()
        ]
        for values in join.get("contextArguments") or ():
            context = values["context"].rpartition("__")[2]
            selection = quoted(f"${context}{values['selection']}")
            texts.append(f"{values['name']}: {values['type']} @federation__fromContext(field: {selection})")
        return f"({', '.join(texts)})" if texts else ""

    def merged(self, node: Node, *, without_auth: bool = False) -> list[str]:
        """The directives that are not the join specification's."""
        found = []
        for directive in getattr(node, "directives", None) or ():
            name = directive.name.value
            if name == "join__directive":
                found += self.join_directive(directive)
            elif self.specs.get(name) == "context":
                found += self.context(directive)
            elif not name.startswith("join__") and not (without_auth and self.specs.get(name) in AUTH):
                found.append(print_ast(directive))
        return found

    def context(self, directive: ConstDirectiveNode) -> list[str]:
        [argument] = directive.arguments or ()
        name = value_of(argument.value)
        prefix = f"{self.name}__"
        return [f'@{directive.name.value}(name: "{name.removeprefix(prefix)}")'] if name.startswith(prefix) else []

    def join_directive(self, directive: ConstDirectiveNode) -> list[str]:
        values = {argument.name.value: argument.value for argument in directive.arguments or ()}
        if self.graph not in value_of(values["graphs"]):
            return []
        fields = getattr(values.get("args"), "fields", ())
        arguments = ", ".join(f"{field.name.value}: {print_ast(field.value)}" for field in fields)
        return [f"@{value_of(values['name'])}({arguments})" if arguments else f"@{value_of(values['name'])}"]
