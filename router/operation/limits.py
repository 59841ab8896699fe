"""What a document may cost before anything is validated, planned or fetched."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
)

from router.errors import OperationError

TOO_LARGE = "OPERATION_TOO_LARGE"
LITERALS_FORBIDDEN = "LITERALS_FORBIDDEN"


@dataclass(frozen=True, slots=True)
class OperationLimits:
    """``max_tokens`` bounds the text, ``max_fields`` what it grows to once its fragments are inlined, ``max_deferred``
    the deferred fragments that it has then.

    The others count with fragments inlined too, and None is no limit: levels of fields, aliases, fields of the root,
    directives, and fragments. With ``forbid_literals`` values come as variables alone, and with
    ``hide_suggestions`` no error names what the client may have meant: that would tell the schema piece by piece.
    """

    max_tokens: int = 15_000
    max_fields: int = 20_000
    max_deferred: int = 100
    max_depth: int | None = None
    max_aliases: int | None = None
    max_root_fields: int | None = None
    max_directives: int | None = None
    max_fragments: int | None = None
    forbid_literals: bool = False
    hide_suggestions: bool = False


DEFAULT_LIMITS = OperationLimits()


@dataclass(frozen=True, slots=True)
class _Size:
    """Of a selection set with its fragments inlined."""

    depth: int = 0
    aliases: int = 0
    root_fields: int = 0
    directives: int = 0
    fragments: int = 0

    def beside(self, other: _Size) -> _Size:
        """Of both together."""
        return _Size(
            max(self.depth, other.depth),
            self.aliases + other.aliases,
            self.root_fields + other.root_fields,
            self.directives + other.directives,
            self.fragments + other.fragments,
        )


def check_limits(document: DocumentNode, limits: OperationLimits) -> None:
    """OperationError for the first limit that an operation of ``document`` exceeds: OPERATION_TOO_LARGE, or
    LITERALS_FORBIDDEN. The document need not be valid; it is read once, however often its fragments are spread."""
    try:
        _check_operations(document, limits)
    except RecursionError:
        raise OperationError(TOO_LARGE, "The operation is nested too deeply.") from None


def _check_operations(document: DocumentNode, limits: OperationLimits) -> None:
    measure = _Measure(document, limits.forbid_literals)
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            size = measure.selection_set(definition.selection_set)
            directives = size.directives + len(definition.directives or ())
            _refuse_beyond(limits.max_depth, size.depth, "levels of fields")
            _refuse_beyond(limits.max_root_fields, size.root_fields, "fields of its root")
            _refuse_beyond(limits.max_aliases, size.aliases, "aliases")
            _refuse_beyond(limits.max_directives, directives, "directives")
            _refuse_beyond(limits.max_fragments, size.fragments, "fragments")


def _refuse_beyond(limit: int | None, found: int, what: str) -> None:
    if limit is not None and found > limit:
        told = f"more than {limit}" if found > 10 * limit else str(found)
        raise OperationError(TOO_LARGE, f"The operation has {told} {what}: {limit} are allowed.")


@dataclass(slots=True)
class _Measure:
    document: DocumentNode
    forbids_literals: bool
    _fragments: dict[str, FragmentDefinitionNode] = field(init=False)
    _sizes: dict[str, _Size] = field(default_factory=dict)

    def __post_init__(self) -> None:
        nodes = (node for node in self.document.definitions if isinstance(node, FragmentDefinitionNode))
        self._fragments = {node.name.value: node for node in nodes}

    def selection_set(self, node: SelectionSetNode) -> _Size:
        size = _Size()
        for selection in node.selections:
            size = size.beside(self._selection(selection))
        return size

    def _selection(self, node: SelectionNode) -> _Size:
        own = _Size(directives=len(node.directives or ()))
        if isinstance(node, FieldNode):
            return own.beside(self._field(node))
        if isinstance(node, FragmentSpreadNode):
            return own.beside(_Size(fragments=1)).beside(self._spread(node.name.value))
        below: SelectionSetNode = node.selection_set  # type: ignore[attr-defined]
        return own.beside(_Size(fragments=1)).beside(self.selection_set(below))

    def _field(self, node: FieldNode) -> _Size:
        if self.forbids_literals:
            _refuse_literals(node.name.value, (argument.value for argument in node.arguments or ()))
        below = self.selection_set(node.selection_set) if node.selection_set else _Size()
        return _Size(below.depth + 1, below.aliases + (node.alias is not None), 1, below.directives, below.fragments)

    def _spread(self, name: str) -> _Size:
        known = self._sizes.get(name)
        if known is not None:
            return known
        # A fragment that spreads itself has no size; validation refuses it.
        self._sizes[name] = _Size()
        fragment = self._fragments.get(name)
        if fragment is not None:
            self._sizes[name] = self.selection_set(fragment.selection_set)
        return self._sizes[name]


def _refuse_literals(field_name: str, values: Iterable[ValueNode]) -> None:
    for value in values:
        if isinstance(value, ListValueNode):
            _refuse_literals(field_name, value.values)
        elif isinstance(value, ObjectValueNode):
            _refuse_literals(field_name, (member.value for member in value.fields))
        elif not isinstance(value, VariableNode):
            message = f"The arguments of '{field_name}' hold a value: send values as variables."
            raise OperationError(LITERALS_FORBIDDEN, message)
