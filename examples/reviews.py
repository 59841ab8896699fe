"""A sixth subgraph beside the mall: reviews of its products, in Strawberry alone.

::

    .venv/bin/uvicorn --app-dir examples reviews:app --port 4100

A router that runs takes it over once `supergraph.yaml` has it::

    reviews:
      schema:
        subgraph_url: http://127.0.0.1:4100/graphql
"""

from __future__ import annotations

import strawberry
from strawberry.asgi import GraphQL

BODIES = {"BOK-012": ("I have not mistaken a ligature for a letter since.", "Too heavy for walks.")}


@strawberry.type
class Review:
    """What somebody thinks of a product."""

    body: str


@strawberry.federation.type(keys=["id"])
class Product:
    """The mall's product, of which this subgraph knows the id and has the reviews."""

    id: strawberry.ID

    @strawberry.field
    def reviews(self, first: int = 10) -> list[Review]:
        """The first ones."""
        return [Review(body=body) for body in BODIES.get(self.id, ())[:first]]

    @classmethod
    def resolve_reference(cls, id: strawberry.ID) -> Product:  # noqa: A002 - the key's name
        """The product that another subgraph found."""
        return cls(id=id)


schema = strawberry.federation.Schema(types=[Product])
app = GraphQL(schema)
