"""Making a failing case small: whatever can go, goes, as long as the case still fails in the same way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace

from graphql import (
    DefinitionNode,
    DirectiveNode,
    DocumentNode,
    FieldDefinitionNode,
    FieldNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    InputValueDefinitionNode,
    Node,
    TypeDefinitionNode,
    VariableDefinitionNode,
    Visitor,
    parse,
    print_ast,
    visit,
)

from tests.differential.comparison import Case, check

REMOVABLE = (
    DefinitionNode, DirectiveNode, FieldDefinitionNode, FieldNode, FragmentSpreadNode, InlineFragmentNode,
    InputValueDefinitionNode, TypeDefinitionNode, VariableDefinitionNode,
)  # fmt: skip


def shrink(case: Case, seconds: float, find: Callable[[Case], str | None] = check) -> Case:
    """The smallest case found within ``seconds`` that fails with the same kind of complaint."""
    kind = _kind_of(find(case))
    deadline = time.monotonic() + seconds
    improved = True
    while improved:
        improved = False
        for smaller in _smaller(case):
            if time.monotonic() > deadline:
                return case
            if _fails_like(smaller, kind, find):
                case, improved = smaller, True
                break
    return case


def _kind_of(complaint: str | None) -> str | None:
    return None if complaint is None else complaint.partition(" at ")[0][:20]


def _fails_like(case: Case, kind: str | None, find: Callable[[Case], str | None]) -> bool:
    try:
        return _kind_of(find(case)) == kind
    except (GraphQLError, TypeError, KeyError, IndexError, AssertionError):
        return False  # Taken too much: this is no case any more.


def _smaller(case: Case) -> Iterator[Case]:
    """Every case with one thing less: of the operation first, whose loss is the cheapest to judge."""
    for text in _without_one(case.operation):
        yield replace(case, operation=text)
    for index, (name, sdl) in enumerate(case.subgraphs):
        before, after = case.subgraphs[:index], case.subgraphs[index + 1 :]
        yield replace(case, subgraphs=before + after)
        for text in _without_one(sdl):
            yield replace(case, subgraphs=(*before, (name, text), *after))


def _without_one(text: str) -> Iterator[str]:
    document = parse(text, no_location=True)
    for number in range(_count(document)):
        smaller = print_ast(visit(document, _Remover(number)))
        with suppress(GraphQLError):
            parse(smaller)
            yield smaller


def _count(document: DocumentNode) -> int:
    remover = _Remover(-1)
    visit(document, remover)
    return remover.seen


class _Remover(Visitor):
    """Takes out the ``number``-th node that can be taken out."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number
        self.seen = 0

    def enter(self, node: Node, *_: object) -> object:
        if not isinstance(node, REMOVABLE):
            return None
        self.seen += 1
        return Visitor.REMOVE if self.seen - 1 == self._number else None
