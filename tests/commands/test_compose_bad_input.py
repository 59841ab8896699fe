"""``galleria compose`` answers whatever it is given with a place and exit code 1 or 2, in bounded memory.

The command runs as a process of its own, whose address space the operating system bounds.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

MEMORY_BYTES = 1_000_000_000
TIMEOUT_S = 120
LIST = "subgraphs: {a: {routing_url: http://a, schema: {file: a.graphql}}}"
DEEP = 10_000


def run_compose(folder: Path, sdl: bytes | None, subgraphs: str = LIST) -> tuple[int, str]:
    """Exit code and stderr; stdout must be empty."""
    if sdl is not None:
        (folder / "a.graphql").write_bytes(sdl)
    (folder / "supergraph.yaml").write_text(subgraphs)
    completed = subprocess.run(
        [sys.executable, "-c", "from router.commands.main import main; main()", "compose", "supergraph.yaml"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES)),
    )
    assert completed.stdout == ""
    assert "Traceback" not in completed.stderr
    return completed.returncode, completed.stderr


QUERY = "type Query { x: Int }\n"
FILLER = "".join(f"type T{number} {{ field: Int }}\n" for number in range(1000))
CYCLE_OF_EXTENSIONS = """type Query { x: Int }
interface A { x: Int }
interface B { x: Int }
extend interface A implements B
extend interface B implements A
"""
CYCLE_OF_INTERFACES = """type Query { x: Int }
interface A implements B { x: Int }
interface B implements A { x: Int }
"""


@pytest.mark.parametrize(
    ("sdl", "code", "place"),
    [
        pytest.param("type Query {\n  x: }", "SYNTAX", "2:6", id="does not parse"),
        pytest.param("", "SYNTAX", "1:1", id="empty"),
        pytest.param("type Query { x: Int }\n" + FILLER * 800, "SYNTAX", "1:1", id="20 MB of types"),
        pytest.param("#" * 20_000_000, "SYNTAX", "1:1", id="20 MB of nothing"),
        pytest.param(f"type Query {{ x: {'[' * DEEP}Int{']' * DEEP} }}", "SYNTAX", "1:218", id="deep type"),
        pytest.param(
            f"type Query {{ x(a: J = {'[' * DEEP}{']' * DEEP}): Int }} scalar J", "SYNTAX", "1:223", id="deep value"
        ),
        pytest.param(
            f'type Query {{ t: T }}\ntype T @key(fields: "{"t {" * DEEP} id {"}" * DEEP}") {{ id: ID t: T }}',
            "KEY_INVALID_FIELDS",
            "2:8",
            id="deep field set",
        ),
        pytest.param(f"{QUERY}type T {{ x: Int }}\ntype T {{ y: Int }}", "INVALID_GRAPHQL", "3:1", id="type"),
        pytest.param(f"{QUERY}interface A implements A {{ x: Int }}", "INVALID_GRAPHQL", "2:24", id="self"),
        pytest.param(CYCLE_OF_EXTENSIONS, "INVALID_GRAPHQL", "4:31", id="cycle of extensions"),
        pytest.param(CYCLE_OF_INTERFACES, "INVALID_GRAPHQL", "2:24", id="cycle of interfaces"),
        pytest.param("type Query { x(a: A): Int }\ninput A { a: A! }", "INVALID_GRAPHQL", "2:1", id="endless input"),
    ],
)
def test_a_bad_sdl_is_an_error_with_its_place(tmp_path: Path, sdl: str, code: str, place: str) -> None:
    exit_code, errors = run_compose(tmp_path, sdl.encode())
    assert exit_code == 1
    lines = [line for line in errors.splitlines() if line.startswith(code)]
    assert lines
    assert f"a.graphql:{place}" in lines[0]
    assert len(errors) < 10_000


def test_latin_1_is_an_input_error_with_its_place(tmp_path: Path) -> None:
    exit_code, errors = run_compose(tmp_path, "type Query {\n  # caf\u00e9\n}".encode("latin-1"))
    assert (exit_code, errors) == (2, "INVALID_SUBGRAPHS_FILE: a.graphql:2:8 is not UTF-8 text; save it as UTF-8\n")


def test_a_directory_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "a.graphql").mkdir()
    remedy = "correct 'file:' of the subgraph 'a', which is relative to supergraph.yaml"
    expected = f"INVALID_SUBGRAPHS_FILE: a.graphql cannot be read: Is a directory; {remedy}\n"
    assert run_compose(tmp_path, None) == (2, expected)


def test_two_subgraphs_of_one_name_are_an_input_error_with_the_place_of_the_second(tmp_path: Path) -> None:
    entry = "{routing_url: http://a, schema: {file: a.graphql}}"
    subgraphs = f"subgraphs:\n  a: {entry}\n  a: {entry}\n"
    message = 'supergraph.yaml:3:3 has the key "a" twice in one mapping; each needs a name of its own'
    assert run_compose(tmp_path, b"type Query { x: Int }", subgraphs) == (2, f"INVALID_SUBGRAPHS_FILE: {message}\n")


@pytest.mark.parametrize(
    ("subgraphs", "message"),
    [
        ("[" * DEEP, "supergraph.yaml is nested too deeply to be read"),
        ("subgraphs: {a: &a {schema: *a}}", "supergraph.yaml is nested too deeply to be read"),
        ("#" * 20_000_000, "supergraph.yaml is larger than 8000000 bytes; is it a list of subgraphs?"),
    ],
    ids=["deep", "an alias in itself", "20 MB"],
)
def test_a_list_that_would_not_end_well_is_an_input_error(tmp_path: Path, subgraphs: str, message: str) -> None:
    assert run_compose(tmp_path, None, subgraphs) == (2, f"INVALID_SUBGRAPHS_FILE: {message}\n")
