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
    assert result.stderr.splitlines()[:-1] == [
        f'INVALID_GRAPHQL: [a] The type "Nope" of "Query.x" is not defined ({place})',
        f'  --> {place}, subgraph "a"',
        "   |",
        " 2 |   x: Nope",
        "   |   ^",
    ]
    assert result.stderr.splitlines()[-1].startswith("   = help: ")
    assert result.stderr.endswith(" (galleria explain INVALID_GRAPHQL)\n")
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
                "subgraphs": ["a"],
                "locations": [{"subgraph": "a", "file": str(tmp_path / "a.graphql"), "line": 1, "column": 14}],
            }
        ],
        "hints": [],
    }


HINTED = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@override"])\n' + (
    'type Query {\n  "The x."\n  x: Int @override(from: "none")\n}\nenum E { A }'
)


@pytest.mark.parametrize(
    ("level", "codes"),
    [
        ("none", []),
        ("warn", ["FROM_SUBGRAPH_DOES_NOT_EXIST"]),
        ("info", ["FROM_SUBGRAPH_DOES_NOT_EXIST"]),
        ("all", ["FROM_SUBGRAPH_DOES_NOT_EXIST", "UNUSED_ENUM_TYPE"]),
    ],
)
def test_hints_are_printed_from_a_level_on(tmp_path: Path, level: str, codes: list[str]) -> None:
    result = CliRunner().invoke(command, [write(tmp_path, HINTED), "--hints", level])
    assert result.exit_code == 0
    assert sorted(line.split(" (")[0] for line in result.stderr.splitlines() if line[0] != " ") == codes


def test_fail_on_a_hint_writes_nothing(tmp_path: Path) -> None:
    output = tmp_path / "supergraph.graphql"
    arguments = [write(tmp_path, HINTED), "--hints", "none", "--output", str(output)]
    result = CliRunner().invoke(command, [*arguments, "--fail-on", "UNUSED_ENUM_TYPE"])
    assert result.exit_code == 1
    assert result.stderr.startswith("UNUSED_ENUM_TYPE (DEBUG): ")
    assert not output.exists()
    assert CliRunner().invoke(command, [*arguments, "--fail-on", "INCONSISTENT_ENTITY"]).exit_code == 0


def test_the_place_of_a_described_field_is_its_name(tmp_path: Path) -> None:
    sdl = 'type Query {\n  """\n  Text.\n  """\n  x: Nope\n}'
    result = CliRunner().invoke(command, [write(tmp_path, sdl)])
    assert f"({tmp_path / 'a.graphql'}:5:3)" in result.stderr


def test_an_sdl_in_latin1_is_an_input_error_with_its_place(tmp_path: Path) -> None:
    path = write(tmp_path, "")
    (tmp_path / "a.graphql").write_bytes("type Query {\n  # é\n}".encode("latin-1"))
    with pytest.raises(InputError, match=r"a\.graphql:2:5 is not UTF-8 text; save it as UTF-8"):
        CliRunner().invoke(command, [path], catch_exceptions=False)


def test_an_sdl_that_is_a_directory_is_an_input_error(tmp_path: Path) -> None:
    path = write(tmp_path, "")
    (tmp_path / "a.graphql").unlink()
    (tmp_path / "a.graphql").mkdir()
    with pytest.raises(InputError, match=r"a\.graphql cannot be read: Is a directory"):
        CliRunner().invoke(command, [path], catch_exceptions=False)


def test_an_unreadable_list_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        CliRunner().invoke(command, [str(tmp_path / "none.yaml")], catch_exceptions=False)
    advice = "give the file that lists the subgraphs, such as supergraph.yaml"
    assert caught.value.message == f"{tmp_path / 'none.yaml'} cannot be read: No such file or directory; {advice}"


@pytest.mark.parametrize("sdl", ["", " \n"])
def test_an_empty_sdl_is_told_as_that(tmp_path: Path, sdl: str) -> None:
    result = CliRunner().invoke(command, [write(tmp_path, sdl)])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.splitlines()[0] == f"SYNTAX: [a] The SDL is empty ({tmp_path / 'a.graphql'}:1:1)"
