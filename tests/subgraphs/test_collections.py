"""What every service declares of its collections: validators, indexes that can be sharded, and the documented keys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from subgraphs.chassis.command import load_service, service_names
from subgraphs.chassis.database.mongodb import Collection

PRODUCTION = Path(__file__).parents[2] / "docs" / "production.md"


def declared() -> Iterator[tuple[str, Collection]]:
    """(service, collection) for all of them."""
    for service in service_names():
        for collection in load_service(service).collections:
            yield service, collection


@pytest.mark.parametrize(("service", "collection"), tuple(declared()), ids=lambda each: getattr(each, "name", each))
def test_a_collection_has_a_validator(service: str, collection: Collection) -> None:
    assert collection.schema
    assert collection.schema["required"]


@pytest.mark.parametrize(("service", "collection"), tuple(declared()), ids=lambda each: getattr(each, "name", each))
def test_a_unique_index_does_not_keep_a_collection_from_being_sharded(service: str, collection: Collection) -> None:
    """MongoDB refuses to shard by a key that a unique index does not begin with; no hashed index is unique."""
    unique = [index.document["name"] for index in collection.indexes if index.document.get("unique")]
    assert not (collection.shard_key and unique)


def test_the_shard_keys_are_documented() -> None:
    _, _, after = PRODUCTION.read_text().partition("| service | collection | shard key |\n")
    table, _, _ = after.partition("\n\n")
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()[1:]]
    documented = {(service, name): key for service, name, key in rows}
    assert set(documented) == {(service, collection.name) for service, collection in declared()}
    for service, collection in declared():
        key, documented_key = collection.shard_key, documented[service, collection.name]
        assert documented_key == f"`{json.dumps(key)}`" if key else documented_key.startswith("none: ")
