"""A graph of two subgraphs in this process with protected types and fields, and what was asked of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from graphql import build_schema, graphql_sync
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from router import Subgraph, compose
from router.execution.httpx_client import HttpxSubgraphClient
from router.server.access.caller import ANONYMOUS, Caller, Requester
from router.server.app import RouterApp
from router.server.config import RouterConfig
from router.server.graphs.graph import open_graph
from router.server.http.graphql_request import GraphQLRequest
from router.supergraph.read import read_supergraph

LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9",'
    ' import: ["@key", "@requires", "@external", "@authenticated", "@requiresScopes", "@policy"])\n'
)
PEOPLE = """
type Query {
  me: Person
  people: [Person!]
  media: [Media]
  things: [Thing]
  vault: Vault
  diary: String @authenticated
}
type Mutation { rename(name: String!): Person  erase: Boolean @requiresScopes(scopes: [["admin"]]) }
type Subscription { renamed: String @authenticated }
type Person @key(fields: "id") {
  id: ID!
  name: String
  boss: Person
  ssn: String @requiresScopes(scopes: [["read:ssn", "read:people"], ["admin"]])
  salary: Salary
  pin: String! @authenticated
}
scalar Salary @authenticated
interface Media { title: String  price: Int }
type Book implements Media { title: String  price: Int }
type Film implements Media { title: String  price: Int @authenticated }
union Thing = Book | Vault
type Vault @policy(policies: [["open"]]) { content: String }
"""
CREDIT = """
type Person @key(fields: "id") {
  id: ID!
  ssn: String @external
  rating: Int @requires(fields: "ssn") @requiresScopes(scopes: [["read:ssn", "read:people"], ["admin"]])
}
"""
ENTITIES = "scalar _Any  union _Entity = Person  extend type Query { _entities(representations: [_Any!]!): [_Entity]! }"
SECRETS = ("078-05-1120", "4711", "90000", "gold", "dear diary")


def _person(key: str) -> dict[str, Any]:
    boss = {"1": "2"}.get(key)
    return {
        "__typename": "Person",
        "id": key,
        "name": {"1": "Ada", "2": "Grace"}[key],
        "boss": (lambda _: _person(boss)) if boss else None,
        "ssn": "078-05-1120",
        "salary": 90000,
        "pin": "4711",
    }


def _entity(representation: Mapping[str, Any]) -> dict[str, Any]:
    rating = 720 if representation.get("ssn") == "078-05-1120" else None
    return {**_person(representation["id"]), "rating": rating}


ROOT: Mapping[str, Any] = {
    "me": lambda _: _person("1"),
    "people": lambda _: [_person("1"), _person("2")],
    "media": lambda _: [
        {"__typename": "Book", "title": "Mort", "price": 9},
        {"__typename": "Film", "title": "Alien", "price": 12},
    ],
    "things": lambda _: [{"__typename": "Book", "title": "Mort"}, {"__typename": "Vault", "content": "gold"}],
    "vault": lambda _: {"__typename": "Vault", "content": "gold"},
    "diary": "dear diary",
    "rename": lambda _, name: _person("1") | {"name": name},
    "_entities": lambda _, representations: [_entity(one) for one in representations],
}


def supergraph_sdl() -> str:
    """The composed supergraph."""
    composition = compose([Subgraph(name, f"http://{name}.test/graphql", LINK + sdl) for name, sdl in SDLS.items()])
    assert composition.supergraph_sdl is not None, composition.errors
    return composition.supergraph_sdl


SDLS = {"people": PEOPLE, "credit": CREDIT}
EXECUTED = {
    "people": build_schema(PEOPLE + ENTITIES, assume_valid=True, assume_valid_sdl=True),
    "credit": build_schema("type Query { ok: Int }" + CREDIT + ENTITIES, assume_valid=True, assume_valid_sdl=True),
}


@dataclass(slots=True)
class Guarded:
    """The graph; ``asked`` has each document that a subgraph got, by its name."""

    sdl: str = field(default_factory=supergraph_sdl)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def router(self, config: RouterConfig | None = None) -> RouterApp:
        """A router over the subgraphs."""
        config = config or RouterConfig()
        mounts = {
            f"http://{name}.test": httpx.ASGITransport(self._app(name), raise_app_exceptions=True) for name in SDLS
        }
        supergraph = read_supergraph(self.sdl)
        urls = {name: info.url for name, info in supergraph.subgraphs.items()}
        client = HttpxSubgraphClient(urls, httpx.AsyncClient(mounts=mounts, trust_env=False))
        return RouterApp(config, open_graph(supergraph, config, client))

    def _app(self, name: str) -> Starlette:
        async def answer(request: Request) -> Response:
            sent = await request.json()
            self.asked.append((name, sent["query"]))
            result = graphql_sync(EXECUTED[name], sent["query"], ROOT, variable_values=sent.get("variables"))
            return JSONResponse(result.formatted)

        return Starlette(routes=[Route("/graphql", answer, methods=["POST"])])


def requester(*scopes: str) -> Requester:
    """Somebody who is known, with these scopes."""
    return Requester({"sub": "ada"}, frozenset(scopes))


@dataclass(frozen=True, slots=True)
class Answered:
    """What a client got: data, and path and code of each error."""

    data: Any
    errors: list[tuple[tuple[str | int, ...], object]]


async def ask(app: RouterApp, query: str, who: Requester = ANONYMOUS, **variables: object) -> Answered:
    """Send ``query`` as ``who``; nothing that is secret may be anywhere in the answer to nobody."""
    service, caller = app.service, Caller(requester=who)
    request = GraphQLRequest(query, variables=variables)
    graph, compiled = await service.compiled_operation(request, caller)
    started = asyncio.get_running_loop().time()
    result = await service.run(graph, compiled, request, caller, started)
    answer = Answered(result.data, [(error.path, error.extensions.get("code")) for error in result.errors])
    if who is ANONYMOUS:
        told = json.dumps([result.data, [error.to_json() for error in result.errors]])
        assert not [secret for secret in SECRETS if secret in told]
    return answer
