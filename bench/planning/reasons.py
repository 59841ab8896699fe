"""Why a plan of ours is longer than the peer's where it has to be: shown by what the peer plans for the rule alone.

Two rules make a plan longer that the peer's planner does not keep. Root mutations are serial (GraphQL specification,
6.2.2): what hangs below one is fetched before the next begins, so the peer is asked for one at a time. And an object of
which the client's conditions leave nothing is null or ``{}``, which only a subgraph can say: the peer is asked for the
``__typename`` of such objects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    NameNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    Visitor,
    parse,
    print_ast,
    visit,
)

from bench.planning.planners import Planned

# Folders of tests/federation_cases, where each rule is shown.
SERIAL = "mutations_run_in_the_order_written"
EMPTY = "object_that_conditions_leave_empty_is_asked_for"

PlanThem = Callable[[tuple[str, ...]], list[Planned]]


def reason_of(text: str, ours: Planned, plan_them: PlanThem) -> str | None:
    """The rule that makes ``ours`` as long as it is; None where no rule does."""
    document = parse(text)
    one_at_a_time = _mutations_alone(document)
    if len(one_at_a_time) > 1 and _is_within(ours, plan_them(one_at_a_time)):
        return SERIAL
    whole = print_ast(visit(document, _TypenameAdder(document)))
    return EMPTY if whole != print_ast(document) and _is_within(ours, plan_them((whole,))) else None


def _is_within(ours: Planned, theirs: Sequence[Planned]) -> bool:
    """Whether ``ours`` is no longer than all of ``theirs`` one after the other."""
    depth, fetches = sum(one.depth for one in theirs), sum(one.fetches for one in theirs)
    return all(one.error is None for one in theirs) and ours.depth <= depth and ours.fetches <= fetches


def _mutations_alone(document: DocumentNode) -> tuple[str, ...]:
    """A document for each root field of a mutation; none for a query."""
    operation = next(node for node in document.definitions if isinstance(node, OperationDefinitionNode))
    if operation.operation is not OperationType.MUTATION:
        return ()
    fragments = [node for node in document.definitions if isinstance(node, FragmentDefinitionNode)]
    groups: dict[object, list[SelectionNode]] = {}
    for node in operation.selection_set.selections:
        key = (node.alias or node.name).value if isinstance(node, FieldNode) else node
        groups.setdefault(key, []).append(node)
    return tuple(_document(operation, group, fragments) for group in groups.values())


def _document(
    operation: OperationDefinitionNode, selections: Iterable[SelectionNode], fragments: Iterable[FragmentDefinitionNode]
) -> str:
    alone = OperationDefinitionNode(
        operation=operation.operation,
        name=operation.name,
        variable_definitions=operation.variable_definitions,
        directives=operation.directives,
        selection_set=SelectionSetNode(selections=tuple(selections)),
    )
    return print_ast(DocumentNode(definitions=(alone, *fragments)))


class _TypenameAdder(Visitor):
    """Adds ``__typename`` to the fields whose selections may all be left out."""

    def __init__(self, document: DocumentNode) -> None:
        super().__init__()
        definitions = (node for node in document.definitions if isinstance(node, FragmentDefinitionNode))
        self._fragments = {node.name.value: node.selection_set for node in definitions}

    def leave_field(self, node: FieldNode, *_: Any) -> FieldNode | None:
        selected = node.selection_set
        if selected is None or not self._may_be_empty(selected):
            return None
        typename = FieldNode(name=NameNode(value="__typename"), arguments=(), directives=())
        return FieldNode(
            alias=node.alias,
            name=node.name,
            arguments=node.arguments,
            directives=node.directives,
            selection_set=SelectionSetNode(selections=(*selected.selections, typename)),
        )

    def _may_be_empty(self, selected: SelectionSetNode) -> bool:
        return all(node.directives or self._is_empty_fragment(node) for node in selected.selections)

    def _is_empty_fragment(self, node: SelectionNode) -> bool:
        if isinstance(node, FragmentSpreadNode):
            return self._may_be_empty(self._fragments[node.name.value])
        return isinstance(node, InlineFragmentNode) and self._may_be_empty(node.selection_set)
