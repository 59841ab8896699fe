"""``galleria contract`` hides what the tags leave out, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from graphql import print_schema

from router import Subgraph, compose
from router.commands.contract import command
from router.composition.contract import TagFilter, make_contract
from router.errors import InputError
from router.supergraph import read_supergraph

LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@tag"])\n'
A = """
type Query @tag(name: "public") { product(id: ID!, size: Size): Product  staff: Staff @tag(name: "internal") }
"A thing."
type Product @key(fields: "id") {
  id: ID!
  name: String @tag(name: "public")
  cost(vat: Int): Int @tag(name: "internal")
}
type Staff { name: String  desk: Desk }
type Desk { number: Int }
enum Size { S  L @tag(name: "internal") }
"""
B = 'type Product @key(fields: "id") { id: ID!  rating: Int @tag(name: "public") }'


def supergraph(a: str = A, b: str = B) -> str:
    composition = compose([Subgraph("a", "http://a", LINK + a), Subgraph("b", "http://b", LINK + b)])
    assert composition.supergraph_sdl is not None
    return composition.supergraph_sdl


def test_include_keeps_tagged_fields_and_fields_of_tagged_types() -> None:
    contract = make_contract(supergraph(), TagFilter(include=frozenset({"public"}), exclude=frozenset({"internal"})))
    printed = print_schema(contract.api_schema)
    assert printed[printed.index('"""A thing') :] == (
        '"""A thing."""\ntype Product {\n  name: String\n  rating: Int\n}\n\n'
        "type Query {\n  product(id: ID!, size: Size): Product\n}\n\n"
        "enum Size {\n  S\n}"
    )


def test_exclude_hides_tagged_elements_only() -> None:
    contract = make_contract(supergraph(), TagFilter(exclude=frozenset({"internal"})))
    schema = print_schema(contract.api_schema)
    assert "cost" not in schema
    assert "staff" not in schema
    assert "type Staff {\n  name: String\n  desk: Desk\n}" in schema


def test_unreachable_types_are_hidden_on_demand() -> None:
    tags = TagFilter(exclude=frozenset({"internal"}), hide_unreachable=True)
    contract = make_contract(supergraph(), tags)
    assert set(contract.api_schema.type_map) & {"Staff", "Desk", "Product", "Size"} == {"Product", "Size"}


def test_types_that_implement_a_reachable_interface_stay() -> None:
    a = """
        type Query { node: Node } interface Node { id: ID! } type Apart implements Node { id: ID!  more: More }
        type More { note: String } type Lost { note: String }
    """
    tags = TagFilter(exclude=frozenset({"internal"}), hide_unreachable=True)
    types = make_contract(supergraph(a, "type Nothing { x: Int }"), tags).api_schema.type_map
    assert set(types) & {"Node", "Apart", "More", "Lost", "Nothing"} == {"Node", "Apart", "More"}


def test_a_hidden_input_field_may_have_a_default_and_a_tag_another_name() -> None:
    link = LINK.replace('"@tag"', '{name: "@tag", as: "@label"}')
    a = 'type Query { p(i: I): Int } input I { a: Int! = 1 @label(name: "x")  b: Int }'
    sdl = compose([Subgraph("a", "http://a", link + a)]).supergraph_sdl
    assert sdl is not None
    assert "input I {\n  b: Int\n}" in print_schema(
        make_contract(sdl, TagFilter(frozenset(), frozenset("x"))).api_schema
    )


def test_the_supergraph_keeps_its_text_and_its_subgraphs() -> None:
    before = supergraph()
    contract = make_contract(before, TagFilter(exclude=frozenset({"internal"})))
    link = '\n  @link(url: "https://specs.apollo.dev/inaccessible/v0.2", for: SECURITY)'
    assert contract.supergraph_sdl.count(link) == 1
    assert contract.supergraph_sdl.count("directive @inaccessible on ") == 1
    without = contract.supergraph_sdl.replace(link, "").replace(" @inaccessible\n", "\n")
    lines = [line for line in without.splitlines() if not line.startswith("directive @inaccessible")]
    assert [line for line in lines if line] == [line for line in before.splitlines() if line]
    assert set(read_supergraph(contract.supergraph_sdl).subgraphs) == {"a", "b"}


def test_a_contract_of_a_contract_links_inaccessible_once() -> None:
    tags = TagFilter(exclude=frozenset({"internal"}))
    once = make_contract(supergraph(), tags).supergraph_sdl
    assert make_contract(once, tags).supergraph_sdl == once


