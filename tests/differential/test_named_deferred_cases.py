"""What the random search has found in answers in parts, each with its name, so that it stays mended."""

from __future__ import annotations

from dataclasses import replace

import pytest

from router.server.deferred.formats import DeferredFormat
from tests.differential.comparison import graph_of
from tests.differential.deferred import check_deferred
from tests.differential.failures import BROKEN_FIELDS
from tests.differential.test_named_cases import case_of

NEAR = {
    "shop": """
    interface I { id: ID! near: I }
    type A implements I @key(fields: "id") { id: ID! near: A size: Int }
    type Query { one: I }
    """,
    "names": 'type A @key(fields: "id") { id: ID! name: String }',
}


@pytest.mark.parametrize("form", DeferredFormat)
@pytest.mark.parametrize(
    "operation",
    [
        "{ one { near { ... on I { near { ... on A { size } } } ... @defer { ... on A { near { size name } } } } } }",
        "{ one { ... @defer { near { near { ... on A { name } } ... @defer { near { ... on A { size near {"
        " ... @defer { id name } } } } } } ... on A { near { size } } } } }",
    ],
    ids=["selected on the interface and on the type", "whose type is certain and is not asked for"],
)
def test_fragment_on_an_object_that_its_type_promises_more_closely_is_delivered(
    operation: str, form: DeferredFormat
) -> None:
    case = case_of(operation, **NEAR)
    graph = graph_of(case.subgraphs)

    assert graph is not None
    assert [check_deferred(replace(case, seed=seed), graph, form) for seed in range(8)] == [None] * 8


@pytest.mark.parametrize("form", DeferredFormat)
def test_failed_input_of_a_deferred_field_is_not_told_at_the_object_that_has_it(form: DeferredFormat) -> None:
    case = case_of(
        "{ one { size ... @defer { near { size name } } } }",
        failing="shop",
        failure=BROKEN_FIELDS,
        shop="""
        type A @key(fields: "ref { serial }") { ref: Ref @shareable near: A size: Int }
        type Ref { serial: ID @shareable }
        type Query { one: A }
        """,
        names="""
        type A @key(fields: "ref { serial }") { ref: Ref @shareable name: String }
        type Ref { serial: ID @shareable }
        """,
    )
    graph = graph_of(case.subgraphs)

    assert graph is not None
    assert [check_deferred(replace(case, seed=seed), graph, form) for seed in range(12)] == [None] * 12


# Some of its entities the subgraph ``names`` does not know: it has nothing of them, their keys included.
KEYED = {
    "names": """
    type A @key(fields: "id") { id: ID! name: String }
    type B @key(fields: "ref { serial }") { ref: Ref! @shareable name: String }
    type Ref { serial: ID! @shareable }
    """,
    "shop": """
    interface I { id: ID! size: Int }
    type A implements I @key(fields: "id") { id: ID! size: Int }
    type B implements I @key(fields: "ref { serial }") { id: ID! ref: Ref! @shareable size: Int }
    type Ref { serial: ID! @shareable }
    type Query { one: [I!]! many: [B!]! }
    """,
}


@pytest.mark.parametrize("form", DeferredFormat)
@pytest.mark.parametrize(
    "operation",
    [
        "{ one { size ... on A { ... @defer { mine: id name } } } }",
        "{ one { size ... @defer { mine: id ... on A { name } } } }",
        "{ many { size ... @defer { mine: ref { theSerial: serial __typename } name } } }",
        "{ many { ... @defer { mine: ref { __typename } name } } }",
        "{ many { ... @defer { ref { serial ... @defer { again: serial } } ... @defer { name } } } }",
    ],
    ids=["of one type", "of an interface", "nested", "of which only the type is asked", "deferred twice"],
)
def test_deferred_key_of_an_entity_that_a_subgraph_does_not_know_is_delivered(
    operation: str, form: DeferredFormat
) -> None:
    case = case_of(operation, **KEYED)
    graph = graph_of(case.subgraphs)

    assert graph is not None
    assert {("names", "A"), ("names", "B")} == graph.model.detachable
    assert [check_deferred(replace(case, seed=seed), graph, form) for seed in range(12)] == [None] * 12


@pytest.mark.parametrize("form", DeferredFormat)
@pytest.mark.parametrize("failure", ["refused", "null entities"])
@pytest.mark.parametrize(
    "operation",
    [
        "{ one { price ... @defer { theId: id } } }",
        "{ one { size price ... @defer { id size } } }",
        "{ one { size ... @defer { price ... @defer { id } } } }",
        "query ($yes: Boolean! = false) { one { price ... @defer { theId: id @include(if: $yes) size } } }",
    ],
    ids=["alone", "beside what is not deferred", "in a fragment within one", "that is not asked for"],
)
def test_deferred_key_that_could_not_be_read_is_null_with_an_error_in_its_own_part(
    operation: str, failure: str, form: DeferredFormat
) -> None:
    case = case_of(
        operation,
        failing="middle",
        failure=failure,
        first='type A @key(fields: "sku") { sku: ID! } type Query { one: [A!]! }',
        middle='type A @key(fields: "sku") @key(fields: "id") { sku: ID! id: ID size: Int }',
        last='type A @key(fields: "id") { id: ID price: Int }',
    )
    graph = graph_of(case.subgraphs)

    assert graph is not None
    for failing in ("middle", None):
        cases = [replace(case, seed=seed, failing=failing) for seed in range(5)]
        assert [check_deferred(one, graph, form) for one in cases] == [None] * 5


@pytest.mark.parametrize("form", DeferredFormat)
def test_fragment_on_another_type_than_an_object_is_promised_to_be_leads_nowhere(form: DeferredFormat) -> None:
    case = case_of(
        """
        { one { near { near { ... on A { size } ... @defer { near {
          near { size ... @defer { ... on A { tags } } }
          id
          ... on B { other: near { ... @defer { name } } ... @defer { id } }
        } } } } } }
        """,
        shop="""
        interface I { size: Int near: I }
        type A implements I @key(fields: "id") { id: ID! size: Int near: I! tags: [Int!] }
        type B implements I @key(fields: "id") { id: ID! size: Int near: A }
        type Query { one: I }
        """,
        names="""
        interface I { id: ID! }
        type A implements I @key(fields: "id") { id: ID! name: String }
        type B implements I @key(fields: "id") { id: ID! }
        """,
    )
    graph = graph_of(case.subgraphs)

    assert graph is not None
    assert [check_deferred(replace(case, seed=seed), graph, form) for seed in range(8)] == [None] * 8
