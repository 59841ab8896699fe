"""Plans as pictures: a box for each fetch and an arrow for each wait."""

from __future__ import annotations

from router.planning import render_dot, render_mermaid
from tests.planning.plans import plan_of

SUBGRAPHS = {
    "catalog": 'type Product @key(fields: "id") { id: ID! name: String } type Query { products: [Product!] }',
    "stock": 'type Product @key(fields: "id") { id: ID! stock: Int }',
}
QUERY = "query ($all: Boolean!) { goods: products { name stock @include(if: $all) } }"


def test_mermaid_shows_fetches_lookups_conditions_and_waits() -> None:
    assert render_mermaid(plan_of(SUBGRAPHS, QUERY)) == (
        'flowchart TD\n  f0["#35;0 catalog"]\n  f1["#35;1 stock<br/>Product at goods<br/>if $all"]\n  f0 --> f1\n'
    )


def test_dot_shows_the_same() -> None:
    assert render_dot(plan_of(SUBGRAPHS, QUERY)) == (
        "digraph plan {\n"
        "  node [shape=box, fontname=monospace];\n"
        '  f0 [label="#0 catalog\\l"];\n'
        '  f1 [label="#1 stock\\lProduct at goods\\lif $all\\l"];\n'
        "  f0 -> f1;\n"
        "}\n"
    )


def test_plan_without_fetches_says_so() -> None:
    plan = plan_of(SUBGRAPHS, "{ __typename }")

    assert render_mermaid(plan) == 'flowchart TD\n  nothing["No fetches: the router answers alone."]\n'
    assert 'nothing [label="No fetches: the router answers alone."];' in render_dot(plan)
