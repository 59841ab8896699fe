"""Lookups whose fields take arguments from the objects around each entity (``@fromContext``).

The entities of a lookup are grouped by the values that they take. One group is sent as the plan says; where there are
more, the lookup's ``_entities`` field is asked once for each of them, in the same request::

    { _entities(representations: $representations) { ... on T { f(a: $context_0) } }
      _entities__1: _entities(representations: $representations__1) { ... on T { f(a: $context_0__1) } } }

What comes back is put together again before it is merged, so that nothing else has to know.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphql import FieldNode, Node, OperationDefinitionNode, SelectionNode, VariableNode, Visitor, parse, visit
from msgspec import structs

from router.execution.answer import SubgraphAnswer
from router.execution.json_numbers import encode
from router.execution.merge import JsonObject
from router.execution.representations import Batch, Builders, Chain, InContext, gather, lacks_selection
from router.planning.query_plan import ContextVariable, EntityLookup, Fetch, InputSelection

if TYPE_CHECKING:
    from router.execution.executable import ExecutableLookup

_VARIABLE = re.compile(r"\$(\w+)")

Values = tuple[bytes, ...]
Pieces = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CompiledContext:
    """A :class:`~router.planning.query_plan.ContextVariable` with the function that reads its value."""

    variable: bytes
    depth: int
    nullable: bool
    read: Callable[[JsonObject], Any]
    selections: tuple[InputSelection, ...]


def compile_contexts(contexts: Sequence[ContextVariable]) -> tuple[CompiledContext, ...]:
    """The contexts of a lookup, compiled."""
    return tuple(
        CompiledContext(
            context.variable.encode(),
            context.depth,
            not context.type.endswith("!"),
            _compile_leaf(context.selections),
            context.selections,
        )
        for context in contexts
    )


def _compile_leaf(selections: tuple[InputSelection, ...]) -> Callable[[Any], Any]:
    """A function from an object, or lists of objects, to the one leaf that ``selections`` lead to; None without it."""
    leaves = tuple(
        (
            frozenset(selection.types) if selection.types is not None else None,
            field.response_key,
            None if field.inputs is None else _compile_leaf(field.inputs),
        )
        for selection in selections
        for field in selection.fields
    )

    def read(value: Any) -> Any:
        if type(value) is list:
            return [read(member) for member in value]
        if type(value) is not dict:
            return None
        name = value.get("__typename")
        for types, key, below in leaves:
            if types is None or (type(name) is str and name in types):
                return value.get(key) if below is None else below(value.get(key))
        return None

    return read


def gather_in_contexts(chains: Sequence[Chain], contexts: Sequence[CompiledContext], builders: Builders) -> Batch:
    """The batch of the entities at the ends of ``chains``: together those that take the same values from around them.

    An entity that would take a null where none is allowed is not sent.
    """
    groups: dict[Values, list[JsonObject]] = {}
    for chain in chains:
        values = _values(chain, contexts)
        if values is not None:
            groups.setdefault(values, []).append(chain[-1])
    whole = Batch()
    for values, entities in groups.items():
        batch = gather(entities, builders)
        whole.lacks_inputs = whole.lacks_inputs or batch.lacks_inputs
        if batch.representations:
            whole.sent += batch.sent
            whole.representations += batch.representations
            whole.objects += batch.objects
            whole.contexts.append(InContext(values, len(batch.representations)))
    return whole


def lacks_contexts(chains: Sequence[Chain], contexts: Sequence[CompiledContext]) -> bool:
    """Whether a key that a context is read from is absent from an object around an entity."""
    return any(
        lacks_selection(chain[context.depth], selection)
        for chain in chains
        for context in contexts
        for selection in context.selections
    )


def _values(chain: Chain, contexts: Sequence[CompiledContext]) -> Values | None:
    values: list[bytes] = []
    for context in contexts:
        value = context.read(chain[context.depth])
        if value is None and not context.nullable:
            return None
        values.append(encode(value))
    return tuple(values)


@dataclass(frozen=True, slots=True)
class ContextualBody:
    """The JSON body of a fetch with contextual lookups; as ``RequestBody``, but that its document is put together anew.

    ``head`` is ``query Name``; ``fields`` are there in any case, and so are those of the client's ``definitions`` (by
    name) that are used. Of each lookup ``lookup_pieces`` hold its definitions and its field, each split where the
    suffix of a group goes.
    """

    head: str
    definitions: tuple[tuple[str, str], ...]
    fields: tuple[str, ...]
    lookup_pieces: tuple[tuple[Pieces, Pieces], ...]
    operation_name: str | None
    variables: tuple[str, ...]

    def render(
        self, variables: Mapping[str, object], lookups: Sequence[ExecutableLookup], batches: Sequence[Batch]
    ) -> bytes:
        """The body for these variables, representations and contexts; what there are no entities for is left out."""
        parts: list[bytes] = []
        definitions: list[str] = []
        fields = list(self.fields)
        for pieces, lookup, batch in zip(self.lookup_pieces, lookups, batches, strict=True):
            first = 0
            for group, context in enumerate(_groups(lookup, batch)):
                suffix = _suffix(group)
                definitions.append(suffix.join(pieces[0]))
                fields.append(suffix.join(pieces[1]))
                parts += _variables(lookup, context, batch.representations[first : first + context.size], suffix)
                first += context.size
        used = set(_VARIABLE.findall(" ".join(fields)))
        definitions = [*(text for name, text in self.definitions if name in used), *definitions]
        own = [name for name in self.variables if name in used and name in variables]
        parts = [*(b'"%b":%b' % (name.encode(), encode(variables[name])) for name in own), *parts]
        body = {"query": f"{self.head}({', '.join(definitions)}) {{ {' '.join(fields)} }}"}
        if self.operation_name is not None:
            body["operationName"] = self.operation_name
        return encode(body)[:-1] + b',"variables":{' + b",".join(parts) + b"}}"


def _groups(lookup: ExecutableLookup, batch: Batch) -> Sequence[InContext]:
    return batch.contexts if lookup.contexts else (InContext((), len(batch.representations)),)


def _variables(lookup: ExecutableLookup, context: InContext, sent: Sequence[object], suffix: str) -> list[bytes]:
    """The members of the JSON of variables for one group."""
    members = [b'"%b":%b' % (lookup.variable + suffix.encode(), encode(sent))]
    members += (
        b'"%b":%b' % (one.variable + suffix.encode(), value)
        for one, value in zip(lookup.contexts, context.values, strict=True)
    )
    return members


def _suffix(group: int) -> str:
    return f"__{group}" if group else ""


def compile_contextual_body(fetch: Fetch) -> ContextualBody:
    """The body of a fetch of which at least one lookup has contexts."""
    operation = parse(fetch.document).definitions[0]
    assert isinstance(operation, OperationDefinitionNode)  # noqa: S101 - the planner's own document
    ours = {name for lookup in fetch.lookups for name in _own_names(lookup)}
    aliases = {lookup.alias for lookup in fetch.lookups}
    own_fields = {_key(node): node for node in operation.selection_set.selections if isinstance(node, FieldNode)}
    definitions = [d for d in operation.variable_definitions or () if d.variable.name.value not in ours]
    others = [node for node in operation.selection_set.selections if _key(node) not in aliases]
    return ContextualBody(
        head=" ".join(part for part in (fetch.kind.value, fetch.operation_name) if part),
        definitions=tuple((node.variable.name.value, _text(fetch.document, node)) for node in definitions),
        fields=tuple(_text(fetch.document, node) for node in others),
        lookup_pieces=tuple(
            (_definition_pieces(lookup), _field_pieces(fetch.document, lookup, own_fields[lookup.alias]))
            for lookup in fetch.lookups
        ),
        operation_name=fetch.operation_name,
        variables=fetch.variables,
    )


def _key(node: SelectionNode) -> str | None:
    if not isinstance(node, FieldNode):
        return None
    return node.alias.value if node.alias else node.name.value


def _text(document: str, node: Node) -> str:
    assert node.loc is not None  # noqa: S101 - parsed with locations
    return document[node.loc.start : node.loc.end]


def _own_names(lookup: EntityLookup) -> tuple[str, ...]:
    return (lookup.variable, *(context.variable for context in lookup.contexts))


def _definition_pieces(lookup: EntityLookup) -> Pieces:
    """``$representations: [_Any!]!, $context_0: Int``, split after each name."""
    types = ["[_Any!]!", *(context.type for context in lookup.contexts)]
    pieces, between = [], "$"
    for name, type_ in zip(_own_names(lookup), types, strict=True):
        pieces.append(between + name)
        between = f": {type_}, $"
    return (*pieces, between.removesuffix(", $"))


def _field_pieces(document: str, lookup: EntityLookup, node: FieldNode) -> Pieces:
    """``_entities: _entities(representations: $representations) { ... }``, split after each name that is its own."""
    assert node.loc is not None  # noqa: S101 - parsed with locations
    assert node.name.loc is not None  # noqa: S101 - as above
    pieces, last, between = [lookup.alias], node.name.loc.start, ": "
    for end in _ends_of_variables(node, frozenset(_own_names(lookup))):
        pieces.append(between + document[last:end])
        last, between = end, ""
    return (*pieces, document[last : node.loc.end])


def _ends_of_variables(node: FieldNode, names: frozenset[str]) -> list[int]:
    """Where the uses of the variables ``names`` end, in order."""
    ends: list[int] = []

    class Finder(Visitor):
        """Notes every variable that it enters."""

        def enter_variable(self, variable: VariableNode, *_: Any) -> None:
            """Note where it ends, if it is one of ours."""
            if variable.name.value in names and variable.loc is not None:
                ends.append(variable.loc.end)

    visit(node, Finder())
    return ends


def put_together(
    answer: SubgraphAnswer, lookups: Sequence[ExecutableLookup], batches: Sequence[Batch]
) -> SubgraphAnswer:
    """The answer as if each lookup had been one ``_entities`` field; None for one where a list is wrong."""
    moved: dict[str, tuple[str, range]] = {}
    for lookup, batch in zip(lookups, batches, strict=True):
        if not lookup.contexts:
            continue
        first = 0
        for group, context in enumerate(batch.contexts):
            moved[lookup.alias + _suffix(group)] = (lookup.alias, range(first, first + context.size))
            first += context.size
        if answer.data is not None:
            answer.data[lookup.alias] = _entities(answer, lookup, batch)
    return structs.replace(answer, errors=[_moved(error, moved) for error in answer.errors])


def _entities(answer: SubgraphAnswer, lookup: ExecutableLookup, batch: Batch) -> list[Any] | None:
    """The entities of all groups; nulls for a group that is not there, where errors tell of it."""
    entities: list[Any] = []
    for group, context in enumerate(batch.contexts):
        found = (answer.data or {}).get(lookup.alias + _suffix(group))
        if found is None and answer.errors:
            found = [None] * context.size
        if type(found) is not list or len(found) != context.size:
            return None
        entities += found
    return entities


def _moved(error: Any, places: Mapping[str, tuple[str, range]]) -> Any:
    """An error of a subgraph with the path that it has in the answer put together."""
    path = error.get("path") if type(error) is dict else None
    if type(path) is not list or len(path) < 2 or type(path[0]) is not str or path[0] not in places:
        return error
    alias, indexes = places[path[0]]
    index = path[1]
    if type(index) is not int or not 0 <= index < len(indexes):
        return {**error, "path": [alias]}
    return {**error, "path": [alias, indexes[index], *path[2:]]}
