"""Servers over one world: one for each subgraph, which is strict about what it is asked, and one that has it all."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Container, Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    OperationDefinitionNode,
    execute_sync,
    parse,
    validate,
)
from graphql.utilities import value_from_ast_untyped

from router.execution.subgraph_client import SubgraphRequest, SubgraphResponse
from router.supergraph.field_set import FieldSet, FieldSetField
from router.supergraph.query_graph import MergedType
from tests.differential.failures import BROKEN_FIELDS, fail, needs_true_answer
from tests.differential.subgraph_schema import SubgraphSchema
from tests.differential.world import BrokenFieldError, Thing

BROKEN_SHARE = 0.12


class BrokenRuleError(Exception):
    """The router asked a subgraph for something that no router may ask."""


class Facts(Protocol):
    """What is true of all objects: computed (:class:`tests.differential.world.World`), or read from a file."""

    @property
    def merged(self) -> Mapping[str, MergedType]:
        """The composite types of the supergraph."""

    def pool(self, type_name: str) -> list[Thing]:
        """Every entity that ``type_name`` can be."""

    def knows(self, subgraph: str, thing: Thing) -> bool:
        """Whether the subgraph has the entity."""

    def value(self, thing: Thing, field: str, arguments: Mapping[str, object]) -> object:
        """A JSON leaf, a Thing, None, or lists of these."""


class Seen(NamedTuple):
    """A thing inside one subgraph's answer: what is provided below it, and the representation it was looked up by."""

    thing: Thing
    provided: FieldSet = ()
    representation: Mapping[str, Any] | None = None


AnswerAlone = Callable[[Facts, GraphQLSchema, DocumentNode, dict[str, Any]], ExecutionResult]


def answer_alone(
    world: Facts, api_schema: GraphQLSchema, document: DocumentNode, variables: dict[str, Any]
) -> ExecutionResult:
    """What one server that holds all the data answers."""

    def resolve(thing: Thing, info: GraphQLResolveInfo[Any], **arguments: Any) -> object:
        return world.value(thing, info.field_name, arguments)

    kind = _kind_of(document)
    result = execute_sync(
        api_schema,
        document,
        Thing(kind, kind),
        variable_values=variables,
        field_resolver=resolve,
        type_resolver=lambda thing, _info, _type: thing.type_name,
    )
    assert isinstance(result, ExecutionResult)
    return result


