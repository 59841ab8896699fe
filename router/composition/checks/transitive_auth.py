"""A field that is computed from other fields must ask for at least what those ask for.

``@requires`` and ``@fromContext`` fetch fields that the client did not select, so nobody may see through them what they
may not see directly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from graphql import Node

from router.composition.errors import CompositionError, subgraph_error
from router.composition.merge.merge import Merged
from router.composition.preprocess.contexts import context_types, contextual_arguments
from router.composition.preprocess.field_sets import field_set_uses
from router.composition.schema import Field, Schema, TypeDefinition, applied
from router.federation.alternatives import alternatives_in
from router.federation.error_codes import ErrorCode
from router.federation.field_set import FieldSetError, FragmentSelection, Selection, parse_field_set
from router.federation.literals import Literal
from router.federation.type_ref import named_type

Alternatives = frozenset[frozenset[str]]
_TRUE: Alternatives = frozenset({frozenset()})


@dataclass(frozen=True, slots=True)
class Requirements:
    """What a client must have: to be authenticated, and one of several sets of scopes and of policies."""

    authenticated: bool = False
    scopes: Alternatives = _TRUE
    policies: Alternatives = _TRUE

    def imply(self, other: Requirements) -> bool:
        """Whether whoever meets these requirements meets the others too."""
        return (
            (self.authenticated or not other.authenticated)
            and _implies(self.scopes, other.scopes)
            and _implies(self.policies, other.policies)
        )

    def __and__(self, other: Requirements) -> Requirements:
        return Requirements(
            self.authenticated or other.authenticated,
            frozenset(a | b for a in self.scopes for b in other.scopes),
            frozenset(a | b for a in self.policies for b in other.policies),
        )


def _implies(given: Alternatives, wanted: Alternatives) -> bool:
    return all(any(term <= alternative for term in wanted) for alternative in given)


def requirements_of(element: TypeDefinition | Field) -> Requirements:
    """The requirements that an element's own directives state."""
    scopes, policies = applied(element, "requiresScopes"), applied(element, "policy")
    return Requirements(
        applied(element, "authenticated") is not None,
        _alternatives(scopes.arguments.get("scopes")) if scopes else _TRUE,
        _alternatives(policies.arguments.get("policies")) if policies else _TRUE,
    )


def _alternatives(value: Literal) -> Alternatives:
    return frozenset(alternatives_in(value)) or _TRUE


def check_transitive_auth(merged: Merged) -> Iterator[CompositionError]:
    """Errors ``MISSING_TRANSITIVE_AUTH_REQUIREMENTS``."""
    if not any(
        link.url.rpartition("/")[0].endswith(("authenticated", "requiresScopes", "policy")) for link in merged.links
    ):
        return
    schema = merged.schema
    for subgraph in merged.subgraphs:
        for use in field_set_uses(subgraph.schema):
            if use.directive == "requires" and use.text is not None:
                fault = _fault(schema, use.parent, use.coordinate.partition(".")[2], [(use.parent, use.text)])
                if fault:
                    message = f'"{use.coordinate}" requires "{fault}", but asks for less than that field'
                    yield _error(message, subgraph.name, use.application.node)
        arguments = list(contextual_arguments(subgraph.schema))
        contexts = context_types(subgraph.schema) if arguments else {}
        for argument in arguments:
            context = f"{subgraph.name}__{argument.context}"
            selected = [(name, argument.selection or "") for name in contexts.get(context, ())]
            fault = _fault(schema, argument.type.name, argument.field.name, selected)
            if fault:
                place = f"{argument.type.name}.{argument.field.name}"
                message = f'"{place}" takes "{fault}" from a context, but asks for less than that field'
                yield _error(message, subgraph.name, argument.argument.node)


def _error(message: str, subgraph: str, node: Node | None) -> CompositionError:
    hint = "add the @authenticated, @requiresScopes or @policy that it needs"
    code = ErrorCode.MISSING_TRANSITIVE_AUTH_REQUIREMENTS
    return subgraph_error(code, f"{message}; {hint}", subgraph, node)


def _fault(schema: Schema, type_name: str, field_name: str, selected: Iterable[tuple[str, str]]) -> str | None:
    """The first selected field whose requirements the given field does not imply."""
    type_ = schema.types[type_name]
    own = requirements_of(type_) & requirements_of(type_.fields[field_name])
    for parent, text in selected:
        try:
            selections = parse_field_set(text)
        except FieldSetError:
            continue
        needs = [(parent, requirements_of(schema.types[parent])), *_needed(schema, schema.types[parent], selections)]
        for place, needed in needs:
            if not own.imply(needed):
                return place
    return None


def _needed(
    schema: Schema, parent: TypeDefinition | None, selections: Sequence[Selection]
) -> Iterator[tuple[str, Requirements]]:
    for selection in selections if parent else ():
        if parent is None:
            return
        if isinstance(selection, FragmentSelection):
            target = schema.types.get(selection.type_condition or parent.name)
            if target is not None:
                yield target.name, requirements_of(target)
            yield from _needed(schema, target, selection.selections)
            continue
        field = parent.fields.get(selection.name)
        if field is None:
            continue
        yield f"{parent.name}.{field.name}", requirements_of(field)
        target = schema.types.get(named_type(field.type))
        if target is not None:
            yield f"{parent.name}.{field.name}", requirements_of(target)
            yield from _needed(schema, target, selection.selections)
