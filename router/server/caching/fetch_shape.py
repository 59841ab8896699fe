"""The document of a fetch, as the cache reads it, once for each document.

``query($r: [_Any!]!) { _entities(representations: $r) { ... on Product { name } } }`` asks for entities, each of which
is kept by itself. All other queries are kept as a whole.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    FieldNode,
    GraphQLError,
    InlineFragmentNode,
    Node,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    VariableNode,
    Visitor,
    parse,
    visit,
)

from router.server.caching.digest import digest
from router.server.caching.selected import GraphFacts, Hint, Selected, SelectionReader

ENTITIES = "_entities"
_MAX_SHAPES = 5000


@dataclass(frozen=True, slots=True)
class EntityField:
    """One ``_entities`` field: ``alias`` in the answer, ``variable`` of its representations.

    ``identity`` stands for what an entity's answer depends on beside representation and ``variables``: subgraph,
    selection and definitions.
    """

    alias: str
    variable: str
    variables: tuple[str, ...]
    identity: bytes
    selected: Selected


@dataclass(slots=True)
class FetchShape:
    """``entities`` is empty where the query is kept as a whole: it selects ``root`` then, in ``root_fields``.

    ``identity`` stands for subgraph and document.
    ``is_shared``: whether the last answer was one for all, so that different people may wait for the same one.
    """

    identity: bytes
    root_fields: tuple[str, ...]
    entities: tuple[EntityField, ...]
    root: Selected
    root_hint: Hint
    reader: SelectionReader
    is_shared: bool = False


class FetchShapes:
    """The shapes of documents, by subgraph; those used last are remembered."""

    def __init__(self, facts: GraphFacts) -> None:
        self.facts = facts
        self._known: OrderedDict[tuple[str, str], FetchShape | None] = OrderedDict()

    def of(self, subgraph: str, document: str) -> FetchShape | None:
        """The shape of ``document``; None where it is no query that can be read."""
        key = (subgraph, document)
        if key in self._known:
            self._known.move_to_end(key)
            return self._known[key]
        shape = self._known[key] = self._read(subgraph, document)
        if len(self._known) > _MAX_SHAPES:
            self._known.popitem(last=False)
        return shape

    def _read(self, subgraph: str, document: str) -> FetchShape | None:
        try:
            definitions = parse(document).definitions
        except GraphQLError:
            return None
        if len(definitions) != 1 or not isinstance(definitions[0], OperationDefinitionNode):
            return None
        operation = definitions[0]
        if operation.operation is not OperationType.QUERY:
            return None
        reader = SelectionReader(self.facts, subgraph)
        entities = _entity_fields(subgraph, document, operation, reader)
        fields = list(_root_fields(operation.selection_set.selections))
        root_type = self.facts.graph.roots.get("query", "Query")
        root, hint = reader.read_root(() if entities else fields, root_type)
        coordinates = tuple(dict.fromkeys(f"{root_type}.{one.name.value}" for one in fields))
        identity = digest(b"root", subgraph.encode(), document.encode())
        return FetchShape(identity, coordinates, entities, root, hint, reader)


def _root_fields(nodes: Sequence[SelectionNode]) -> list[FieldNode]:
    found: list[FieldNode] = []
    for node in nodes:
        if isinstance(node, FieldNode):
            found.append(node)
        elif isinstance(node, InlineFragmentNode):
            found += _root_fields(node.selection_set.selections)
    return found


def _entity_fields(
    subgraph: str, document: str, operation: OperationDefinitionNode, reader: SelectionReader
) -> tuple[EntityField, ...]:
    """The ``_entities`` fields; none where there is anything else beside them."""
    definitions = {one.variable.name.value: _text(document, one) for one in operation.variable_definitions or ()}
    selections = operation.selection_set.selections
    found = [_entity_field(subgraph, document, node, definitions, reader) for node in selections]
    sound = [one for one in found if one is not None]
    return tuple(sound) if len(sound) == len(found) else ()


def _entity_field(
    subgraph: str, document: str, node: SelectionNode, definitions: Mapping[str, str], reader: SelectionReader
) -> EntityField | None:
    if not isinstance(node, FieldNode) or node.name.value != ENTITIES or node.directives or not node.selection_set:
        return None
    arguments = node.arguments or ()
    if len(arguments) != 1 or not isinstance(arguments[0].value, VariableNode):
        return None
    variables = tuple(sorted(_variables_in(node.selection_set)))
    texts = [definitions.get(name, name) for name in variables]
    return EntityField(
        alias=node.alias.value if node.alias else node.name.value,
        variable=arguments[0].value.name.value,
        variables=variables,
        identity=digest(*(text.encode() for text in ("entity", subgraph, _text(document, node.selection_set), *texts))),
        selected=reader.read(node.selection_set, "_Entity"),
    )


def _variables_in(node: Node) -> set[str]:
    found: set[str] = set()

    class Finder(Visitor):
        """Notes every variable."""

        def enter_variable(self, variable: VariableNode, *_: Any) -> None:
            """Note its name."""
            found.add(variable.name.value)

    visit(node, Finder())
    return found


def _text(document: str, node: Node) -> str:
    assert node.loc is not None  # noqa: S101 - parsed with locations
    return document[node.loc.start : node.loc.end]
