"""What ``@defer`` says in a document: whether a fragment is deferred in a request, and which variables decide so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from graphql import BooleanValueNode, DirectiveNode, DocumentNode, VariableNode, Visitor, visit

DEFER = "defer"


def defer_directive(directives: Iterable[DirectiveNode] | None, values: Mapping[str, object]) -> DirectiveNode | None:
    """The ``@defer`` among ``directives`` of a fragment; None where there is none, or its ``if`` is false."""
    found = next((directive for directive in directives or () if directive.name.value == DEFER), None)
    if found is None:
        return None
    condition = next((argument.value for argument in found.arguments or () if argument.name.value == "if"), None)
    if isinstance(condition, BooleanValueNode) and not condition.value:
        return None
    # Left out, the variable leaves the argument to its default, which is true.
    if isinstance(condition, VariableNode) and values.get(condition.name.value, True) is False:
        return None
    return found


def deferral_variables(document: DocumentNode) -> tuple[str, ...] | None:
    """The variables in ``if`` of ``@defer``, ``@include`` and ``@skip``, sorted; None where nothing can be deferred."""
    if document.loc is not None and DEFER not in document.loc.source.body:
        return None
    reader = _DirectiveReader()
    visit(document, reader)
    return tuple(sorted(reader.variables)) if reader.can_defer else None


class _DirectiveReader(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.variables: set[str] = set()
        self.can_defer = False

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        if node.name.value not in (DEFER, "include", "skip"):
            return
        condition = next((argument.value for argument in node.arguments or () if argument.name.value == "if"), None)
        if isinstance(condition, VariableNode):
            self.variables.add(condition.name.value)
        is_off = isinstance(condition, BooleanValueNode) and not condition.value
        self.can_defer = self.can_defer or (node.name.value == DEFER and not is_off)
