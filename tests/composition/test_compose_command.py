"""``galleria compose`` prints the supergraph, or the errors with their places on stderr."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from router.commands.compose import command
from router.errors import InputError


def write(folder: Path, sdl: str) -> str:
    (folder / "a.graphql").write_text(sdl)
    path = folder / "supergraph.yaml"
    path.write_text("subgraphs: {a: {routing_url: http://a, schema: {file: a.graphql}}}")
    return str(path)


def test_the_supergraph_goes_to_stdout(tmp_path: Path) -> None:
    result = CliRunner().invoke(command, [write(tmp_path, "type Query { x: Int }")])
    assert result.exit_code == 0
    assert result.stdout.startswith('schema\n  @link(url: "https://specs.apollo.dev/link/v1.0")\n')
    assert result.stderr == ""


def test_output_writes_a_file_instead(tmp_path: Path) -> None:
    output = tmp_path / "supergraph.graphql"
    result = CliRunner().invoke(command, [write(tmp_path, "type Query { x: Int }"), "--output", str(output)])
    assert (result.exit_code, result.stdout) == (0, "")
    assert output.read_text().endswith("type Query\n  @join__type(graph: A)\n{\n  x: Int\n}\n")


def test_errors_go_to_stderr_with_file_line_and_column_and_write_nothing(tmp_path: Path) -> None:
    output = tmp_path / "supergraph.graphql"
    result = CliRunner().invoke(command, [write(tmp_path, "type Query {\n  x: Nope\n}"), "--output", str(output)])
    place = f"{tmp_path / 'a.graphql'}:2:3"
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == f'INVALID_GRAPHQL: [a] The type "Nope" of "Query.x" is not defined ({place})\n'
    assert not output.exists()


def test_json_has_errors_and_hints_for_tools(tmp_path: Path) -> None:
    result = CliRunner().invoke(command, [write(tmp_path, "type Query { x: Nope }"), "--format", "json"])
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {
        "supergraphSdl": None,
        "errors": [
            {
                "code": "INVALID_GRAPHQL",
                "message": 'The type "Nope" of "Query.x" is not defined',
                "subgraph": "a",
                "locations": [{"subgraph": "a", "file": str(tmp_path / "a.graphql"), "line": 1, "column": 14}],
            }
        ],
        "hints": [],
    }


def test_an_unreadable_list_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file or directory"):
        CliRunner().invoke(command, [str(tmp_path / "none.yaml")], catch_exceptions=False)
