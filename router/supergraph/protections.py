"""``@authenticated``, ``@requiresScopes`` and ``@policy`` of a supergraph: who may see which type and field.

``type User { ssn: String @requiresScopes(scopes: [["read:ssn"], ["admin"]]) }`` ->
``{"User.ssn": Requirement(scopes=(frozenset({"read:ssn"}), frozenset({"admin"})))}``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import ConstDirectiveNode, DocumentNode, ObjectTypeDefinitionNode, TypeDefinitionNode

from router.federation.alternatives import NOTHING_ASKED, Alternatives, alternatives_in, meet_all
from router.supergraph.join_spec import JoinNames, directive_values, is_machinery, read_join_fields


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a requester must have: to be authenticated, and all of one of the sets of scopes, and of policies."""

    authenticated: bool = False
    scopes: Alternatives = NOTHING_ASKED
    policies: Alternatives = NOTHING_ASKED

    def and_also(self, other: Requirement | None) -> Requirement:
        """What meets both; ``self`` where there is no ``other``, or the same."""
        if other is None or other == self:
            return self
        scopes, policies = meet_all((self.scopes, other.scopes)), meet_all((self.policies, other.policies))
        return Requirement(self.authenticated or other.authenticated, scopes, policies)


# By coordinate: `Type`, or `Type.field`.
Protections = Mapping[str, Requirement]


def read_protections(document: DocumentNode, names: JoinNames) -> Protections:
    """The requirement of each protected type and field; empty where the supergraph protects nothing."""
    if names.authenticated is names.requires_scopes is names.policy is None:
        return {}
    found: dict[str, Requirement] = {}
    for coordinate, directives in _elements(document, names):
        requirement = _read_requirement(directives, names)
        if requirement is not None:
            found[coordinate] = requirement
    return found | _of_interface_objects(document, names, found)


def _of_interface_objects(document: DocumentNode, names: JoinNames, own: Protections) -> dict[str, Requirement]:
    """The requirements of fields that objects have from an interface object: the interface's as well as their own.

    Our composer copies them to the objects; a supergraph of another may have them at the interface alone, whose field
    is the same one.
    """
    found: dict[str, Requirement] = {}
    for definition in document.definitions:
        if not isinstance(definition, ObjectTypeDefinitionNode):
            continue
        for field in definition.fields or ():
            if not any(one.graph is None for one in read_join_fields(field.directives, names)):
                continue
            coordinate = f"{definition.name.value}.{field.name.value}"
            for interface in definition.interfaces or ():
                inherited = own.get(f"{interface.name.value}.{field.name.value}")
                if inherited is not None:
                    found[coordinate] = inherited.and_also(found.get(coordinate) or own.get(coordinate))
    return found


def _elements(document: DocumentNode, names: JoinNames) -> Iterator[tuple[str, Iterable[ConstDirectiveNode] | None]]:
    for definition in document.definitions:
        if not isinstance(definition, TypeDefinitionNode) or is_machinery(definition.name.value, names):
            continue
        yield definition.name.value, definition.directives
        for field in getattr(definition, "fields", None) or ():
            yield f"{definition.name.value}.{field.name.value}", field.directives


def _read_requirement(directives: Iterable[ConstDirectiveNode] | None, names: JoinNames) -> Requirement | None:
    if not directives:
        return None
    authenticated = any(True for _ in _applied(directives, names.authenticated))
    scopes, policies = _applied(directives, names.requires_scopes), _applied(directives, names.policy)
    requirement = Requirement(
        authenticated,
        _all_of(alternatives_in(values.get("scopes")) for values in scopes),
        _all_of(alternatives_in(values.get("policies")) for values in policies),
    )
    return requirement if requirement != Requirement() else None


def _applied(directives: Iterable[ConstDirectiveNode], name: str | None) -> Iterator[dict[str, Any]]:
    return directive_values(directives, name) if name is not None else iter(())


def _all_of(applications: Iterable[Alternatives]) -> Alternatives:
    """What meets each application of a directive; a list of no alternatives is met by nobody."""
    found = list(applications)
    return found[0] if len(found) == 1 else meet_all(found)
