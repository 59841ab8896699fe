"""Tags: what an entry is dropped by. An entity by its type, by one field of its key, and by what is given by hand.

``Product``, ``Product.id=1``, ``Product.id=*`` (some product, of which the id is not known), ``Query.products``,
``subgraph:inventory``, and ``tag:spring-sale`` of the subgraph's own naming.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

ANY = "*"


def entity_tag(type_name: str, key: str, value: Any) -> str:
    """The tag of the entities of a type whose ``key`` is ``value``."""
    return f"{type_name}.{key}={value}"


def of_any(tag: str) -> str:
    """``Product.id=1`` -> ``Product.id=*``; other tags as they are."""
    name, separator, _ = tag.partition("=")
    return f"{name}={ANY}" if separator else tag


def dropped_with(types: Iterable[str], key: str, value: Any) -> frozenset[str]:
    """The tags of whatever may hold an entity, which is known as any of ``types``."""
    return frozenset(entity_tag(name, key, one) for name in types for one in (value, ANY))


def subgraph_tag(subgraph: str) -> str:
    """The tag of all that a subgraph answered."""
    return f"subgraph:{subgraph}"


def surrogate_tag(name: str) -> str:
    """The tag that a subgraph calls ``name``."""
    return f"tag:{name}"
