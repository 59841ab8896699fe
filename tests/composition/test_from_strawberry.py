"""Subgraphs straight from Strawberry: errors point at Python."""

from __future__ import annotations

from pathlib import Path

import strawberry
from strawberry.federation import Schema

from router import Subgraph, compose


@strawberry.type
class Parcel:
    weight: int
    label: str | None = None

    @strawberry.field
    def tracking_number(self) -> str:
        return "1"


@strawberry.type
class Query:
    @strawberry.field
    def parcel(self) -> Parcel:
        return Parcel(weight=1)


OTHER = """
extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@shareable"])
type Query { other: Int }
type Parcel @shareable { weight: String!  trackingNumber: Int! }
"""


def line_of(text: str) -> int:
    lines = Path(__file__).read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.startswith(text))


def test_a_strawberry_schema_composes() -> None:
    composition = compose([Subgraph.from_strawberry("a", "http://a", Schema(query=Query))])
    assert composition.errors == ()
    assert "trackingNumber: String!" in (composition.supergraph_sdl or "")


def test_errors_point_at_the_attribute_and_the_resolver() -> None:
    subgraph = Subgraph.from_strawberry("a", "http://a", Schema(query=Query))
    errors = compose([subgraph, Subgraph("b", "http://b", OTHER, "b.graphql")]).errors
    places = {(str(e.code), p.file, p.line, p.column) for e in errors for p in e.locations if p.subgraph == "a"}
    assert ("FIELD_TYPE_MISMATCH", __file__, line_of("    weight: int"), 5) in places
    assert ("FIELD_TYPE_MISMATCH", __file__, line_of("    def tracking_number"), 5) in places
    assert {place.file for e in errors for place in e.locations if place.subgraph == "b"} == {"b.graphql"}


def test_errors_point_at_the_class() -> None:
    subgraph = Subgraph.from_strawberry("a", "http://a", Schema(query=Query))
    other = Subgraph("b", "http://b", "type Query { other: Int }  interface Parcel { weight: Int }")
    [error] = compose([subgraph, other]).errors
    places = [(place.file, place.line, place.column) for place in error.locations if place.subgraph == "a"]
    assert places == [(__file__, line_of("class Parcel"), 1)]
