"""``@cacheControl`` of a supergraph: how long what a type or field says may be kept.

The directive is no part of Federation: it is in a supergraph whose subgraphs compose it (``@composeDirective``).
``type Product @cacheControl(maxAge: 60)`` -> ``{"Product": CacheHint(60)}``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from graphql import ConstDirectiveNode, DocumentNode, TypeDefinitionNode

from router.supergraph.join_spec import JoinNames, directive_values, is_machinery

DIRECTIVE = "cacheControl"


@dataclass(frozen=True, slots=True)
class CacheHint:
    """For how many seconds, None where only the scope is said; and whether for nobody but who asked."""

    max_age_s: float | None
    is_private: bool = False


# By coordinate: `Type`, or `Type.field`.
CacheHints = Mapping[str, CacheHint]


def read_cache_hints(document: DocumentNode, names: JoinNames) -> CacheHints:
    """The hints of all types and fields that have one; an application without a sound age or scope is none."""
    found: dict[str, CacheHint] = {}
    for definition in document.definitions:
        if not isinstance(definition, TypeDefinitionNode) or is_machinery(definition.name.value, names):
            continue
        name = definition.name.value
        elements = [(name, definition.directives)]
        elements += [(f"{name}.{one.name.value}", one.directives) for one in getattr(definition, "fields", None) or ()]
        for coordinate, directives in elements:
            hint = _read_hint(directives)
            if hint is not None:
                found[coordinate] = hint
    return found


def _read_hint(directives: Iterable[ConstDirectiveNode] | None) -> CacheHint | None:
    for values in directive_values(directives, DIRECTIVE):
        age, scope = values.get("maxAge"), values.get("scope")
        sound_age = float(age) if isinstance(age, int) and not isinstance(age, bool) and age >= 0 else None
        if sound_age is not None or scope == "PRIVATE":
            return CacheHint(sound_age, scope == "PRIVATE")
    return None
