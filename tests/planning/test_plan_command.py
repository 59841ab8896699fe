"""``galleria plan`` and ``galleria api-schema``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from router import Subgraph, compose
from router.commands.main import galleria
from router.errors import InputError
from tests.planning.plans import LINK

SDL = 'type Query { user(id: ID!): User } type User @key(fields: "id") { id: ID! name: String @inaccessible }'


@pytest.fixture
def supergraph_file(tmp_path: Path) -> Path:
    composition = compose([Subgraph("users", "http://users.test", LINK + SDL)])
    assert composition.supergraph_sdl is not None
    file = tmp_path / "supergraph.graphql"
    file.write_text(composition.supergraph_sdl)
    return file


def run(*arguments: object) -> str:
    result = CliRunner().invoke(galleria, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_plan_is_printed_as_text(supergraph_file: Path, tmp_path: Path) -> None:
    operation = tmp_path / "user.graphql"
    operation.write_text("query User($id: ID!) { user(id: $id) { id } }")
    variables = tmp_path / "variables.json"
    variables.write_text('{"id": 1}')

    output = run("plan", "--supergraph", supergraph_file, "--operation", operation, "--variables", variables)

    assert output == (
        "1 fetch, 1 deep\n\n#0 users\n    query User__users__0($id: ID!) {\n      user(id: $id) {\n        id\n"
        "      }\n    }\n"
    )


def test_plan_is_printed_as_json(supergraph_file: Path, tmp_path: Path) -> None:
    operation = tmp_path / "user.graphql"
    operation.write_text("{ user(id: 1) { id } }")

    output = run("plan", "--supergraph", supergraph_file, "--operation", operation, "--format", "json")

    assert json.loads(output) == {
        "kind": "query",
        "fetches": [
            {
                "id": 0,
                "subgraph": "users",
                "kind": "query",
                "document": "{ user(id: 1) { id } }",
                "owned": [{"responseKey": "user"}],
            }
        ],
    }


DEFER = '''"""The fragment may be answered after the rest, in a part of its own."""
directive @defer(
  """Whether it is deferred."""
  if: Boolean! = true

  """
  Names the part in the answer; no other of the document may have the same.
  """
  label: String
) on FRAGMENT_SPREAD | INLINE_FRAGMENT
'''


def test_api_schema_is_printed(supergraph_file: Path) -> None:
    assert run("api-schema", "--supergraph", supergraph_file) == (
        f"{DEFER}\ntype Query {{\n  user(id: ID!): User\n}}\n\ntype User {{\n  id: ID!\n}}\n"
    )


@pytest.mark.parametrize(
    ("operation", "code", "message", "place"),
    [
        ("{ user }", "GRAPHQL_VALIDATION_FAILED", "Argument 'Query.user(id:)' of type 'ID!' is required", "1:3"),
        ("{", "GRAPHQL_PARSE_FAILED", "Syntax Error: Expected Name, found <EOF>.", "1:2"),
        ("{\n  a\n}", "GRAPHQL_VALIDATION_FAILED", "Cannot query field 'a' on type 'Query'.", "2:3"),
    ],
)
def test_wrong_operation_is_an_input_error_with_its_place(
    supergraph_file: Path, tmp_path: Path, operation: str, code: str, message: str, place: str
) -> None:
    file = tmp_path / "wrong.graphql"
    file.write_text(operation)

    with pytest.raises(InputError) as caught:
        run("plan", "--supergraph", supergraph_file, "--operation", file)

    assert caught.value.code == code
    assert message in caught.value.message
    assert caught.value.message.endswith(f" ({file}:{place})")


def test_missing_file_is_named(supergraph_file: Path) -> None:
    with pytest.raises(InputError) as caught:
        run("plan", "--supergraph", supergraph_file, "--operation", "nowhere.graphql")

    assert caught.value.message == "--operation nowhere.graphql cannot be read: No such file or directory."