@pytest.mark.parametrize(
    ("a", "tags", "problem"),
    [
        (A, TagFilter(include=frozenset({"none"})), "no field of the query type is left"),
        (
            'type Query { p: P @tag(name: "x") } type P { y: Int }',
            TagFilter(include=frozenset({"x"})),
            "Query.p is visible, but its type P is not: tag the type's fields or hide Query.p",
        ),
        (
            'type Query { p(a: Int! @tag(name: "x")): Int }',
            TagFilter(exclude=frozenset({"x"})),
            "Query.p(a:) is required, but hidden",
        ),
        (
            'type Query { p(i: I): Int } input I { a: Int! @tag(name: "x")  b: Int }',
            TagFilter(exclude=frozenset({"x"})),
            "I.a is required, but hidden",
        ),
        (
            'type Query { p(i: I): Int } input I @tag(name: "x") { a: Int }',
            TagFilter(exclude=frozenset({"x"})),
            "Query.p(i:) is visible, but its type I is not",
        ),
        (
            'type Query { u: U } union U = P | Q type P @tag(name: "x") { y: Int } type Q @tag(name: "x") { y: Int }',
            TagFilter(exclude=frozenset({"x"})),
            "Query.u is visible, but its type U is not: tag the type's fields or hide Query.u",
        ),
        (
            'type Query { n: N } interface N { y: Int } type P implements N { y: Int @tag(name: "x")  z: Int }',
            TagFilter(exclude=frozenset({"x"})),
            "Interface field N.y expected but P does not provide it.",
        ),
    ],
)
def test_what_makes_no_schema_is_told(a: str, tags: TagFilter, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        make_contract(supergraph(a, "type Nothing { x: Int }"), tags)
    assert caught.value.code == "INVALID_CONTRACT"
    assert caught.value.message == f"What the tags leave makes no schema: {problem}"


def run(folder: Path, *options: str) -> Result:
    (folder / "supergraph.graphql").write_text(supergraph())
    return CliRunner().invoke(command, ["--supergraph", str(folder / "supergraph.graphql"), *options])


def test_the_command_writes_supergraph_and_api_schema(tmp_path: Path) -> None:
    result = run(tmp_path, "--exclude-tag", "internal", "--api-schema", str(tmp_path / "api.graphql"))
    contract = make_contract(supergraph(), TagFilter(exclude=frozenset({"internal"})))
    assert (result.exit_code, result.stdout) == (0, contract.supergraph_sdl)
    assert (tmp_path / "api.graphql").read_text() == print_schema(contract.api_schema) + "\n"


def test_a_tag_that_nothing_has_is_told_beside_the_contract(tmp_path: Path) -> None:
    result = run(tmp_path, "--exclude-tag", "internl", "--exclude-tag", "", "--exclude-tag", "internal")
    path = tmp_path / "supergraph.graphql"
    assert result.exit_code == 0
    assert result.stderr == (
        f"UNKNOWN_TAG: nothing in {path} has the tag ''\n"
        f"UNKNOWN_TAG: nothing in {path} has the tag 'internl'; did you mean 'internal'?\n"
    )
    excluded = TagFilter(exclude=frozenset({"internal"}))
    assert result.stdout == make_contract(supergraph(), excluded).supergraph_sdl


def test_a_supergraph_yaml_is_composed_first(tmp_path: Path) -> None:
    (tmp_path / "a.graphql").write_text(LINK + A.replace("size: Size", ""))
    subgraphs = "subgraphs:\n  a: {routing_url: http://a, schema: {file: a.graphql}}\n"
    (tmp_path / "supergraph.yaml").write_text(subgraphs)
    options = ["--supergraph", str(tmp_path / "supergraph.yaml"), "--exclude-tag", "internal"]
    result = CliRunner().invoke(command, options)
    assert (result.exit_code, result.stderr) == (0, "")
    assert 'cost(vat: Int): Int @tag(name: "internal") @inaccessible' in result.stdout


def test_without_tags_there_is_no_contract(tmp_path: Path) -> None:
    assert isinstance(run(tmp_path).exception, InputError)


def test_what_is_no_supergraph_is_an_input_error() -> None:
    with pytest.raises(InputError) as caught:
        make_contract("type Query { x: Int }", TagFilter(exclude=frozenset({"x"})))
    assert caught.value.code == "INVALID_SUPERGRAPH"
