"""The data of a case: objects by name, written out in ``data.json``.

``{"Query": {"mug": "Product:1"}, "Product:1": {"id": "1", "price({\\"in\\": \\"EUR\\"})": 12}}``: what stands before
the colon is the type, a string where an object belongs is the name of one, and arguments follow the field as JSON. What
is not written is null.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from router.supergraph.query_graph import MergedType
from tests.differential.world import Thing


class StoredFacts:
    """The facts of one case (:class:`tests.differential.servers.Facts`); ``calls`` are the mutations, as they came."""

    def __init__(self, merged: Mapping[str, MergedType], data: Mapping[str, Mapping[str, Any]]) -> None:
        self.merged = merged
        self.calls: list[str] = []
        self._data = data

    def pool(self, type_name: str) -> list[Thing]:
        """Every stored object that ``type_name`` can be."""
        possible = self.merged[type_name].possible
        return [thing for name in self._data if (thing := _thing(name)).type_name in possible]

    def knows(self, subgraph: str, thing: Thing) -> bool:
        """Every subgraph has every entity."""
        return True

    def value(self, thing: Thing, field: str, arguments: Mapping[str, object]) -> object:
        """What is written for the field, under its arguments if it has any."""
        key = f"{field}({json.dumps(arguments, sort_keys=True)})" if arguments else field
        if thing.type_name == "Mutation":
            self.calls.append(key)
        value = self._data.get(thing.ident, {}).get(key)
        return _with_things(value) if self.merged[thing.type_name].fields[field].composite else value


def _with_things(value: object) -> object:
    if isinstance(value, list):
        return [_with_things(item) for item in value]
    return _thing(value) if isinstance(value, str) else None


def _thing(name: str) -> Thing:
    return Thing(name.partition(":")[0], name)
