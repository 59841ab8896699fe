"""The document of a fetch, as the cache reads it, once for each document.

``query($r: [_Any!]!) { _entities(representations: $r) { ... on Product { name } } }`` asks for entities, each of which
is kept by itself. All other queries are kept as a whole.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
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

from router.server.caching.cache_control import CachePolicy
from router.server.caching.digest import digest
from router.server.caching.entity_field import EntityField
from router.server.caching.kind import OTHER, Kind, labels_of
from router.server.caching.selected import GraphFacts, Selected, SelectionReader

ENTITIES = "_entities"
# So many answers of which nothing may be kept are taken for the rule.
BARREN_ANSWERS = 16
TRY_EVERY = 64
_FERTILE = -1
_MAX_SHAPES = 5000


@dataclass(slots=True)
class FetchShape:
    """``entities`` is empty where the query is kept as a ``whole``: it selects ``root`` then, in ``root_fields``.

    ``identity`` stands for subgraph and document.
    ``is_shared``: whether the last answer was one for all, so that different people may wait for the same one.
    """

    subgraph: str
    identity: bytes
    root_fields: tuple[str, ...]
    entities: tuple[EntityField, ...]
    root: Selected
    whole: Kind
    reader: SelectionReader
    is_shared: bool = False
    _barren: int = 0
    _kinds: dict[tuple[str, str], Kind] = field(default_factory=dict, init=False)

    def is_passed_by(self) -> bool:
        """Whether a request need not be looked up, because nothing that was answered could ever be kept.

        Each TRY_EVERY-th one is, so that a change is noticed.
        """
        if self._barren < BARREN_ANSWERS:
            return False
        self._barren += 1
        return self._barren % TRY_EVERY != 0

    def note_answer(self, policies: Collection[CachePolicy]) -> None:
        """Something was answered, of whose parts these hold."""
        self.is_shared = all(one.is_stored and one.is_public for one in policies)
        if self._barren != _FERTILE:
            # Not by its time: an answer that may be kept for none tells caches that the hints made it so.
            self._barren = _FERTILE if any(one.is_stored for one in policies) else self._barren + 1

    def note_found(self) -> None:
        """Something was found in the store."""
        self._barren = _FERTILE

    def kind_of(self, entity_field: EntityField, type_name: str) -> Kind:
        """The kind of entities of a type in one of the fields."""
        known = self._kinds.get((entity_field.alias, type_name))
        return known or self._new_kind(entity_field, type_name)

    def _new_kind(self, entity_field: EntityField, type_name: str) -> Kind:
        is_known = self.reader.knows(type_name)
        hint = self.reader.entity_hint(type_name, entity_field.selected)
        kind = Kind(entity_field, hint, labels_of(self.subgraph, type_name if is_known else OTHER))
        if is_known:
            self._kinds[entity_field.alias, type_name] = kind
        return kind


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
        whole = Kind(None, hint, labels_of(subgraph, root_type if reader.knows(root_type) else OTHER))
        return FetchShape(subgraph, identity, coordinates, entities, root, whole, reader)


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
