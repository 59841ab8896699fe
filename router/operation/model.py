"""A validated, normalised operation: what planning and projection read instead of the client's document.

Named fragments are gone (inlined), constant ``@skip``/``@include`` are folded, fields that merge are merged, and every
field knows the type that it is selected on. Selections keep the client's order, which is the order of the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from graphql import ValueNode, VariableDefinitionNode


class OperationKind(StrEnum):
    """The three kinds of operation of the GraphQL specification."""

    QUERY = "query"
    MUTATION = "mutation"
    SUBSCRIPTION = "subscription"


@dataclass(frozen=True, slots=True)
class Condition:
    """``@include(if: $variable)``, or ``@skip(if: $variable)`` where ``include`` is false."""

    variable: str
    include: bool

    def holds(self, variables: Mapping[str, object]) -> bool:
        """Whether what stands under this condition is selected, given the coerced variables."""
        return bool(variables.get(self.variable)) is self.include


@dataclass(frozen=True, slots=True, eq=False)
class DeferUsage:
    """A fragment with ``@defer`` at one place of the operation (incremental delivery, "Defer Usage"); one of a kind.

    ``path`` are the response keys that lead to the objects that it stands at. ``parent`` is the deferred fragment that
    it is nested in: what is in both is delivered with the parent.
    """

    number: int
    label: str | None
    path: tuple[str, ...]
    parent: DeferUsage | None


@dataclass(frozen=True, slots=True)
class Field:
    """One selected field.

    ``parent_type`` names the type of the API schema that it is selected on (object, interface; for ``__typename`` also
    a union). ``conditions`` must all hold. ``selections`` is empty for leaves. ``deferred_by`` is the innermost
    deferred fragment that it stands in and the selection above it does not.
    """

    response_key: str
    name: str
    parent_type: str
    arguments: tuple[tuple[str, ValueNode], ...] = ()
    conditions: tuple[Condition, ...] = ()
    selections: tuple[Selection, ...] = ()
    deferred_by: DeferUsage | None = None


@dataclass(frozen=True, slots=True)
class InlineFragment:
    """``... on type_condition { selections }``; present only where the type condition or the conditions restrict."""

    type_condition: str
    conditions: tuple[Condition, ...] = ()
    selections: tuple[Selection, ...] = ()
    deferred_by: DeferUsage | None = None


Selection = Field | InlineFragment


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation that is valid against the API schema, ready to be planned and projected.

    ``variable_definitions`` are the client's, in order; coercion of their values is done per request.
    ``lifted_definitions`` are those of variables that stand for literals, which have their values from the text. Where
    ``@defer`` occurs, ``deferral_variables`` are those that decide what is deferred; else None. Where the client gave
    the name ``__typename`` to another field, ``typename_stand_in`` is that field's response key until the answer is
    written, because what an object is has to be known by that name; else None.
    """

    kind: OperationKind
    name: str | None
    root_type: str
    variable_definitions: tuple[VariableDefinitionNode, ...]
    selections: tuple[Selection, ...]
    lifted_definitions: tuple[VariableDefinitionNode, ...] = ()
    deferral_variables: tuple[str, ...] | None = None
    typename_stand_in: str | None = None
