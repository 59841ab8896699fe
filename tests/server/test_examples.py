"""The explorer's tabs are operations of this very graph, with variables that fit; the sixth subgraph joins it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from examples import reviews
from router import Subgraph, compose
from router.composition.subgraphs_file import load_subgraphs
from router.operation.document import parse_document
from router.operation.normalize import build_operation
from router.operation.variables import coerce_variables
from router.planning import plan_operation
from router.server.config import load_config
from router.server.graphs.supergraph_file import load_supergraph
from router.supergraph import read_supergraph
from router.supergraph.model import Supergraph

ROOT = Path(__file__).parent.parent.parent
TABS = load_config(ROOT / "router.yaml", {}).explorer.tabs


@pytest.fixture(scope="module")
def mall() -> Supergraph:
    return load_supergraph(ROOT / "supergraph.yaml")


@pytest.mark.parametrize("tab", TABS, ids=[tab.stem for tab in TABS])
def test_a_tab_can_be_run_as_it_is(mall: Supergraph, tab: Path) -> None:
    operation = build_operation(mall.api_schema, parse_document(tab.read_text()))
    variables = tab.with_suffix(".json")
    coerce_variables(mall.api_schema, operation, json.loads(variables.read_text()) if variables.exists() else {})
    assert plan_operation(mall, operation).fetches


def test_the_orders_tab_shows_four_services(mall: Supergraph) -> None:
    operation = build_operation(mall.api_schema, parse_document(TABS[0].read_text()))
    plan = plan_operation(mall, operation)
    assert sorted(fetch.subgraph for fetch in plan.fetches) == ["inventory", "orders", "payments", "shipping"]


def test_the_sixth_subgraph_joins_the_mall() -> None:
    five = load_subgraphs(ROOT / "supergraph.yaml", {})
    sixth = Subgraph("reviews", "http://127.0.0.1:4100/graphql", reviews.schema.as_str())
    composition = compose([*five, sixth])
    assert composition.errors == ()
    assert composition.supergraph_sdl is not None
    mall = read_supergraph(composition.supergraph_sdl)
    query = '{ product(id: "BOK-012") { name reviews { body } } }'
    plan = plan_operation(mall, build_operation(mall.api_schema, parse_document(query)))
    assert [fetch.subgraph for fetch in plan.fetches] == ["inventory", "reviews"]


def test_the_sixth_subgraph_answers_for_a_product_that_another_one_found() -> None:
    entities = '_entities(representations: [{__typename: "Product", id: "BOK-012"}, {__typename: "Product", id: "?"}])'
    result = reviews.schema.execute_sync(f"{{ {entities} {{ ... on Product {{ reviews(first: 1) {{ body }} }} }} }}")
    assert result.errors is None
    assert result.data == {
        "_entities": [{"reviews": [{"body": "I have not mistaken a ligature for a letter since."}]}, {"reviews": []}]
    }
