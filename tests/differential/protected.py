"""Cases of which the requester may not see all: the answer is that of one server whose hidden fields fail.

``@authenticated``, ``@requiresScopes`` and ``@policy`` are written into drawn subgraphs, and who asks is drawn too.
What is protected is known from what was written, not from the supergraph.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    ConstDirectiveNode,
    DocumentNode,
    ExecutionResult,
    FieldNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    ObjectTypeDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    execute_sync,
    get_named_type,
    get_operation_ast,
    parse,
    print_ast,
    visit,
)

from router.errors import OperationError
from router.execution.execute import ExecutionContext
from router.execution.json_numbers import decode_exact
from router.operation.authorization import NOTHING_DENIED, UNAUTHORIZED, Grant
from router.server.operations.compiled_operation import CompiledOperation, GuardedOperation, OperationCompiler
from router.server.operations.recently_used import CacheSize
from tests.differential.comparison import (
    Case,
    Graph,
    NoEventError,
    Prepared,
    Sources,
    compare,
    compare_failed,
    execute_case,
    prepare,
)
from tests.differential.running import finished
from tests.differential.servers import SubgraphServers
from tests.differential.world import Thing, World

SCOPES = ("a", "b", "c")
POLICIES = ("p", "q")
FIELD_SHARE = 0.12
TYPE_SHARE = 0.06
TYPE_KINDS = ("object_type_definition", "scalar_type_definition", "enum_type_definition")
SIZE = CacheSize(10, 50_000_000)
# One of these alternatives must be had as a whole.
Wanted = tuple[str, tuple[frozenset[str], ...]]
ByCoordinate = dict[str, list[Wanted]]


class HiddenError(Exception):
    """The requester may not see what is there."""


class NoCaseError(Exception):
    """There is no event, or nothing is hidden, or a field is selected both where it is hidden and where it is not."""


def protect(subgraphs: Sources, seed: str) -> tuple[Sources, ByCoordinate]:
    """The subgraphs with some types and fields protected, and what these want; the set may not compose any more."""
    writer = _Protecting(random.Random(seed))  # noqa: S311 - a seeded test
    return tuple((name, writer.write(sdl)) for name, sdl in subgraphs), writer.wanted


class _Protecting(Visitor):
    """Writes directives on object types, their fields, scalars and enums."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__()
        self._rng = rng
        self.wanted: ByCoordinate = {}

    def write(self, sdl: str) -> str:
        if "@link" not in sdl:
            return sdl
        return print_ast(visit(parse(sdl, no_location=True), self))

    def enter(self, node: Any, *_: Any) -> Any:
        if node.kind not in TYPE_KINDS:
            return None
        name, applied = node.name.value, {directive.name.value for directive in node.directives or ()}
        if name.startswith("Start_"):  # A root that is called otherwise in the supergraph.
            return None
        parts = {key: getattr(node, key) for key in node.keys}
        if isinstance(node, ObjectTypeDefinitionNode):
            parts["fields"] = tuple(self._field(name, one) for one in node.fields or ())
        if name not in ("Query", "Mutation") and "interfaceObject" not in applied and self._rng.random() < TYPE_SHARE:
            parts["directives"] = (*(node.directives or ()), self._directive(name))
        return type(node)(**parts)

    def _field(self, type_name: str, node: Any) -> Any:
        applied = {directive.name.value for directive in node.directives or ()}
        if "external" in applied or self._rng.random() >= FIELD_SHARE:
            return node
        parts = {key: getattr(node, key) for key in node.keys}
        parts["directives"] = (*(node.directives or ()), self._directive(f"{type_name}.{node.name.value}"))
        return type(node)(**parts)

    def _directive(self, coordinate: str) -> ConstDirectiveNode:
        kind = self._rng.choice(("authenticated", "requiresScopes", "policy"))
        names = SCOPES if kind == "requiresScopes" else POLICIES
        sets = [self._rng.sample(names, self._rng.randint(1, 2)) for _ in range(self._rng.randint(1, 2))]
        self.wanted.setdefault(coordinate, []).append((kind, tuple(map(frozenset, sets))))
        argument = {"authenticated": "", "requiresScopes": "scopes", "policy": "policies"}[kind]
        written = ", ".join("[" + ", ".join(f'"{one}"' for one in alternative) + "]" for alternative in sets)
        text = f"@federation__{kind}" + (f"({argument}: [{written}])" if argument else "")
        definition: Any = parse(f"scalar S {text}", no_location=True).definitions[0]
        directive: ConstDirectiveNode = definition.directives[0]
        return directive


