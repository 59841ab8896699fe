"""Two subgraphs that tell what they are asked: a shop and its people, in one process at ``/shop`` and ``/people``.

``python -m tests.security.attacks.subgraphs PORT`` serves them; ``GET /asked`` counts the requests to both.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator
from typing import Any

import strawberry
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send
from strawberry.asgi import GraphQL
from strawberry.file_uploads import Upload
from strawberry.types import Info

INNER = "password authentication failed for user shop at 10.0.0.7:5432 (psql://shop:hunter2@db)"
SALARY = 90_417
NAMES = {"ada": "Ada Lovelace", "bob": "Bob Byte"}
Context = Info[Any, Any]


@strawberry.federation.type(keys=["id"])
class Product:
    id: strawberry.ID

    @strawberry.field
    def name(self) -> str:
        return f"Product {self.id}"

    @strawberry.field
    def related(self) -> list[Product]:
        return [Product(id=strawberry.ID("1")), Product(id=strawberry.ID("2"))]

    @classmethod
    def resolve_reference(cls, id: strawberry.ID) -> Product:  # noqa: A002 - the key's name
        return cls(id=id)


@strawberry.input
class Filter:
    text: str | None = None
    price: int | None = None
    every: list[Filter] | None = None
    sizes: list[int] | None = None


@strawberry.type(name="Query")
class ShopQuery:
    @strawberry.field
    def products(self, first: int = 3) -> list[Product]:
        return [Product(id=strawberry.ID(str(number))) for number in range(min(first, 100))]

    @strawberry.field
    def product(self, id: strawberry.ID) -> Product:  # noqa: A002 - the argument's name
        return Product(id=id)

    @strawberry.field
    def search(self, filter: Filter) -> list[str]:  # noqa: A002 - the argument's name
        return [] if filter.text is None else [filter.text]

    @strawberry.field
    def echo(self, text: str) -> str:
        return text

    @strawberry.field
    def headers(self, info: Context) -> list[str]:
        """Every header that came, a line each."""
        return sorted(f"{name}: {value}" for name, value in info.context["request"].headers.items())

    @strawberry.field
    def refuse(self, text: str) -> str | None:
        """Fails, and repeats what it was told."""
        raise ValueError(text)

    @strawberry.field
    def broken(self) -> str | None:
        raise ValueError(INNER)


@strawberry.type
class Mutation:
    @strawberry.mutation
    def login(self, name: str, password: str) -> bool:
        return (name, password) == ("ada", "correct horse")

    @strawberry.mutation
    async def store(self, file: Upload) -> int:
        return len(await file.read())  # type: ignore[attr-defined]  # for mypy Upload is a NewType of bytes


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def ticks(self) -> AsyncGenerator[int, None]:
        while True:
            yield 1
            await asyncio.sleep(0.1)

    @strawberry.subscription
    async def broken_ticks(self) -> AsyncGenerator[int, None]:
        yield _fail()


def _fail() -> int:
    raise ValueError(INNER)


@strawberry.federation.type(keys=["id"])
class Person:
    id: strawberry.ID

    @strawberry.field
    def name(self) -> str:
        return NAMES[self.id]

    @strawberry.federation.field(requires_scopes=[["staff"]])  # type: ignore[untyped-decorator]  # strawberry's own
    def salary(self) -> int | None:
        return SALARY

    @classmethod
    def resolve_reference(cls, id: strawberry.ID) -> Person:  # noqa: A002 - the key's name
        return cls(id=id)


@strawberry.type(name="Query")
class PeopleQuery:
    @strawberry.federation.field(authenticated=True)  # type: ignore[untyped-decorator]  # strawberry's own
    def me(self, info: Context) -> Person | None:
        return Person(id=info.context["request"].headers["x-user-id"])

    @strawberry.field
    def people(self) -> list[Person]:
        return [Person(id=strawberry.ID(key)) for key in NAMES]


SHOP = strawberry.federation.Schema(query=ShopQuery, mutation=Mutation, subscription=Subscription)
PEOPLE = strawberry.federation.Schema(query=PeopleQuery)


class Counted:
    """``app``, with a count of what it was asked."""

    def __init__(self, app: ASGIApp) -> None:
        self.count = 0
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.count += 1
        await self._app(scope, receive, send)


def app() -> Starlette:
    """Both subgraphs, and what was asked of them."""
    shop = Counted(GraphQL(SHOP, multipart_uploads_enabled=True))
    people = Counted(GraphQL(PEOPLE))

    async def asked(_: Request) -> Response:
        return JSONResponse(shop.count + people.count)

    return Starlette(routes=[Route("/asked", asked), Mount("/shop", shop), Mount("/people", people)])


if __name__ == "__main__":
    uvicorn.run(app(), port=int(sys.argv[1]), log_level="warning", ws="websockets-sansio", access_log=False)