class SubgraphServer:
    """Executes a subgraph's documents; BrokenRuleError for what the router must never send."""

    def __init__(self, world: Facts, subgraph: SubgraphSchema, labels: Container[str] | None = None) -> None:
        self._world = world
        self._subgraph = subgraph
        self._labels = labels
        self._breaks: random.Random | None = None

    def answer(self, text: str, variables: dict[str, Any], breaks: random.Random | None = None) -> dict[str, Any]:
        """The response body; some fields raise errors where ``breaks`` is there to choose them."""
        self._breaks = breaks
        valid = self._subgraph.valid_documents
        document = valid.get(text)
        if document is None:
            document = parse(text)
            errors = validate(self._subgraph.schema, document)
            if errors:
                raise BrokenRuleError(f"invalid for {self._subgraph.name}: {errors[0].message} {text}")
            valid[text] = document
        kind = _kind_of(document)
        result = execute_sync(
            self._subgraph.schema,
            document,
            Seen(Thing(kind, kind)),
            variable_values=variables,
            field_resolver=self._resolve,
            type_resolver=self._type_of,
        )
        assert isinstance(result, ExecutionResult)
        for error in result.errors or ():
            _raise_broken_rule(error)
        return result.formatted  # type: ignore[return-value]

    def _type_of(self, seen: Seen, _info: GraphQLResolveInfo[Any], _type: object) -> str:
        name = seen.thing.type_name
        if name in self._subgraph.schema.type_map:
            return name
        interfaces = self._world.merged[name].interfaces & self._subgraph.interface_objects
        return next(iter(interfaces), name)

    def _resolve(self, seen: Seen, info: GraphQLResolveInfo[Any], **arguments: Any) -> object:
        name = info.field_name
        if name == "_entities":
            return [self._entity(representation) for representation in arguments["representations"]]
        place = (info.parent_type.name, name)
        provided = [item for item in self._flat(seen.provided, seen.thing) if item.name == name]
        if place in self._subgraph.external and not provided:
            raise BrokenRuleError(f"{'.'.join(place)} is external in {self._subgraph.name}")
        if place in self._subgraph.overridden:
            raise BrokenRuleError(f"{'.'.join(place)} in {self._subgraph.name} is overridden")
        if not self._is_here(place):
            raise BrokenRuleError(f"{'.'.join(place)} in {self._subgraph.name} is overridden with these labels")
        if place in self._subgraph.requires:
            if seen.representation is None:
                raise BrokenRuleError(f"{'.'.join(place)} in {self._subgraph.name} without what it requires")
            required = self._subgraph.requires[place]
            self._check(seen.thing, required, seen.representation, f"{'.'.join(place)} in {self._subgraph.name}")
        if self._breaks is not None and self._breaks.random() < BROKEN_SHARE:
            raise BrokenFieldError
        below = (*(inner for item in provided for inner in item.selections), *self._subgraph.provides.get(place, ()))
        return _see(self._world.value(seen.thing, name, arguments), below)

    def _is_here(self, place: tuple[str, str]) -> bool:
        """Whether the labels that are active leave a field here, or bring it; always, where they are not known."""
        if self._labels is None:
            return True
        needed, refused = self._subgraph.read_with.get(place), self._subgraph.read_without.get(place)
        return (needed is None or needed in self._labels) and (refused is None or refused not in self._labels)

    # -- entities --------------------------------------------------------------------------------------------------

    def _entity(self, representation: Mapping[str, Any]) -> Seen | None:
        type_name = representation.get("__typename")
        if type_name not in self._subgraph.keys:
            raise BrokenRuleError(f"{self._subgraph.name} has no entity {type_name}")
        keys = [key.fields for key in self._subgraph.keys[type_name] if key.resolvable]
        for thing in self._world.pool(type_name):
            if any(self._is_same(thing, key, representation) for key in keys):
                is_known = self._world.knows(self._subgraph.name, thing)
                return Seen(thing, (), representation) if is_known else None
        raise BrokenRuleError(f"{self._subgraph.name} finds nothing by {json.dumps(representation)}")

    def _is_same(self, thing: Thing, fields: FieldSet, value: object) -> bool:
        """Whether ``value`` holds ``fields`` of ``thing``."""
        if not isinstance(value, Mapping):
            return False
        for item in self._flat(fields, thing):
            if item.name == "__typename":
                if value.get("__typename") not in (thing.type_name, *self._subgraph.interface_objects):
                    return False
                continue
            arguments = self._defaults(thing.type_name, item.name)
            arguments |= {name: value_from_ast_untyped(node) for name, node in item.arguments}
            true = self._world.value(thing, item.name, arguments)
            if item.name not in value or not self._is_equal(true, value[item.name], item.selections):
                return False
        return True

    def _defaults(self, type_name: str, field: str) -> dict[str, Any]:
        """The field's arguments that are there without being given."""
        type_ = self._subgraph.schema.type_map.get(type_name)
        if not isinstance(type_, GraphQLObjectType) or field not in type_.fields:
            return {}
        arguments = type_.fields[field].args.items()
        nodes = {name: argument.ast_node for name, argument in arguments}
        written = {name: node.default_value for name, node in nodes.items() if node is not None and node.default_value}
        return {name: value_from_ast_untyped(node) for name, node in written.items()}

    def _is_equal(self, true: object, sent: object, below: FieldSet) -> bool:
        if isinstance(true, list):
            if not isinstance(sent, list) or len(sent) != len(true):
                return False
            return all(self._is_equal(a, b, below) for a, b in zip(true, sent, strict=True))
        if isinstance(true, Thing):
            return self._is_same(true, below, sent)
        return true == sent

    def _check(self, thing: Thing, fields: FieldSet, representation: Mapping[str, Any], what: str) -> None:
        if not self._is_same(thing, fields, representation):
            raise BrokenRuleError(f"{what}: wrong inputs {json.dumps(representation)}")

    def _flat(self, fields: FieldSet, thing: Thing) -> Iterable[FieldSetField]:
        """The fields of a field set that apply to ``thing``."""
        for item in fields:
            if isinstance(item, FieldSetField):
                yield item
            elif thing.type_name in self._world.merged[item.type_condition].possible:
                yield from self._flat(item.selections, thing)


class SubgraphServers:
    """All subgraphs of a world, as the client that execution sends through.

    ``labels`` are the labels of overrides that are active, where they are known. ``failing`` names a subgraph that does
    not answer as it should, in the way of ``failure``.
    """

    def __init__(
        self, world: Facts, subgraphs: Mapping[str, SubgraphSchema], labels: Container[str] | None = None
    ) -> None:
        self._servers = {name: SubgraphServer(world, subgraph, labels) for name, subgraph in subgraphs.items()}
        self.broken: list[str] = []
        self.failing: str | None = None
        self.failure = ""

    async def send(self, request: SubgraphRequest) -> SubgraphResponse:
        """The subgraph's answer; 500 where the router broke a rule, which is kept in ``broken``."""
        fails = request.subgraph == self.failing
        breaks = random.Random(request.body) if fails and self.failure == BROKEN_FIELDS else None  # noqa: S311 - as drawn
        if fails and breaks is None and not needs_true_answer(self.failure):
            return fail(request, self.failure, {})
        body = json.loads(request.body)
        try:
            answer = self._servers[request.subgraph].answer(body["query"], body.get("variables") or {}, breaks)
        except BrokenRuleError as error:
            if self.failure == "null entities" and self.failing is not None and "wrong inputs" in str(error):
                return SubgraphResponse(200, b'{"errors": [{"message": "these are no inputs"}]}')
            self.broken.append(str(error))
            return SubgraphResponse(500, b"{}")
        if fails and breaks is None:
            return fail(request, self.failure, answer)
        return SubgraphResponse(200, json.dumps(answer).encode())

    async def close(self) -> None:
        """Nothing is open."""


def _kind_of(document: DocumentNode) -> str:
    """The name of the root type of the document's operation, which comes first."""
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    return operation.operation.value.capitalize()


def _see(value: object, provided: FieldSet) -> object:
    if isinstance(value, list):
        return [_see(item, provided) for item in value]
    return Seen(value, provided) if isinstance(value, Thing) else value


def _raise_broken_rule(error: GraphQLError) -> None:
    original = error.original_error
    if isinstance(original, BrokenFieldError) or error.message.startswith("Cannot return null"):
        return
    raise original if isinstance(original, BrokenRuleError) else BrokenRuleError(f"an error of the test: {error}")
