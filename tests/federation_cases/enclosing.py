"""One server for subgraphs with ``@fromContext``: it knows the objects around each, and takes arguments from them.

Read from the subgraphs' SDL alone, by other code than the router's, as the truth must be.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

from graphql import (
    ConstDirectiveNode,
    DocumentNode,
    ExecutionResult,
    FieldNode,
    GraphQLResolveInfo,
    GraphQLSchema,
    InlineFragmentNode,
    InterfaceTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    SelectionSetNode,
    StringValueNode,
    UnionTypeDefinitionNode,
    execute_sync,
    get_operation_ast,
    parse,
)
from graphql.language import OperationDefinitionNode

from tests.differential.servers import AnswerAlone, Facts
from tests.differential.world import Thing


class Placed(NamedTuple):
    """A thing in the answer, and what it was found in."""

    thing: Thing
    above: Placed | None


class Taken(NamedTuple):
    """An argument that takes ``selection`` of the nearest object that sets ``context``."""

    name: str
    context: str
    selection: SelectionSetNode


class EnclosingServer:
    """Answers operations over all data; ``sdl`` are the subgraphs' own schemas."""

    def __init__(self, facts: Facts, sdl: Iterable[str]) -> None:
        self._facts = facts
        self._setters: dict[str, set[str]] = {}
        self._taken: dict[tuple[str, str], list[Taken]] = {}
        for text in sdl:
            for definition in _parsed(text).definitions:
                if isinstance(
                    definition, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode | UnionTypeDefinitionNode
                ):
                    self._read(definition)

    def answer(self, api_schema: GraphQLSchema, document: DocumentNode, variables: dict[str, Any]) -> ExecutionResult:
        """What this server answers."""
        operation = get_operation_ast(document)
        assert operation is not None
        kind = operation.operation.value.capitalize()
        result = execute_sync(
            api_schema,
            document,
            Placed(Thing(kind, kind), None),
            variable_values=variables,
            field_resolver=self._resolve,
            type_resolver=lambda placed, _info, _type: placed.thing.type_name,
        )
        assert isinstance(result, ExecutionResult)
        return result

    def _read(self, node: ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode | UnionTypeDefinitionNode) -> None:
        name = node.name.value
        for context in _applied(node.directives, "context", "name"):
            self._setters.setdefault(context, set()).update({name, *self._facts.merged[name].possible})
        for field in () if isinstance(node, UnionTypeDefinitionNode) else node.fields or ():
            for argument in field.arguments or ():
                for value in _applied(argument.directives, "fromContext", "field"):
                    match = re.fullmatch(r"\s*\$(\w+)\s*(.*)", value, re.DOTALL)
                    assert match
                    selection = match[2] if match[2].startswith("{") else f"{{ {match[2]} }}"
                    operation = parse(selection).definitions[0]
                    assert isinstance(operation, OperationDefinitionNode)
                    taken = Taken(argument.name.value, match[1], operation.selection_set)
                    self._taken.setdefault((name, field.name.value), []).append(taken)

    def _resolve(self, placed: Placed, info: GraphQLResolveInfo[Any], **arguments: Any) -> object:
        taken = self._taken.get((placed.thing.type_name, info.field_name), ())
        arguments |= {one.name: self._value(placed.above, one) for one in taken}
        return _place(self._facts.value(placed.thing, info.field_name, arguments), placed)

    def _value(self, around: Placed | None, taken: Taken) -> object:
        while around is not None and around.thing.type_name not in self._setters[taken.context]:
            around = around.above
        assert around is not None, f"nothing sets {taken.context}"
        return self._select(around.thing, taken.selection)

    def _select(self, value: object, selection: SelectionSetNode) -> object:
        if not isinstance(value, Thing):
            return [self._select(one, selection) for one in value] if isinstance(value, list) else value
        for node in selection.selections:
            if isinstance(node, FieldNode):
                found = self._facts.value(value, node.name.value, {})
                return self._select(found, node.selection_set) if node.selection_set else found
            assert isinstance(node, InlineFragmentNode)
            assert node.type_condition
            if value.type_name in self._facts.merged[node.type_condition.name.value].possible:
                return self._select(value, node.selection_set)
        return None


@lru_cache(maxsize=32)
def _parsed(text: str) -> DocumentNode:
    """A subgraph's schema, which many operations are answered over."""
    return parse(text)


def answer_in_contexts(sdl: Iterable[str]) -> AnswerAlone:
    """As ``answer_alone``, by a server for these subgraphs' own schemas."""
    texts = tuple(sdl)

    def answer(
        facts: Facts, api_schema: GraphQLSchema, document: DocumentNode, variables: dict[str, Any]
    ) -> ExecutionResult:
        return EnclosingServer(facts, texts).answer(api_schema, document, variables)

    return answer


def _applied(directives: Iterable[ConstDirectiveNode] | None, name: str, argument: str) -> Iterable[str]:
    for directive in directives or ():
        if directive.name.value.removeprefix("federation__") == name:
            for given in directive.arguments or ():
                if given.name.value == argument:
                    assert isinstance(given.value, StringValueNode)
                    yield given.value.value


def _place(value: object, above: Placed) -> object:
    if isinstance(value, list):
        return [_place(item, above) for item in value]
    return Placed(value, above) if isinstance(value, Thing) else value
