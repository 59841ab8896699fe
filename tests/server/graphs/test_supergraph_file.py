"""What is served may be a supergraph SDL, or a supergraph.yaml that is composed at the start."""

from __future__ import annotations

from pathlib import Path

import pytest

from router.errors import InputError
from router.server.graphs.supergraph_file import load_supergraph

CATALOG = """
extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])
type Query { products: [Product!] }
type Product @key(fields: "id") { id: ID! name: String }
"""
STOCK = """
extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])
type Product @key(fields: "id") { id: ID! available: Int }
"""


def write_yaml(folder: Path, **schemas: str) -> Path:
    """A supergraph.yaml of these subgraphs."""
    lines = ["federation_version: 2", "subgraphs:"]
    for name, sdl in schemas.items():
        (folder / f"{name}.graphql").write_text(sdl)
        lines += [f"  {name}:", f"    routing_url: http://{name}.test/", f"    schema: {{file: {name}.graphql}}"]
    path = folder / "supergraph.yaml"
    path.write_text("\n".join(lines))
    return path


def test_a_supergraph_yaml_is_composed(tmp_path: Path) -> None:
    supergraph = load_supergraph(write_yaml(tmp_path, catalog=CATALOG, stock=STOCK))
    assert {name: info.url for name, info in supergraph.subgraphs.items()} == {
        "catalog": "http://catalog.test/",
        "stock": "http://stock.test/",
    }
    assert set(supergraph.api_schema.type_map["Product"].fields) == {"id", "name", "available"}  # type: ignore[attr-defined]


def test_subgraphs_that_do_not_compose_are_told_on_one_line(tmp_path: Path) -> None:
    path = write_yaml(tmp_path, catalog=CATALOG, stock=STOCK.replace("available", "name"))
    with pytest.raises(InputError) as caught:
        load_supergraph(path)
    assert caught.value.code == "COMPOSITION_FAILED"
    assert caught.value.message.startswith(f"{path} does not compose: ")
    assert caught.value.message.endswith(f" See `galleria compose {path}`.")
    assert "\n" not in caught.value.message


def test_a_text_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "supergraph.graphql"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="not a text in UTF-8"):
        load_supergraph(path)
