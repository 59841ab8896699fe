"""What is to be dropped, as people and programs say it -> tags.

``{"type": "Product", "key": {"id": "1"}}`` is that product wherever it is kept, also where it is known by an interface
that it implements; ``{"type": "Product"}`` are all, ``{"field": "Query.products"}`` the root fetches with that field,
``{"subgraph": "inventory"}`` whatever it answered, ``{"tag": "sale"}`` what a subgraph has named so, ``{"all": true}``
everything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from router.nearest import nearest
from router.server.caching.entry import EVERYTHING
from router.server.caching.selected import GraphFacts
from router.server.caching.tags import dropped_with, subgraph_tag, surrogate_tag
from router.server.request_error import RequestError

MAX_SELECTORS = 1000
_FORMS = "{type, key?}, {field}, {subgraph}, {tag} or {all: true}"


def tags_selected(selectors: Any, facts: GraphFacts) -> frozenset[str]:
    """The tags that a list of selectors, or a single one, stands for. RequestError: 400 INVALID_REQUEST."""
    listed = selectors if type(selectors) is list else [selectors]
    if len(listed) > MAX_SELECTORS:
        raise _invalid(f"Send no more than {MAX_SELECTORS} at once.")
    tags: frozenset[str] = frozenset()
    for selector in listed:
        if type(selector) is not dict:
            raise _invalid(f"What to drop is said by {_FORMS}.")
        tags |= _tags(selector, facts)
    return tags


def _tags(selector: Mapping[str, Any], facts: GraphFacts) -> frozenset[str]:
    match selector:
        case {"type": str(name), "key": dict(key), **rest} if not rest and len(key) == 1:
            ((field, value),) = key.items()
            return entity_tags(name, field, value, facts)
        case {"type": str(name), **rest} if not rest:
            return type_tags(name, facts)
        case {"field": str(coordinate), **rest} if not rest:
            return frozenset({_known_field(coordinate, facts)})
        case {"subgraph": str(name), **rest} if not rest:
            _check(name, facts.graph.subgraphs, "subgraph")
            return frozenset({subgraph_tag(name)})
        case {"tag": str(name), **rest} if not rest:
            return frozenset({surrogate_tag(name)})
        case {"all": True, **rest} if not rest:
            return frozenset({EVERYTHING})
    raise _invalid(f"What to drop is said by {_FORMS}; a key has one field.")


def type_tags(name: str, facts: GraphFacts) -> frozenset[str]:
    """The tags of all entities of a type. RequestError where there is no such type."""
    _check(name, facts.graph.merged, "type")
    return facts.related(name)


def entity_tags(name: str, field: str, value: Any, facts: GraphFacts) -> frozenset[str]:
    """The tags of whatever may hold one entity. RequestError where no entities are known by that."""
    related = type_tags(name, facts)
    known = {one for type_name in related for one in facts.key_fields.get(type_name, ())}
    _check(field, known, f"key field of '{name}'")
    if type(value) not in (str, int, float):
        raise _invalid(f"The value of the key field '{field}' is no text and no number.")
    return dropped_with(related, field, value)


def _known_field(coordinate: str, facts: GraphFacts) -> str:
    type_name, _, name = coordinate.partition(".")
    root = facts.graph.roots.get("query", "Query")
    if type_name != root:
        raise _invalid(f"'{coordinate}' is no field of {root}, by which root fetches are known.")
    _check(name, facts.graph.merged[root].fields, f"field of {root}")
    return coordinate


def _check(name: str, known: Any, kind: str) -> None:
    if name not in known:
        raise _invalid(f"There is no {kind} '{name}'{nearest(name, known, '.')}")


def _invalid(message: str) -> RequestError:
    return RequestError(400, "INVALID_REQUEST", message)
