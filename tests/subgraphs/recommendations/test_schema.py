"""The GraphQL face of recommendations, on the store in memory."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_asyncio

from subgraphs.chassis.graphql.request_context import RequestContext
from subgraphs.chassis.identity.auth import ANONYMOUS, AuthContext
from subgraphs.recommendations.schema import make_loaders, schema
from tests.subgraphs.recommendations.examples import a_basket, over, sell
from tests.subgraphs.recommendations.memory_store import MemoryStore

ADA = AuthContext("cus_ada", "customer")
NEW_CUSTOMER = AuthContext("cus_new", "customer")
GRACE = AuthContext("staff_grace", "staff", scopes=frozenset({"orders:read-all"}))
PRODUCTS = """
query ($representations: [_Any!]!, $first: Int! = 2) {
  _entities(representations: $representations) { ... on Product { id boughtTogether(first: $first) { id } } }
}
"""
CUSTOMERS = """
query ($representations: [_Any!]!, $first: Int! = 2) {
  _entities(representations: $representations) { ... on Customer { id recommendations(first: $first) { id } } }
}
"""
EXPLAINED = """
query ($representations: [_Any!]!) {
  _entities(representations: $representations) {
    ... on Customer { explainedRecommendations(first: 2) { product { id } becauseYouBought { id } } }
  }
}
"""
TRENDING = "query ($first: Int! = 5) { trending(first: $first) { __typename id } }"


@pytest_asyncio.fixture
async def store() -> MemoryStore:
    """Ada bought a grinder; Alan bought one with beans; nobody bought the mug."""
    store = MemoryStore()
    learner = over(store)
    await sell(store, "COF-001", "COF-012", "MUG-001")
    await learner.learn(a_basket("ord_1", "COF-001", customer_id="cus_ada"))
    await learner.learn(a_basket("ord_2", "COF-001", "COF-012", customer_id="cus_alan"))
    return store


async def ask(store: MemoryStore, query: str, auth: AuthContext = ANONYMOUS, **variables: Any) -> tuple[Any, list[Any]]:
    """The data, and message and code of each error."""
    context = RequestContext(auth, lambda: over(store), make_loaders)
    result = await schema.execute(query, variable_values=variables, context_value=context)
    return result.data, [(error.message, (error.extensions or {}).get("code")) for error in result.errors or []]


def products(*ids: str) -> list[dict[str, str]]:
    return [{"__typename": "Product", "id": id_} for id_ in ids]


def customers(*ids: str) -> list[dict[str, str]]:
    return [{"__typename": "Customer", "id": id_} for id_ in ids]


@pytest.mark.asyncio
async def test_products_are_resolved_in_order_and_null_where_unknown(store: MemoryStore) -> None:
    data, errors = await ask(store, PRODUCTS, representations=products("MUG-001", "NIX-001", "COF-001", "MUG-001"))
    mug = {"id": "MUG-001", "boughtTogether": [{"id": "COF-001"}, {"id": "COF-012"}]}
    grinder = {"id": "COF-001", "boughtTogether": [{"id": "COF-012"}, {"id": "MUG-001"}]}
    assert (data, errors) == ({"_entities": [mug, None, grinder, mug]}, [])


@pytest.mark.asyncio
@pytest.mark.parametrize("count", [1, 40])
async def test_any_number_of_product_representations_is_one_query(store: MemoryStore, count: int) -> None:
    many = products(*("COF-001", "COF-012", "MUG-001", *(f"NIX-{number:03}" for number in range(count - 1))))
    data, errors = await ask(store, PRODUCTS, representations=many)
    assert errors == []
    assert len(data["_entities"]) == count + 2
    assert store.reads == ["neighbourhoods", "best_sellers"]


@pytest.mark.asyncio
async def test_the_same_product_with_other_arguments_costs_no_query_more(store: MemoryStore) -> None:
    query = "{ trending(first: 3) { one: boughtTogether(first: 1) { id } two: boughtTogether(first: 2) { id } } }"
    data, errors = await ask(store, query)
    assert errors == []
    assert [(len(product["one"]), len(product["two"])) for product in data["trending"]] == [(1, 2)] * 3
    assert store.reads == ["trending", "neighbourhoods", "best_sellers"]


@pytest.mark.asyncio
async def test_best_sellers_are_not_asked_for_where_companions_suffice(store: MemoryStore) -> None:
    data, _ = await ask(store, PRODUCTS, representations=products("COF-001"), first=1)
    assert data == {"_entities": [{"id": "COF-001", "boughtTogether": [{"id": "COF-012"}]}]}
    assert store.reads == ["neighbourhoods"]


@pytest.mark.asyncio
async def test_anyone_may_ask_what_trends(store: MemoryStore) -> None:
    data, errors = await ask(store, TRENDING, first=2)
    assert (data, errors) == (
        {"trending": [{"__typename": "Product", "id": id_} for id_ in ("COF-001", "COF-012")]},
        [],
    )


@pytest.mark.asyncio
async def test_what_trends_is_one_query_however_often_it_is_asked_for(store: MemoryStore) -> None:
    data, errors = await ask(store, "{ one: trending(first: 1) { id } two: trending(first: 2) { id } }")
    first, second = {"id": "COF-001"}, {"id": "COF-012"}
    assert (data, errors) == ({"one": [first], "two": [first, second]}, [])
    assert store.reads == ["trending"]


@pytest.mark.asyncio
async def test_none_of_a_list_is_an_empty_list(store: MemoryStore) -> None:
    assert await ask(store, TRENDING, first=0) == ({"trending": []}, [])
    data, _ = await ask(store, PRODUCTS, representations=products("COF-001"), first=0)
    assert data == {"_entities": [{"id": "COF-001", "boughtTogether": []}]}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("first", "refusal"),
    [
        (-1, ("first: -1 is negative.", "PAGE_SIZE_NEGATIVE")),
        (21, ("first: 21 is more than the maximum of 20.", "PAGE_SIZE_TOO_LARGE")),
        (100_000, ("first: 100000 is more than the maximum of 20.", "PAGE_SIZE_TOO_LARGE")),
    ],
)
async def test_a_list_is_bounded(store: MemoryStore, first: int, refusal: tuple[str, str]) -> None:
    assert await ask(store, TRENDING, first=first) == ({"trending": None}, [refusal])
    data, errors = await ask(store, PRODUCTS, representations=products("COF-001"), first=first)
    assert (data, errors) == ({"_entities": [{"id": "COF-001", "boughtTogether": None}]}, [refusal])
    data, errors = await ask(store, CUSTOMERS, ADA, representations=customers("cus_ada"), first=first)
    assert (data, errors) == ({"_entities": [{"id": "cus_ada", "recommendations": None}]}, [refusal])


@pytest.mark.asyncio
async def test_a_customer_sees_their_own_recommendations(store: MemoryStore) -> None:
    data, errors = await ask(store, CUSTOMERS, ADA, representations=customers("cus_ada"))
    ada = {"id": "cus_ada", "recommendations": [{"id": "COF-012"}, {"id": "MUG-001"}]}
    assert (data, errors) == ({"_entities": [ada]}, [])


@pytest.mark.asyncio
async def test_a_recommendation_tells_because_of_which_product(store: MemoryStore) -> None:
    data, errors = await ask(store, EXPLAINED, ADA, representations=customers("cus_ada"))
    beans = {"product": {"id": "COF-012"}, "becauseYouBought": {"id": "COF-001"}}
    mug = {"product": {"id": "MUG-001"}, "becauseYouBought": None}
    assert (data, errors) == ({"_entities": [{"explainedRecommendations": [beans, mug]}]}, [])
    assert store.reads == ["histories", "neighbourhoods", "best_sellers"]


@pytest.mark.asyncio
async def test_someone_else_is_like_one_who_does_not_exist(store: MemoryStore) -> None:
    data, errors = await ask(store, CUSTOMERS, ADA, representations=customers("cus_alan", "cus_nobody"))
    assert (data, errors) == ({"_entities": [None, None]}, [])


@pytest.mark.asyncio
async def test_an_anonymous_request_learns_of_no_customer(store: MemoryStore) -> None:
    data, errors = await ask(store, CUSTOMERS, representations=customers("cus_ada"))
    refusal = ("This needs a bearer token: send `authorization: Bearer <token>`.", "UNAUTHENTICATED")
    assert (data, errors) == ({"_entities": [None]}, [refusal])
    assert store.reads == []


@pytest.mark.asyncio
async def test_a_new_customer_gets_best_sellers(store: MemoryStore) -> None:
    data, errors = await ask(store, CUSTOMERS, NEW_CUSTOMER, representations=customers("cus_new"))
    new = {"id": "cus_new", "recommendations": [{"id": "COF-001"}, {"id": "COF-012"}]}
    assert (data, errors) == ({"_entities": [new]}, [])


@pytest.mark.asyncio
async def test_staff_see_every_customer_who_ever_bought_in_one_batch(store: MemoryStore) -> None:
    asked = customers("cus_alan", "cus_nobody", "cus_ada")
    data, errors = await ask(store, CUSTOMERS, GRACE, representations=asked)
    alan = {"id": "cus_alan", "recommendations": [{"id": "MUG-001"}]}
    ada = {"id": "cus_ada", "recommendations": [{"id": "COF-012"}, {"id": "MUG-001"}]}
    assert (data, errors) == ({"_entities": [alan, None, ada]}, [])
    assert store.reads == ["histories", "neighbourhoods", "best_sellers"]


@pytest.mark.asyncio
@pytest.mark.parametrize("id_", ["", "MUG.001", "$where", "x" * 10_000])
async def test_an_id_that_no_product_can_have_is_unknown(store: MemoryStore, id_: str) -> None:
    assert await ask(store, PRODUCTS, representations=products(id_)) == ({"_entities": [None]}, [])
