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
from router.federation.alternatives import Alternatives, alternatives_in, without_inclusions
from router.federation.error_codes import ErrorCode
from router.federation.field_set import FieldSetError, FragmentSelection, Selection, parse_field_set
from router.federation.literals import Literal
from router.federation.type_ref import named_type


@dataclass(frozen=True, slots=True)
class Requirements:
    """What a client must have: to be authenticated, and of each of the ``scopes`` and ``policies`` one alternative."""

    authenticated: bool = False
    scopes: tuple[Alternatives, ...] = ()
    policies: tuple[Alternatives, ...] = ()

    def imply(self, other: Requirements) -> bool:
        """Whether whoever meets these requirements meets the others too."""
        return (
            (self.authenticated or not other.authenticated)
            and all(_implies(self.scopes, wanted) for wanted in other.scopes)
            and all(_implies(self.policies, wanted) for wanted in other.policies)
        )

    def __and__(self, other: Requirements) -> Requirements:
        return Requirements(
            self.authenticated or other.authenticated,
            self.scopes + other.scopes,
            self.policies + other.policies,
        )


def _implies(given: Sequence[Alternatives], wanted: Alternatives) -> bool:
    """Whether who has one alternative of each of ``given`` has one of ``wanted``.

    They are not multiplied with each other: what is still wanted beside each alternative of one is asked of the others.
    """
    if frozenset() in wanted:
        return True
    if not given:
        return False
    names = frozenset[str]().union(*wanted)
    held, *others = sorted((without_inclusions(one & names for one in ones) for ones in given), key=len)
    lacking = (one for one in held if not any(map(one.issuperset, wanted)))
    return all(_implies(others, without_inclusions(term - one for term in wanted)) for one in lacking)


def requirements_of(element: TypeDefinition | Field) -> Requirements:
    """The requirements that an element's own directives state."""
    scopes, policies = applied(element, "requiresScopes"), applied(element, "policy")
    return Requirements(
        applied(element, "authenticated") is not None,
        _alternatives(scopes.arguments.get("scopes")) if scopes else (),
        _alternatives(policies.arguments.get("policies")) if policies else (),
    )


def _alternatives(value: Literal) -> tuple[Alternatives, ...]:
    """The alternatives that ``value`` writes; nothing is asked by none."""
    alternatives = alternatives_in(value)
    return (alternatives,) if alternatives else ()


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
