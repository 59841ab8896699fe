"""The plans of the benchmark's five operations, written by hand: what a router would run after a hit in its cache.

No validation, errors, nulls, limits or metrics. It is a ceiling for what Python allows, and no router.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import orjson

from bench.operations import FOLDER, NAMES
from bench.peers.ceiling.client import Pool

Json = Any
Run = Callable[[Json], Awaitable[bytes]]
ACCOUNTS, INVENTORY, PRODUCTS, REVIEWS = b"/accounts", b"/inventory", b"/products", b"/reviews"

REVIEWED = "id body author{id username reviews{id body product{upc}}}"
USERS = "{users{id username name}}"
TOP_PRODUCTS = "{topProducts{upc name price weight}}"
FIRST_PRODUCTS = "query($first:Int){topProducts(first:$first){upc name price weight}}"
REVIEWS_OF = (
    "query($u:[_Any!]!$p:[_Any!]!){u:_entities(representations:$u){...on User{reviews{id body product{upc reviews{"
    f"{REVIEWED}}}}}}}}}}} p:_entities(representations:$p){{...on Product{{reviews{{{REVIEWED}}}}}}}}}"
)
NAMES_OF = "query($r:[_Any!]!){_entities(representations:$r){...on User{name}}}"
PRICES_OF = "query($r:[_Any!]!){_entities(representations:$r){...on Product{name price weight}}}"
STOCK_OF = "query($r:[_Any!]!){_entities(representations:$r){...on Product{inStock shippingEstimate}}}"


def _body(query: str, **variables: Json) -> bytes:
    return orjson.dumps({"query": query, "variables": variables} if variables else {"query": query})


BODY_USERS, BODY_TOP = _body(USERS), _body(TOP_PRODUCTS)
BODY_FIRST_THREE = _body("{topProducts(first:3){upc name price weight}}")


class Plans:
    """Runs the operations over the subgraphs at ``pool``."""

    def __init__(self, pool: Pool) -> None:
        self._post = pool.post
        runs: Mapping[str, Run] = {
            "a": self.run_a,
            "b": self.run_b,
            "c": self.run_c,
            "b2": self.run_b,
            "c2": self.run_c,
        }
        self._runs = {(FOLDER / "operations" / f"{name}.graphql").read_text(): runs[name[0]] for name in NAMES}

    async def answer(self, request: bytes) -> bytes:
        """The answer to the body of a request."""
        sent = orjson.loads(request)
        run = self._runs.get(sent["query"])
        return b'{"data":{"__typename":"Query"}}' if run is None else await run(sent.get("variables"))

    async def run_a(self, _: Json) -> bytes:
        users, top = await asyncio.gather(self._fetch(ACCOUNTS, BODY_USERS), self._fetch(PRODUCTS, BODY_TOP))
        data = users["data"] | top["data"]
        of_users, u = _group(data["users"], "User", "id")
        of_products, p = _group(data["topProducts"], "Product", "upc")
        found = (await self._fetch(REVIEWS, _body(REVIEWS_OF, u=u, p=p)))["data"]
        _merge(of_users, found["u"])
        _merge(of_products, found["p"])
        authors, products = _authors_and_products(data)
        of_authors, a = _group(authors, "User", "id")
        of_products, p = _group(products, "Product", "upc")
        names, prices = await asyncio.gather(
            self._fetch(ACCOUNTS, _body(NAMES_OF, r=a)), self._fetch(PRODUCTS, _body(PRICES_OF, r=p))
        )
        _merge(of_authors, names["data"]["_entities"])
        _merge(of_products, prices["data"]["_entities"])
        await self._stock(data["topProducts"] + products)
        return _finish(_project_a(data))

    async def run_b(self, variables: Json) -> bytes:
        return _finish(_project_b(await self._first_products(variables)))

    async def run_c(self, variables: Json) -> bytes:
        data = await self._first_products(variables)
        await self._stock(data["topProducts"])
        return _finish(_project_c(data))

    async def _first_products(self, variables: Json) -> Json:
        body = _body(FIRST_PRODUCTS, **variables) if variables else BODY_FIRST_THREE
        return (await self._fetch(PRODUCTS, body))["data"]

    async def _stock(self, products: list[Json]) -> None:
        groups, representations = _group(products, "Product", "upc", ("price", "weight"))
        _merge(groups, (await self._fetch(INVENTORY, _body(STOCK_OF, r=representations)))["data"]["_entities"])

    async def _fetch(self, path: bytes, body: bytes) -> Json:
        return orjson.loads(await self._post(path, body))


def _group(
    objects: Iterable[Json], typename: str, key: str, more: tuple[str, ...] = ()
) -> tuple[dict[Json, list[Json]], list[Json]]:
    groups: dict[Json, list[Json]] = {}
    representations: list[Json] = []
    for one in objects:
        value = one[key]
        group = groups.get(value)
        if group is None:
            groups[value] = [one]
            representation = {"__typename": typename, key: value}
            for name in more:
                representation[name] = one[name]
            representations.append(representation)
        else:
            group.append(one)
    return groups, representations


def _merge(groups: dict[Json, list[Json]], entities: list[Json]) -> None:
    for group, entity in zip(groups.values(), entities, strict=True):
        if entity is not None:
            for one in group:
                one.update(entity)


def _authors_and_products(data: Json) -> tuple[list[Json], list[Json]]:
    authors: list[Json] = []
    products: list[Json] = []

    def add(review: Json) -> None:
        author = review["author"]
        authors.append(author)
        products.extend([of_author["product"] for of_author in author["reviews"]])

    for user in data["users"]:
        for review in user["reviews"]:
            product = review["product"]
            products.append(product)
            for of_product in product["reviews"]:
                add(of_product)
    for product in data["topProducts"]:
        for review in product["reviews"]:
            add(review)
    return authors, products


def _project_a(data: Json) -> Json:
    return {
        "users": [
            {
                "id": u["id"],
                "username": u["username"],
                "name": u["name"],
                "reviews": [
                    {"id": r["id"], "body": r["body"], "product": _reviewed(r["product"])} for r in u["reviews"]
                ],
            }
            for u in data["users"]
        ],
        "topProducts": [_reviewed(p) for p in data["topProducts"]],
    }


def _reviewed(p: Json) -> Json:
    projected = _product(p)
    projected["reviews"] = [_review(r) for r in p["reviews"]]
    return projected


def _product(p: Json) -> Json:
    return {
        "inStock": p["inStock"],
        "name": p["name"],
        "price": p["price"],
        "shippingEstimate": p["shippingEstimate"],
        "upc": p["upc"],
        "weight": p["weight"],
    }


def _review(r: Json) -> Json:
    a = r["author"]
    return {
        "id": r["id"],
        "body": r["body"],
        "author": {
            "id": a["id"],
            "username": a["username"],
            "name": a["name"],
            "reviews": [{"id": x["id"], "body": x["body"], "product": _product(x["product"])} for x in a["reviews"]],
        },
    }


def _project_b(data: Json) -> Json:
    products = data["topProducts"]
    return {
        "topProducts": [
            {"upc": p["upc"], "name": p["name"], "price": p["price"], "weight": p["weight"]} for p in products
        ]
    }


def _project_c(data: Json) -> Json:
    products = data["topProducts"]
    return {
        "topProducts": [
            {
                "upc": p["upc"],
                "name": p["name"],
                "inStock": p["inStock"],
                "shippingEstimate": p["shippingEstimate"],
            }
            for p in products
        ]
    }


def _finish(data: Json) -> bytes:
    return b'{"data":' + orjson.dumps(data) + b"}"