def draw_grant(rng: random.Random) -> Grant:
    """Whoever asks."""
    return Grant(
        rng.random() < 0.5,
        frozenset(one for one in SCOPES if rng.random() < 0.4),
        frozenset(one for one in POLICIES if rng.random() < 0.4),
    )


@dataclass(frozen=True, slots=True)
class Hidden:
    """What ``grant`` does not open, worked out from what was ``wanted`` alone.

    An interface, and each of its fields, wants all that its implementations want; a field of an interface object is one
    of each of them.
    """

    schema: GraphQLSchema
    wanted: ByCoordinate
    grant: Grant
    _known: dict[tuple[str, str], bool] = field(default_factory=dict)

    def is_type_hidden(self, name: str) -> bool:
        """Whether objects or values of the type are hidden."""
        return any(not self._is_met(one) for place in self._types(name) for one in self.wanted.get(place, ()))

    def is_field_hidden(self, type_name: str, name: str) -> bool:
        """Whether a field is hidden where it is selected on the type, or read from objects of it."""
        known = self._known.get((type_name, name))
        if known is None:
            places = [f"{one}.{name}" for one in (*self._types(type_name), *self._interfaces(type_name))]
            value_type = get_named_type(self._fields(type_name)[name].type).name
            known = self._known[type_name, name] = (
                self.is_type_hidden(type_name)
                or self.is_type_hidden(value_type)
                or any(not self._is_met(one) for place in places for one in self.wanted.get(place, ()))
            )
        return known

    def _types(self, name: str) -> list[str]:
        kind = self.schema.type_map[name]
        if not isinstance(kind, GraphQLInterfaceType):
            return [name]
        return [one.name for one in self.schema.get_possible_types(kind)]

    def _interfaces(self, name: str) -> set[str]:
        """What an interface object writes on its field, each implementation has."""
        kinds = (self.schema.type_map[one] for one in self._types(name))
        return {above.name for kind in kinds for above in getattr(kind, "interfaces", ())}

    def _fields(self, type_name: str) -> Mapping[str, GraphQLField]:
        kind = self.schema.type_map[type_name]
        assert isinstance(kind, GraphQLObjectType | GraphQLInterfaceType)
        fields: Mapping[str, GraphQLField] = kind.fields
        return fields

    def _is_met(self, wanted: Wanted) -> bool:
        kind, alternatives = wanted
        if kind == "authenticated":
            return self.grant.is_authenticated
        had = self.grant.scopes if kind == "requiresScopes" else self.grant.policies
        return any(alternative <= had for alternative in alternatives)


class _Parents(Visitor):
    """The type that each field node is selected on."""

    def __init__(self, info: TypeInfo) -> None:
        super().__init__()
        self._info = info
        self.found: dict[int, str] = {}

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        parent: GraphQLNamedType | None = self._info.get_parent_type()
        assert parent is not None
        self.found[id(node)] = parent.name


