"""What stands on fields and fragments: ``@include`` and ``@skip`` folded as far as is known, ``@defer`` noted.

A constant that does not hold drops what it stands on; a variable stays as a condition, unless the values of the
request's variables are known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from graphql import BooleanValueNode, DirectiveNode, SelectionNode, StringValueNode, VariableNode

from router.errors import OperationError
from router.operation.defer_directives import defer_directive
from router.operation.limits import TOO_LARGE
from router.operation.model import Condition, DeferUsage

Conditions = tuple[Condition | DeferUsage, ...]
Values = Mapping[str, object]


@dataclass(slots=True)
class DeferringPlace:
    """One selection set of the answer: the response keys that lead there, and its deferred fragments so far."""

    path: tuple[str, ...]
    usages: dict[tuple[int, DeferUsage | None], DeferUsage] = field(default_factory=dict)


class ConditionReader:
    """Reads the directives of one operation; ``values`` as ``deferring_with`` of ``build_operation``.

    OperationError(OPERATION_TOO_LARGE) where more than ``max_deferred`` fragments are deferred.
    """

    def __init__(self, values: Values | None, max_deferred: int) -> None:
        self._values = values
        self._max_deferred = max_deferred
        self._usages = 0

    def conditions(self, directives: Iterable[DirectiveNode] | None, outer: Conditions) -> Conditions | None:
        """``outer`` and the node's own ``@include``/``@skip``; None where they can never hold together."""
        if not directives:
            return outer
        return _conditions(directives, outer, self._values)

    def deferred(
        self, node: SelectionNode, conditions: Conditions, outer: DeferUsage | None, place: DeferringPlace
    ) -> Conditions:
        """``conditions``, and the fragment itself where it is deferred in this request; ``place`` learns of it."""
        directive = defer_directive(node.directives, self._values) if self._values is not None else None
        if directive is None:
            return conditions
        parent = innermost(conditions) or outer
        key = (id(directive), parent)
        usage = place.usages.get(key)
        if usage is None:
            usage = place.usages[key] = DeferUsage(self._usages, _label(directive), place.path, parent)
            self._usages += 1
            if self._usages > self._max_deferred:
                message = f"The operation defers more than {self._max_deferred} fragments: defer larger ones."
                raise OperationError(TOO_LARGE, message)
        return (*conditions, usage)


def innermost(conditions: Conditions) -> DeferUsage | None:
    """The innermost deferred fragment among ``conditions``, which hold outer ones before inner ones."""
    return next((condition for condition in reversed(conditions) if isinstance(condition, DeferUsage)), None)


def _label(directive: DirectiveNode) -> str | None:
    values = (argument.value for argument in directive.arguments or () if argument.name.value == "label")
    return next((value.value for value in values if isinstance(value, StringValueNode)), None)


def _conditions(directives: Iterable[DirectiveNode], outer: Conditions, values: Values | None) -> Conditions | None:
    conditions = list(outer)
    for directive in directives:
        if directive.name.value not in ("include", "skip"):
            continue
        include = directive.name.value == "include"
        value = directive.arguments[0].value if directive.arguments else None
        if isinstance(value, BooleanValueNode):
            if value.value is not include:
                return None
        elif isinstance(value, VariableNode):
            condition = Condition(value.name.value, include)
            if values is not None:
                if not condition.holds(values):
                    return None
                continue
            if Condition(condition.variable, not include) in conditions:
                return None
            if condition not in conditions:
                conditions.append(condition)
    return outer if values is not None else tuple(sorted(conditions, key=_order))


def _order(condition: Condition | DeferUsage) -> tuple[str, bool]:
    assert isinstance(condition, Condition)  # noqa: S101 - where fragments are deferred, conditions are folded
    return condition.variable, condition.include
