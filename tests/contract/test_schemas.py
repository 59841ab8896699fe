"""The five services keep their schemas honest: towards their committed SDL, each other, and the front-ends."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

import router
from router.composition.subgraphs_file import load_subgraphs
from router.supergraph import read_supergraph
from subgraphs.chassis.command import mall
from tests.contract.front_end import OPERATIONS, broken_operations

ROOT = Path(__file__).parent.parent.parent
SERVICES = ("inventory", "orders", "payments", "recommendations", "shipping")


def composed(replace: tuple[str, str] = ("", "")) -> router.Composition:
    """The mall's composition, after a textual change of its subgraphs' SDL."""
    subgraphs = load_subgraphs(ROOT / "supergraph.yaml")
    changed = [router.Subgraph(s.name, s.url, re.sub(*replace, s.sdl) if replace[0] else s.sdl) for s in subgraphs]
    return router.compose(changed)


@pytest.mark.parametrize("name", SERVICES)
def test_the_printed_schema_is_the_committed_one(name: str) -> None:
    printed = CliRunner().invoke(mall, ["sdl", name], catch_exceptions=False).stdout
    committed = (ROOT / "subgraphs" / name / "schema.graphql").read_text()
    assert printed == committed, f"run: .venv/bin/mall sdl {name} > subgraphs/{name}/schema.graphql"


def test_the_five_compose() -> None:
    composition = composed()
    assert composition.errors == ()
    assert composition.supergraph_sdl is not None


def test_what_a_front_end_begins_with_is_described() -> None:
    """Root fields, the types of arguments and of what mutations answer, in the words of GraphQL and not of Python."""
    sdl = composed().supergraph_sdl
    assert sdl is not None
    schema = read_supergraph(sdl).api_schema
    roots = [root for root in (schema.query_type, schema.mutation_type, schema.subscription_type) if root is not None]
    described = {f"{root.name}.{name}": field.description for root in roots for name, field in root.fields.items()}
    first = [type_ for name, type_ in schema.type_map.items() if name.endswith(("Input", "Payload"))]
    described |= {type_.name: type_.description for type_ in first}
    assert len(described) > 30
    assert [place for place, text in described.items() if not text] == []
    texts = [
        field.description or "" for type_ in schema.type_map.values() for field in getattr(type_, "fields", {}).values()
    ]
    assert [text for text in texts if re.search(r"\bNone\b|CodedError|``", text)] == []


def test_the_stored_operations_are_answered() -> None:
    sdl = composed().supergraph_sdl
    assert sdl is not None
    assert len(list(OPERATIONS.glob("*.graphql"))) >= 9
    assert broken_operations(read_supergraph(sdl).api_schema) == []


def test_a_breaking_change_names_the_operation_and_the_field() -> None:
    sdl = composed((r"\btrackingNumber: String", "parcelNumber: String")).supergraph_sdl
    assert sdl is not None
    lines = broken_operations(read_supergraph(sdl).api_schema)
    assert "orders.graphql: Orders: Cannot query field 'trackingNumber' on type 'Shipment'." in [
        line.split(" Did you mean")[0] for line in lines
    ]


def test_a_shared_type_that_drifts_is_refused() -> None:
    subgraphs = [
        router.Subgraph(
            s.name, s.url, s.sdl.replace("amount: Decimal!", "amount: Int!") if s.name == "payments" else s.sdl
        )
        for s in load_subgraphs(ROOT / "supergraph.yaml")
    ]
    assert {error.code for error in router.compose(subgraphs).errors} == {"FIELD_TYPE_MISMATCH"}
