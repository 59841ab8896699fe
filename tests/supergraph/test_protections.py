"""Who may see what: the requirements that a supergraph says, whichever composer made it."""

from __future__ import annotations

import pytest

from router import Subgraph, compose
from router.supergraph.protections import Requirement
from router.supergraph.read import read_supergraph

LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9",'
    ' import: ["@key", "@interfaceObject", "@authenticated", "@requiresScopes"])\n'
)
CATALOG = """
type Query { media: [Media] }
interface Media @key(fields: "id") { id: ID! title: String }
type Book implements Media @key(fields: "id") { id: ID! title: String @requiresScopes(scopes: [["read"]]) }
"""
LEDGER = """
type Media @interfaceObject @key(fields: "id") {
  id: ID!
  cost: Int @requiresScopes(scopes: [["staff"], ["admin"]])
  seen: Int
}
"""
STAFF = Requirement(scopes=(frozenset({"staff"}), frozenset({"admin"})))
READ = Requirement(scopes=(frozenset({"read"}),))


def supergraph_sdl() -> str:
    subgraphs = [Subgraph(name, f"http://{name}.test", LINK + sdl) for name, sdl in SDLS.items()]
    sdl = compose(subgraphs).supergraph_sdl
    assert sdl is not None
    return sdl


SDLS = {"catalog": CATALOG, "ledger": LEDGER}
COPIED = '  cost: Int @join__field @requiresScopes(scopes: [["staff"], ["admin"]])\n'


@pytest.mark.parametrize(
    ("written", "needed"),
    [
        pytest.param(COPIED, STAFF, id="copied to the object"),
        pytest.param("  cost: Int @join__field\n", STAFF, id="left at the interface"),
        pytest.param(
            '  cost: Int @join__field @authenticated @requiresScopes(scopes: [["read"]])\n',
            Requirement(authenticated=True, scopes=(frozenset({"staff", "read"}), frozenset({"admin", "read"}))),
            id="beside another of the object's own",
        ),
    ],
)
def test_a_field_of_an_interface_object_is_protected_on_every_object(written: str, needed: Requirement) -> None:
    sdl = supergraph_sdl()
    assert sdl.count(COPIED) == 1
    linked = sdl.replace(
        "schema\n", 'schema\n  @link(url: "https://specs.apollo.dev/authenticated/v0.1", for: SECURITY)\n'
    )
    protections = read_supergraph(linked.replace(COPIED, written)).protections
    assert protections["Book.cost"] == needed
    assert protections["Media.cost"] == STAFF
    assert protections["Book.title"] == READ
    assert "Book.seen" not in protections
