"""Generated sets of subgraphs; each is the same in every run.

``many``: 191 subgraphs with some 10,000 types and fields, as a large company has. ``typical``: 10 of the same kind.
``shared``: 7 subgraphs that all resolve all fields of the same entities, where composers that follow every way from
subgraph to subgraph explode.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from graphql import parse

LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", '
    'import: ["@key", "@shareable", "@external", "@requires", "@tag", "@inaccessible"])\n'
)
SHARED_SUBGRAPHS, SHARED_ENTITIES, SHARED_LEAVES = 7, 6, 4


def _money() -> str:
    return "type Money @shareable { amount: Int!  currency: Currency! }  enum Currency { EUR USD GBP }\n"


def _owner(number: int, count: int) -> str:
    """A subgraph with an entity of its own, value types, and fields of two entities that others own."""
    fields = "\n".join(f'  field{i}(first: Int = 10): String @tag(name: "team{number}")' for i in range(12))
    details = "\n".join(
        f"type Detail{number}x{i} {{ a: String  b: Int!  c: [ID!]!  price: Money  owner: Entity{number}! }}"
        for i in range(3)
    )
    extended = "\n".join(
        f'type Entity{other} @key(fields: "id") {{\n  id: ID!\n  from{number}: Detail{number}x0\n'
        f"  weight{other}: Int @external\n"
        f'  cost{number}of{other}: Money @requires(fields: "weight{other}")\n}}'
        for other in sorted({(number + 1) % count, (number + 7) % count} - {number})
    )
    return f"""{LINK}{_money()}
type Query {{ entity{number}(id: ID!): Entity{number}  all{number}(filter: Filter{number}): [Entity{number}!]! }}
type Mutation {{ change{number}(id: ID!): Entity{number} }}
interface Node{number} {{ id: ID! }}
type Entity{number} implements Node{number} @key(fields: "id") {{
  id: ID!
  weight{number}: Int
{fields}
  details: [Found{number}!]
}}
union Found{number} = Detail{number}x0 | Detail{number}x1 | Detail{number}x2
enum State{number} {{ OPEN CLOSED HIDDEN @inaccessible }}
input Filter{number} {{ state: State{number}  text: String  limit: Int = 20 }}
{details}
{extended}
"""


def _sharing_all() -> str:
    """Entities whose every field, and so every way from one to another, is resolved in all subgraphs."""
    entities = "\n".join(
        f'type E{i} @key(fields: "id") @key(fields: "other {{ id }}") @shareable {{\n  id: ID!\n'
        f"  other: E{(i + 1) % SHARED_ENTITIES}!\n"
        + "".join(f"  to{j}: E{j}\n" for j in range(SHARED_ENTITIES))
        + "".join(f"  leaf{j}: Int\n" for j in range(SHARED_LEAVES))
        + "}"
        for i in range(SHARED_ENTITIES)
    )
    return f"{LINK}type Query {{ start: E0 @shareable }}\n{entities}\n"


def _set(sdls: list[str]) -> str:
    subgraphs = [
        {"name": f"s{i:03}", "url": f"http://s{i:03}.test/graphql", "typeDefs": sdl} for i, sdl in enumerate(sdls)
    ]
    return json.dumps({"subgraphs": subgraphs})


SETS: Mapping[str, Callable[[], str]] = {
    "many": lambda: _set([_owner(number, 191) for number in range(191)]),
    "typical": lambda: _set([_owner(number, 10) for number in range(10)]),
    "shared": lambda: _set([_sharing_all()] * SHARED_SUBGRAPHS),
}
"""Name -> the set as JSON: ``{"subgraphs": [{"name", "url", "typeDefs"}]}``."""


def count_elements(text: str) -> int:
    """How many types and fields all subgraphs of a set define together."""
    definitions = [
        definition
        for subgraph in json.loads(text)["subgraphs"]
        for definition in parse(subgraph["typeDefs"], no_location=True).definitions
        if hasattr(definition, "name")
    ]
    return len(definitions) + sum(len(getattr(definition, "fields", None) or ()) for definition in definitions)
