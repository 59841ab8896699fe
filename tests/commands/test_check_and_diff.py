"""``galleria check`` and ``galleria diff`` name the operations that a change breaks, and no others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from graphql import build_schema

from router.commands.check import command as check
from router.commands.diff import command as diff
from router.composition.schema_changes import Severity, compare_schemas
from router.composition.stored_operations import load_operations
from router.errors import InputError

OLD = """
type Query { product(id: ID!, size: Size): Product  find(by: Filter!): [Product]  pet: Pet  node: Node }
type Product implements Node { id: ID!  name: String  price(vat: Int): Int  unused: Int }
interface Node { id: ID! }
input Filter { name: String  nested: Inner }
input Inner { kind: Size }
enum Size { S L }
union Pet = Cat | Dog
type Cat { name: String }
type Dog { name: String }
"""
OPERATIONS = {
    "name.graphql": "query Name { product(id: 1) { ...N } } fragment N on Product { name }",
    "price.graphql": "query Price { product(id: 1, size: L) { price(vat: 1) } }"
    " query Plain { product(id: 1) { price } }",
    "find.graphql": 'query Find($by: Filter!) { find(by: $by) { id } } query Literal { find(by: {name: "a"}) { id } }',
    "deep/pet.gql": "query Cats { pet { ... on Cat { name } } } query Pets { pet { __typename } }",
}


def operations(folder: Path) -> Path:
    for name, text in OPERATIONS.items():
        (folder / "ops" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "ops" / name).write_text(text)
    return folder / "ops"


@pytest.mark.parametrize(
    ("before", "after", "broken"),
    [
        ("name: String  price", "price", ["Name"]),
        ("unused: Int", "", []),
        ("name: String  price", "name: Int  price", ["Name"]),
        ("name: String  price", "name: String!  price", []),
        ("price(vat: Int)", "price", ["Price"]),
        ("price(vat: Int)", "price(vat: Int!)", ["Plain"]),
        ("price(vat: Int)", "price(vat: String)", ["Price"]),
        ("price(vat: Int)", "price(vat: Int  to: ID!)", ["Plain", "Price"]),
        ("enum Size { S L }", "enum Size { S }", ["Find", "Price"]),
        ("input Inner { ", "input Inner { must: Int! ", ["Find"]),
        ("input Filter { ", "input Filter { must: Int! ", ["Find", "Literal"]),
        ("input Filter { name: String ", "input Filter { ", ["Find", "Literal"]),
        ("union Pet = Cat | Dog", "union Pet = Dog", ["Cats"]),
        ("union Pet = Cat | Dog\ntype Cat { name: String }", "union Pet = Dog", ["Cats"]),
        ("type Product implements Node", "type Product", []),
        ("pet: Pet", "", ["Cats", "Pets"]),
    ],
)
def test_a_change_breaks_the_operations_that_use_it(tmp_path: Path, before: str, after: str, broken: list[str]) -> None:
    assert before in OLD
    stored = load_operations(operations(tmp_path))
    comparison = compare_schemas(build_schema(OLD), build_schema(OLD.replace(before, after)), stored)
    assert comparison.count(Severity.BREAKING) >= (before != "name: String  price" or "!" not in after)
    assert sorted(label.split(": ")[1] for label in comparison.broken) == broken
    explained = {label for change in comparison.changes for label in change.breaks}
    assert explained == set(comparison.broken)


def test_an_operation_that_never_worked_is_outdated_and_not_broken(tmp_path: Path) -> None:
    (tmp_path / "a.graphql").write_text("query Gone { gone }")
    comparison = compare_schemas(build_schema(OLD), build_schema(OLD), load_operations(tmp_path))
    assert (comparison.broken, comparison.outdated) == ({}, ("a.graphql: Gone",))


def run_diff(folder: Path, new: str, *options: str) -> Result:
    (folder / "old.graphql").write_text(OLD)
    (folder / "new.graphql").write_text(new)
    return CliRunner().invoke(diff, [str(folder / "old.graphql"), str(folder / "new.graphql"), *options])


def test_diff_tells_changes_with_the_operations_they_break(tmp_path: Path) -> None:
    new = OLD.replace("name: String  price", "price").replace("enum Size { S L }", "enum Size { S L XL }")
    result = run_diff(tmp_path, new, "--operations", str(operations(tmp_path)))
    assert result.stdout.splitlines() == [
        "breaking  FIELD_REMOVED: Field Product.name was removed.",
        "          breaks name.graphql: Name",
        "dangerous VALUE_ADDED_TO_ENUM: Enum value Size.XL was added.",
        "1 breaking, 1 dangerous, 0 safe; 1 of 7 stored operations broken",
    ]
    assert result.exit_code == 1


@pytest.mark.parametrize(("options", "exit_code"), [((), 0), (("--strict",), 1)])
def test_a_breaking_change_that_nobody_uses_fails_only_when_strict(
    tmp_path: Path, options: tuple[str, ...], exit_code: int
) -> None:
    result = run_diff(tmp_path, OLD.replace("unused: Int", ""), "--operations", str(operations(tmp_path)), *options)
    assert result.stdout.startswith("breaking  FIELD_REMOVED: Field Product.unused was removed.\n1 breaking")
    assert result.exit_code == exit_code


def test_what_is_no_schema_is_an_input_error(tmp_path: Path) -> None:
    result = run_diff(tmp_path, "type Query {")
    assert isinstance(result.exception, InputError)
    assert result.exception.message.startswith(f"{tmp_path / 'new.graphql'} is no schema: Syntax Error: ")


def test_operations_that_do_not_parse_are_an_input_error_with_their_place(tmp_path: Path) -> None:
    (tmp_path / "a.graphql").write_text("query {\n  x(\n}")
    with pytest.raises(InputError, match=r"Expected Name, found '}'\. \(.*a\.graphql:3:1\)"):
        load_operations(tmp_path)


def mall(folder: Path) -> Path:
    (folder / "a.graphql").write_text("type Query { product: Product } type Product { id: ID  name: String }")
    (folder / "b.graphql").write_text("type Query { other: Int }")
    config = folder / "supergraph.yaml"
    entries = (f"  {n}: {{routing_url: http://{n}, schema: {{file: {n}.graphql}}}}" for n in "ab")
    config.write_text("\n".join(["subgraphs:", *entries]))
    return config


def run_check(folder: Path, proposal: str, *options: str, name: str = "a") -> Result:
    config = mall(folder)
    (folder / "proposal.graphql").write_text(proposal)
    (folder / "ops").mkdir()
    (folder / "ops" / "a.graphql").write_text("query Name { product { name } }  query Other { other }")
    arguments = [name, "--schema", str(folder / "proposal.graphql"), "--supergraph-config", str(config)]
    return CliRunner().invoke(check, [*arguments, "--operations", str(folder / "ops"), *options])


def test_check_names_the_broken_operation_in_json(tmp_path: Path) -> None:
    result = run_check(tmp_path, "type Query { product: Product } type Product { id: ID }", "--format", "json")
    outcome = json.loads(result.stdout)
    assert outcome["changes"] == [
        {
            "severity": "BREAKING",
            "kind": "FIELD_REMOVED",
            "message": "Field Product.name was removed.",
            "coordinate": "Product.name",
            "breaks": ["a.graphql: Name"],
        }
    ]
    assert outcome["operations"] == {
        "checked": 2,
        "broken": [
            {"operation": "a.graphql: Name", "messages": ["Cannot query field 'name' on type 'Product'."]},
        ],
        "outdated": [],
    }
    assert outcome["composition"]["errors"] == []
    assert result.exit_code == 1


def test_check_passes_what_breaks_nobody(tmp_path: Path) -> None:
    result = run_check(tmp_path, "type Query { product: Product  new: Int } type Product { name: String }")
    assert result.stdout.splitlines() == [
        "breaking  FIELD_REMOVED: Field Product.id was removed.",
        "safe      FIELD_ADDED: Field Query.new was added.",
        "1 breaking, 0 dangerous, 1 safe; 0 of 2 stored operations broken",
    ]
    assert result.exit_code == 0


def test_check_refuses_what_does_not_compose_at_the_place_in_the_proposal(tmp_path: Path) -> None:
    result = run_check(tmp_path, "type Query { product: Nope }")
    place = f"{tmp_path / 'proposal.graphql'}:1:14"
    assert result.stderr.startswith(f'INVALID_GRAPHQL: [a] The type "Nope" of "Query.product" is not defined ({place})')
    assert (result.exit_code, result.stdout) == (1, "")


def test_check_takes_a_subgraph_that_is_new(tmp_path: Path) -> None:
    result = run_check(tmp_path, "type Query { third: Int }", name="third")
    config = tmp_path / "supergraph.yaml"
    assert result.stderr == f"NEW_SUBGRAPH: {config} has no subgraph 'third', so it is checked as a new one\n"
    assert result.stdout.splitlines()[0] == "safe      FIELD_ADDED: Field Query.third was added."
    assert result.exit_code == 0
