"""Our own output, taken apart into subgraphs again, composes to the same text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from router import Composition, compose
from router.composition.subgraphs_file import load_subgraphs
from tests.composition.invert_supergraph import invert_supergraph

ROOT = Path(__file__).parents[2]


def recompose(composition: Composition) -> str | None:
    assert composition.supergraph_sdl is not None
    again = compose(invert_supergraph(composition.supergraph_sdl))
    assert again.errors == ()
    return again.supergraph_sdl


def test_the_mall_composes_to_the_same_text() -> None:
    composition = compose(load_subgraphs(ROOT / "supergraph.yaml"))
    assert recompose(composition) == composition.supergraph_sdl


def test_keys_requirements_and_provided_fields_compose_to_the_same_text(
    compose_sdl: Callable[..., Composition],
) -> None:
    composition = compose_sdl(
        a="""
        "All there is to ask."
        type Query { "One thing." t(a: In = {x: 1}, e: E): T @provides(fields: "name")  u: [U!] }
        type T @key(fields: "id") @key(fields: "k { v }", resolvable: false) { id: ID!  k: K!  name: String @external }
        type K @shareable { v: Int  w: String @tag(name: "t") }
        interface N @key(fields: "id") { id: ID! }
        type M implements N @key(fields: "id") { id: ID!  m: Int @deprecated(reason: "\\"old\\"") }
        union U = T | M
        enum E { P "Described." Q @inaccessible }
        input In { x: Int = 2  y: [Int!] }
        """,
        b="""
        extend type T @key(fields: "id") { id: ID!  name: String @shareable  size: Int! @external
          price: Int @requires(fields: "size") }
        type N @interfaceObject @key(fields: "id") { id: ID!  extra: Int }
        """,
        c='type T @key(fields: "id") { id: ID!  size: Int!  late: Int @override(from: "b", label: "percent(5)") }',
    )
    assert composition.errors == ()
    assert recompose(composition) == composition.supergraph_sdl
