"""For how long something is kept: what the subgraph says, and what is said of the types and fields in it."""

from __future__ import annotations

from typing import Any

import pytest

from router.supergraph.cache_hints import CacheHint
from router.supergraph.read import read_supergraph
from tests.server.caching.larder import Larder, Subgraph, entities, larder, root
from tests.server.shop import SUPERGRAPH

HINTED = SUPERGRAPH.replace(
    "scalar join__FieldSet",
    "enum CacheControlScope { PUBLIC PRIVATE }\n"
    "directive @cacheControl(maxAge: Int, scope: CacheControlScope) on FIELD_DEFINITION | OBJECT\n"
    "scalar join__FieldSet",
)


def hinted(**places: str) -> str:
    """The shop's supergraph with ``@cacheControl`` at types and fields."""
    sdl = HINTED
    for place, directive in places.items():
        at = {"Product": "type Product ", "name": "name: String ", "products": "products(first: Int = 2): [Product!] "}
        assert sdl.count(at[place]) == 1
        sdl = sdl.replace(at[place], f"{at[place]}@cacheControl({directive}) ")
    return sdl


async def kept_for(cache: Larder, request: Any) -> int:
    """For how many seconds the answer to ``request`` is kept."""
    await cache.client.send(request)
    for second in range(100):
        before = len(cache.subgraph.asked)
        await cache.client.send(request)
        if len(cache.subgraph.asked) > before:
            return second
        cache.later(1)
    return 100


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("says", "lifetimes", "seconds"),
    [
        (None, {}, 0),
        (None, {"Product": 40}, 40),
        (None, {"Product": 40, "Product.name": 10}, 10),
        (None, {"Product.name": 10}, 0),
        (None, {"Product": 40, "Product.id": 10}, 40),
        ("public, max-age=30", {"Product": 40}, 30),
        ("public, max-age=50", {"Product": 40}, 40),
        ("public, max-age=50", {"Product.name": 10}, 10),
        ("no-store", {"Product": 40}, 0),
    ],
)
async def test_an_entity_is_kept_for_the_smallest_of_what_is_said(
    says: str | None, lifetimes: dict[str, int], seconds: int
) -> None:
    cache = larder(Subgraph(says=says), lifetimes={name: {"max_age_s": age} for name, age in lifetimes.items()})
    assert await kept_for(cache, entities("1")) == seconds


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("lifetimes", "document", "seconds"),
    [
        ({"Query.products": 40}, "{products{name}}", 40),
        ({"Product": 30}, "{products{name}}", 30),
        ({"Query.products": 40, "Product": 30}, "{products{name}}", 40),
        ({"Query.products": 40, "Product.name": 10}, "{products{name}}", 10),
        ({"Query.products": 40, "Product.name": 10}, "{products{id}}", 40),
        ({"Query.products": 40}, "{products{name} whoami}", 0),
        ({"Query.products": 40, "Query.whoami": 20}, "{products{name} whoami}", 20),
        ({"Query.products": 40}, "query($a:Boolean!){... @include(if:$a){products{name}}}", 40),
    ],
)
async def test_a_root_fetch_is_kept_where_each_of_its_fields_has_a_lifetime(
    lifetimes: dict[str, int], document: str, seconds: int
) -> None:
    cache = larder(Subgraph(says=None), lifetimes={name: {"max_age_s": age} for name, age in lifetimes.items()})
    assert await kept_for(cache, root(document)) == seconds


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("settings", "says", "seconds"),
    [
        ({"max_ttl_s": 20}, "public, max-age=50", 20),
        ({"default_ttl_s": 15}, None, 15),
        ({"default_ttl_s": 15}, "public, max-age=50", 50),
        ({"default_ttl_s": 15, "lifetimes": {"Product": {"max_age_s": 40}}}, None, 40),
        ({"default_ttl_s": 15, "lifetimes": {"Product.name": {"max_age_s": 10}}}, None, 10),
    ],
)
async def test_settings_cap_and_fill_in(settings: dict[str, Any], says: str | None, seconds: int) -> None:
    assert await kept_for(larder(Subgraph(says=says), **settings), entities("1")) == seconds


@pytest.mark.asyncio
async def test_the_supergraphs_directive_holds_and_the_settings_go_before_it() -> None:
    sdl = hinted(Product="maxAge: 40", name="maxAge: 30")
    assert await kept_for(larder(Subgraph(says=None), sdl=sdl), entities("1")) == 30
    settings: dict[str, Any] = {"lifetimes": {"Product.name": {"max_age_s": 35}}}
    assert await kept_for(larder(Subgraph(says=None), sdl=sdl, **settings), entities("1")) == 35


@pytest.mark.asyncio
async def test_a_directive_may_say_that_it_is_private_and_no_more() -> None:
    cache = larder(Subgraph(says="public, max-age=40"), sdl=hinted(name="scope: PRIVATE"))
    for token in ("ada", "bob"):
        await cache.names("1", token=token)
    assert len(cache.subgraph.asked) == 2
    assert await kept_for(larder(Subgraph(says=None), sdl=hinted(Product="scope: PRIVATE")), entities("1")) == 0


def test_directives_are_read_by_coordinate() -> None:
    sdl = hinted(Product="maxAge: 40", name="scope: PRIVATE", products="maxAge: 5, scope: PUBLIC")
    assert read_supergraph(sdl).cache_hints == {
        "Product": CacheHint(40),
        "Product.name": CacheHint(None, is_private=True),
        "Query.products": CacheHint(5),
    }
    assert read_supergraph(hinted(Product="maxAge: -1")).cache_hints == {}
    assert read_supergraph(SUPERGRAPH).cache_hints == {}
