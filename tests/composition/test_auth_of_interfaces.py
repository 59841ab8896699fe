"""What types and interface objects ask for is asked wherever clients may reach it; tags stay where they are.

The supergraph is the reference composer's.
"""

from __future__ import annotations

from router import Subgraph, compose

LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable", "@tag", '
    '"@interfaceObject", "@authenticated", "@requiresScopes", "@policy"])\n'
)
MEDIA = """
type Query { media: [Media] }
interface Media @key(fields: "id") { id: ID!  title: String  rating: Int }
type Book implements Media @key(fields: "id") @authenticated @tag(name: "x") {
  id: ID!  title: String @requiresScopes(scopes: [["books"]])  rating: Int @shareable
}
type Film implements Media @key(fields: "id") {
  id: ID!  title: String @requiresScopes(scopes: [["films"]]) @tag(name: "y")
  rating: Int @shareable @policy(policies: [["p"]])
}
"""
STARS = """
type Media @key(fields: "id") @interfaceObject {
  id: ID!  rating: Int @shareable @authenticated  stars: Int @requiresScopes(scopes: [["stars"]]) @tag(name: "z")
}
"""


def test_requirements_go_up_to_the_interface_and_down_from_the_interface_object() -> None:
    sdl = compose([Subgraph("a", "http://a", LINK + MEDIA), Subgraph("b", "http://b", LINK + STARS)]).supergraph_sdl
    assert sdl is not None
    heads = {name: _lines(sdl, name) for name in ("type Book", "type Film", "interface Media")}

    assert heads == {
        "type Book": [
            '@tag(name: "x")',
            "@authenticated",
            "id: ID!",
            'title: String @requiresScopes(scopes: [["books"]])',
            "rating: Int @authenticated",
            'stars: Int @join__field @tag(name: "z") @requiresScopes(scopes: [["stars"]])',
        ],
        "type Film": [
            "id: ID!",
            'title: String @tag(name: "y") @requiresScopes(scopes: [["films"]])',
            'rating: Int @authenticated @policy(policies: [["p"]])',
            'stars: Int @join__field @tag(name: "z") @requiresScopes(scopes: [["stars"]])',
        ],
        "interface Media": [
            "@authenticated",
            "id: ID!",
            'title: String @join__field(graph: A) @requiresScopes(scopes: [["books", "films"]])',
            'rating: Int @authenticated @policy(policies: [["p"]])',
            'stars: Int @join__field(graph: B) @tag(name: "z") @requiresScopes(scopes: [["stars"]])',
        ],
    }


def _lines(sdl: str, head: str) -> list[str]:
    """What a definition has and asks for, without which subgraphs it is in."""
    definition = sdl[sdl.index(f"\n{head}") + 1 :].partition("\n}")[0]
    lines = (line.strip() for line in definition.splitlines()[1:])
    return [line for line in lines if line != "{" and not line.startswith(("@join__type", "@join__implements"))]
