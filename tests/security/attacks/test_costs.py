"""Operations that would seem cheaper than they are: nothing is fetched for them where costs are enforced."""

from __future__ import annotations

import json

import pytest

from tests.server.demand.library import client, library

pytestmark = pytest.mark.asyncio

# A book is 1 and its author 4, so that two books with their authors come to 10.
ENFORCED = {"mode": "enforce", "max": 10}
# In place of ``*``.
FIELDS = " title author { name } "
N = "query ($n: Int) { books(first: $n) { title author { name } } }"
HUGE = 2**31 - 1


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        (N, {"n": HUGE}),
        ("{ books(first: 2147483647) { title } }", {}),
        ("query ($n: Int = 2147483647) { books(first: $n) { title } }", {}),
        ("{ a: books(first: 1) {*} b: books(first: 1) {*} c: books(first: 1) {*} }", {}),
        ("{ books(first: 1) {*} ... { a: books(first: 2) {*} } }", {}),
        ("{ books(first: 1) {*} ...F ...F } fragment F on Query { a: books(first: 2) {*} }", {}),
        ("query ($y: Boolean = true) { books(first: 3) @include(if: $y) {*} }", {}),
        ("query ($y: Boolean!) { books(first: 3) @skip(if: $y) {*} }", {"y": False}),
        ("{ a: books(first: -9) {*} books(first: 3) {*} }", {}),
        ("{ " + " ".join(f"a{n}: books(first: {HUGE}) {{*}}" for n in range(50)) + " }", {}),
    ],
    ids=[
        "a huge variable", "a huge literal", "a huge default", "aliases", "a fragment", "a named fragment",
        "included by a default", "not skipped", "paid by a list below zero", "more than numbers hold",
    ],
)  # fmt: skip
async def test_an_operation_that_asks_for_too_much_is_refused_before_anything_is_fetched(
    query: str, variables: dict[str, object]
) -> None:
    subgraphs = library()
    async with client(subgraphs, demand_control=ENFORCED) as router:
        body = {"query": query.replace("*", FIELDS), "variables": variables}
        response = await router.post("/graphql", json=body)
    [error] = response.json()["errors"]
    assert error["extensions"]["code"] == "COST_ESTIMATED_TOO_EXPENSIVE"
    assert error["extensions"]["cost"]["estimated"] > 10
    assert subgraphs.requests == []


@pytest.mark.parametrize(
    ("query", "variables"),
    [(N, {"n": None}), (N, {}), ("{ books { title } }", {})],
    ids=["null", "no variable", "no argument"],
)
async def test_a_list_without_its_size_is_refused(query: str, variables: dict[str, object]) -> None:
    subgraphs = library()
    async with client(subgraphs, demand_control=ENFORCED) as router:
        response = await router.post("/graphql", json={"query": query, "variables": variables})
    [error] = response.json()["errors"]
    assert error["extensions"]["code"] == "COST_SLICING_ARGUMENT_REQUIRED"
    assert subgraphs.requests == []


@pytest.mark.parametrize("written", ["9" * 400, "2147483648", "1e400", "3.5", '"3"', "true", "[3]", '{"n":3}'])
async def test_a_size_that_is_no_int_is_refused_as_a_value(written: str) -> None:
    subgraphs = library()
    content = '{"query":%s,"variables":{"n":%s}}' % (json.dumps(N), written)  # noqa: UP031 - braces
    async with client(subgraphs, demand_control=ENFORCED) as router:
        response = await router.post("/graphql", content=content.encode(), headers={"content-type": "application/json"})
    [error] = response.json()["errors"]
    assert error["extensions"]["code"] in ("BAD_USER_INPUT", "INVALID_JSON")
    assert subgraphs.requests == []


async def test_a_list_below_zero_costs_what_one_without_a_size_does_and_takes_nothing_off() -> None:
    """Its subgraph may give all there is for it."""
    subgraphs = library()
    async with client(subgraphs, demand_control=ENFORCED) as router:
        texts = [
            "{ a: books(first: %d) { title } b: books(first: %d) { title } }" % (least, most)  # noqa: UP031 - braces
            for least, most in ((-(2**31), 0), (-(2**31), 1))
        ]
        answers = [(await router.post("/graphql", json={"query": text})).json() for text in texts]
    assert ["COST_ESTIMATED_TOO_EXPENSIVE" in json.dumps(answer) for answer in answers] == [False, True]