def answer_with_hidden(
    world: World, schema: GraphQLSchema, document: DocumentNode, variables: dict[str, Any], hidden: Hidden
) -> ExecutionResult:
    """What one server answers whose hidden fields and objects fail. NoCaseError as told there."""
    info = TypeInfo(schema)
    parents = _Parents(info)
    visit(document, TypeInfoVisitor(info, parents))

    def is_hidden(type_name: str, name: str, nodes: Sequence[FieldNode]) -> bool:
        if hidden.is_field_hidden(type_name, name):
            return True
        outcomes = {hidden.is_field_hidden(parents.found[id(node)], name) for node in nodes}
        if len(outcomes) > 1:
            raise NoCaseError
        return outcomes.pop()

    def resolve(thing: Thing, info: GraphQLResolveInfo[Any], **arguments: Any) -> object:
        if is_hidden(thing.type_name, info.field_name, info.field_nodes):
            raise HiddenError
        return world.value(thing, info.field_name, arguments)

    def type_of(thing: Thing, *_: Any) -> str:
        if hidden.is_type_hidden(thing.type_name):
            raise HiddenError
        return thing.type_name

    operation = get_operation_ast(document)
    assert operation is not None
    root = operation.operation.value.capitalize()
    result = execute_sync(
        schema, document, Thing(root, root), variable_values=variables, field_resolver=resolve, type_resolver=type_of
    )
    assert isinstance(result, ExecutionResult)
    for error in result.errors or ():
        if isinstance(error.original_error, NoCaseError):
            raise error.original_error
    return result


def check_protected(case: Case, graph: Graph, wanted: ByCoordinate, grant: Grant) -> str | None:
    """What is wrong with the answer that ``grant`` gets; None where all is well. NoCaseError as told there."""
    prepared = prepare_protected(case)
    schema = graph.supergraph.api_schema
    compiled = _compile(case, graph, grant)
    hidden = Hidden(schema, wanted, grant)
    world = World(graph.model, case.seed, fails=case.broken)
    try:
        values = compiled.coerce(dict(case.variables))
    except OperationError as error:
        raise NoCaseError from error
    truth = answer_with_hidden(world, schema, prepared.document, dict(case.variables), hidden)
    servers = SubgraphServers(world, graph.subgraphs, case.labels)
    servers.failing, servers.failure = case.failing, case.failure
    try:
        result = finished(execute_case(compiled, values, ExecutionContext(servers, decode=decode_exact)))
    except NoEventError as error:
        raise NoCaseError from error
    answer = compiled.projection(result.data, result.errors, values, result.look_for_absent)
    if servers.broken:
        return f"asked wrongly: {servers.broken[0]}"
    if answer.data == truth.data and "@" in case.operation:
        _put_in_order(truth.data, answer.data)
    if case.failing is not None and any(fetch.subgraph == case.failing for fetch in compiled.plan.fetches):
        return compare_failed(compiled.plan, case, truth, answer)
    return compare(truth, answer)


def _put_in_order(true: Any, told: Any) -> None:
    """Give ``told``, which is equal, the order of ``true``: where a condition leaves out the first of several mentions
    of a field, some of which are hidden, the field stands there all the same.
    """
    if isinstance(true, dict):
        for key in true:
            told[key] = told.pop(key)
            _put_in_order(true[key], told[key])
    elif isinstance(true, list):
        for one, other in zip(true, told, strict=True):
            _put_in_order(one, other)


def prepare_protected(case: Case) -> Prepared:
    """The operation for who may see everything. NoCaseError where there is none."""
    prepared = prepare(case.subgraphs, case.operation, case.labels)
    if not isinstance(prepared, Prepared):
        raise NoCaseError
    return prepared


def _compile(case: Case, graph: Graph, grant: Grant) -> CompiledOperation:
    compile_ = OperationCompiler(graph.supergraph, SIZE)
    found = compile_(case.operation, None, case.labels)
    if isinstance(found, GuardedOperation):
        try:
            found = compile_(case.operation, None, case.labels, found.demands.denied_to(grant))
        except OperationError as error:  # Events that may not be seen are refused before the first.
            if error.code != UNAUTHORIZED or not case.operation.startswith("subscription"):
                raise
            raise NoCaseError from error
    assert isinstance(found, CompiledOperation)
    if found.denied in (None, NOTHING_DENIED):
        raise NoCaseError
    return found
