"""supergraph.yaml is read in rover's form, and what is wrong with it is told in one sentence."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from router.composition.subgraph import Subgraph
from router.composition.subgraphs_file import load_subgraphs
from router.errors import InputError

SDL = "type Query { x: Int }"


def write(folder: Path, text: str) -> Path:
    (folder / "shop.graphql").write_text(SDL)
    path = folder / "supergraph.yaml"
    path.write_text(text)
    return path


def test_files_are_relative_to_the_list(tmp_path: Path) -> None:
    path = write(tmp_path, "subgraphs:\n  shop:\n    routing_url: http://shop\n    schema:\n      file: shop.graphql\n")
    assert load_subgraphs(path) == (Subgraph("shop", "http://shop", SDL, str(tmp_path / "shop.graphql")),)


def test_environment_variables_are_expanded_with_defaults(tmp_path: Path) -> None:
    text = "subgraphs:\n  shop:\n    routing_url: ${SHOP:-http://default}/${PATH_}\n    schema: {file: shop.graphql}\n"
    path = write(tmp_path, text)
    assert load_subgraphs(path, {"PATH_": "graphql"})[0].url == "http://default/graphql"
    assert load_subgraphs(path, {"PATH_": "graphql", "SHOP": "http://other"})[0].url == "http://other/graphql"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1, 2]", "has no mapping 'subgraphs:' from names to routing_url and schema"),
        ("subgraphs: {}", "lists no subgraphs"),
        ("subgraphs: {a: [", "is not YAML: while parsing a flow node"),
        ("subgraphs: {a: {routing_url: x}}", "the subgraph 'a' needs 'schema:' with 'file:' or 'subgraph_url:'"),
        ("subgraphs: {a: {schema: {file: shop.graphql}}}", "the subgraph 'a' needs a 'routing_url:'"),
        ("subgraphs: {a: {routing_url: '${NOPE_X}', schema: {file: f}}}", "uses ${NOPE_X}, which is not set"),
        ("subgraph: {}\nsubgraphs: {a: {}}", "has the key 'subgraph', which means nothing; did you mean 'subgraphs'?"),
        (
            "subgraphs: {a: {routing_ulr: x, schema: {subgraph_url: http://x}}}",
            "the subgraph 'a' has the key 'routing_ulr', which means nothing; did you mean 'routing_url'?",
        ),
        (
            "subgraphs: {a: {schema: {subgraph_url: http://x, introspection_header: {}}}}",
            "the schema of subgraph 'a' has the key 'introspection_header', which means nothing;"
            " did you mean 'introspection_headers'?",
        ),
        (
            "subgraphs: {a: {schema: {subgraph_url: http://x, introspection_headers: [a]}}}",
            "the introspection_headers of subgraph 'a' must be a mapping from names to texts",
        ),
        (
            "subgraphs: {a: {schema: {subgraph_url: http://x, introspection_headers: {'a b': c}}}}",
            "the introspection_headers of subgraph 'a' have one whose name is not the name of a header",
        ),
        (
            "subgraphs: {a: {schema: {subgraph_url: http://x, introspection_headers: {a: 7}}}}",
            "the introspection_headers of subgraph 'a': write the value of 'a' as a text of one line, in ASCII",
        ),
        (
            "subgraphs: {a: {schema: {graphref: shop@current, subgraph: a}}}",
            "the schema of subgraph 'a' is in a registry ('graphref:'), which is not asked;"
            " save it, as with `rover subgraph fetch`, and name it with 'file:'",
        ),
        (
            "subgraphs: {a: {routing_url: x, schema: {file: gone.graphql}}}",
            "cannot be read: No such file or directory; correct 'file:' of the subgraph 'a', which is relative to ",
        ),
        ("subgraphs: {a: {routing_url: x, schema: {file: .}}}", "cannot be read: Is a directory"),
    ],
)
def test_a_wrong_list_is_an_input_error(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        load_subgraphs(write(tmp_path, text), {})
    assert caught.value.code == "INVALID_SUBGRAPHS_FILE"
    assert message in caught.value.message
    assert "\n" not in caught.value.message


def test_latin_1_is_an_input_error(tmp_path: Path) -> None:
    path = write(tmp_path, "subgraphs: {a: {routing_url: x, schema: {file: latin.graphql}}}")
    (tmp_path / "latin.graphql").write_bytes(b"# caf\xe9")
    with pytest.raises(InputError, match="is not UTF-8 text; save it as UTF-8"):
        load_subgraphs(path)


class _Answer(BaseHTTPRequestHandler):
    body = b""
    encoding = "identity"
    token = ""

    def do_POST(self) -> None:
        type(self).token = self.headers.get("authorization", "")
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-encoding", self.encoding)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class's name
        """Say nothing."""


@pytest.fixture
def running_subgraph() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/graphql"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_running_subgraph_is_asked_for_its_sdl(tmp_path: Path, running_subgraph: str) -> None:
    _Answer.body = json.dumps({"data": {"_service": {"sdl": SDL}}}).encode()
    path = write(tmp_path, f"subgraphs: {{a: {{schema: {{subgraph_url: '{running_subgraph}'}}}}}}")
    assert load_subgraphs(path) == (Subgraph("a", running_subgraph, SDL),)


def test_a_running_subgraph_is_asked_with_the_headers_that_the_list_gives(
    tmp_path: Path, running_subgraph: str
) -> None:
    _Answer.body = json.dumps({"data": {"_service": {"sdl": SDL}}}).encode()
    schema = f"{{subgraph_url: '{running_subgraph}', introspection_headers: {{Authorization: 'Bearer ${{TOKEN}}'}}}}"
    load_subgraphs(write(tmp_path, f"subgraphs: {{a: {{schema: {schema}}}}}"), {"TOKEN": "of-ada"})
    assert _Answer.token == "Bearer of-ada"


def test_what_is_not_ours_is_left_to_other_tools(tmp_path: Path) -> None:
    text = "graph_ref: g@v\nsubgraphs: {a: {owner: me, routing_url: http://a, schema: {file: shop.graphql, x: 1}}}"
    assert load_subgraphs(write(tmp_path, text))[0].url == "http://a"


def test_a_header_that_cannot_be_sent_is_told_without_its_value(tmp_path: Path) -> None:
    schema = '{subgraph_url: http://x, introspection_headers: {a: "s3cret\\r\\nx: y"}}'
    with pytest.raises(InputError) as caught:
        load_subgraphs(write(tmp_path, f"subgraphs: {{a: {{schema: {schema}}}}}"))
    assert "s3cret" not in caught.value.message


def test_a_subgraph_that_answers_something_else_is_an_input_error(tmp_path: Path, running_subgraph: str) -> None:
    _Answer.body = b'{"errors": [{"message": "no"}]}'
    path = write(tmp_path, f"subgraphs: {{a: {{schema: {{subgraph_url: '{running_subgraph}'}}}}}}")
    with pytest.raises(
        InputError, match=r"does not answer \{ _service \{ sdl \} \}; is it a Federation subgraph"
    ) as caught:
        load_subgraphs(path)
    assert caught.value.code == "SUBGRAPH_UNREACHABLE"


def test_a_schema_in_an_encoding_that_was_not_asked_for_is_not_read(tmp_path: Path, running_subgraph: str) -> None:
    _Answer.body, _Answer.encoding = gzip.compress(b"x" * 10_000_000), "gzip"
    path = write(tmp_path, f"subgraphs: {{a: {{schema: {{subgraph_url: '{running_subgraph}'}}}}}}")
    try:
        with pytest.raises(InputError, match="answers in an encoding that was not asked for") as caught:
            load_subgraphs(path)
    finally:
        _Answer.encoding = "identity"
    assert caught.value.code == "SUBGRAPH_UNREACHABLE"
