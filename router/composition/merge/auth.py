"""Who may see a field of an interface: whoever may see it on all types that implement the interface.

``@authenticated``, ``@requiresScopes`` and ``@policy`` are written on object types and their fields. An interface,
and each of its fields, asks for all that its implementations ask for; and a field that an ``@interfaceObject`` resolves
asks for the same on every implementation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from router.composition.merge.applied_directives import DirectiveMerge
from router.composition.merge.context import MergeContext
from router.composition.preprocess.federation_rules import AUTH_DIRECTIVES
from router.composition.schema import Application, Field, TypeDefinition, TypeKind, applied

_Applications = tuple[Application, ...]


def propagate_auth(context: MergeContext, directives: DirectiveMerge, types: dict[str, TypeDefinition]) -> None:
    """Complete the auth directives of interfaces and of what ``@interfaceObject`` resolves, in place."""
    if not directives.used & set(AUTH_DIRECTIVES):
        return
    interfaces = [name for name, type_ in types.items() if type_.kind is TypeKind.INTERFACE]
    for name in interfaces:
        _push_down(context, directives, types, name)
    for name in interfaces:
        _pull_up(context, directives, types, name)


def _auth(applications: Iterable[Application]) -> _Applications:
    return tuple(application for application in applications if application.spec in AUTH_DIRECTIVES)


def _with_auth(applications: Iterable[Application], auth: _Applications) -> _Applications:
    return (*(a for a in applications if a.spec not in AUTH_DIRECTIVES), *auth)


def _combine(directives: DirectiveMerge, place: str, all_auth: Iterable[_Applications]) -> _Applications:
    """What all of several requirements together ask for."""
    sources: Mapping[int, _Applications] = dict(enumerate(auth for auth in all_auth if auth))
    return directives.merge(place, sources, {})


def _push_down(
    context: MergeContext, directives: DirectiveMerge, types: dict[str, TypeDefinition], interface: str
) -> None:
    objects = {i: t for i, t in context.type_sources(interface).items() if applied(t, "interfaceObject")}
    if not objects:
        return
    for name in context.relations.implementations(interface):
        type_ = types[name]
        fields = dict(type_.fields)
        for field in type_.fields.values():
            declared = [_auth(t.fields[field.name].directives) for t in objects.values() if field.name in t.fields]
            if any(declared) and not any(a.name == "join__field" and not a.arguments for a in field.directives):
                auth = _combine(directives, f"{name}.{field.name}", [_auth(field.directives), *declared])
                fields[field.name] = replace(field, directives=_with_auth(field.directives, auth))
        types[name] = replace(type_, fields=fields)


def _pull_up(
    context: MergeContext, directives: DirectiveMerge, types: dict[str, TypeDefinition], interface: str
) -> None:
    type_ = types[interface]
    implementations = [types[name] for name in context.relations.implementations(interface)]
    own = _combine(directives, interface, [_auth(t.directives) for t in implementations])
    fields: dict[str, Field] = {}
    for field in type_.fields.values():
        required = [_auth(t.fields[field.name].directives) for t in implementations if field.name in t.fields]
        auth = _combine(directives, f"{interface}.{field.name}", [_auth(field.directives), *required])
        fields[field.name] = replace(field, directives=_with_auth(field.directives, auth)) if auth else field
    types[interface] = replace(type_, directives=_with_auth(type_.directives, own), fields=fields)
