"""``galleria compose`` and ``router.compose`` are one composer: the same supergraph, errors and hints."""

from __future__ import annotations

import json
from pathlib import Path

import yaml
from click.testing import CliRunner

import router
from router.commands.compose import command

ROOT = Path(__file__).parents[2]
FEDERATION = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable"])\n'


def of_the_library(folder: Path, **sdls: str) -> router.Composition:
    """As the library composes them; the file is what the command calls its source."""
    return router.compose(
        [
            router.Subgraph(name, f"http://{name}/graphql", sdl, file=str(folder / f"{name}.graphql"))
            for name, sdl in sdls.items()
        ]
    )


def of_the_command(folder: Path, *options: str, **sdls: str) -> tuple[int, str]:
    """Exit code and stdout."""
    subgraphs = {}
    for name, sdl in sdls.items():
        (folder / f"{name}.graphql").write_text(sdl)
        subgraphs[name] = {"routing_url": f"http://{name}/graphql", "schema": {"file": f"{name}.graphql"}}
    (folder / "supergraph.yaml").write_text(yaml.safe_dump({"federation_version": 2, "subgraphs": subgraphs}))
    done = CliRunner().invoke(command, [str(folder / "supergraph.yaml"), *options])
    return done.exit_code, done.stdout


def test_the_mall_is_one_supergraph_either_way(tmp_path: Path) -> None:
    sdls = {path.parent.name: path.read_text() for path in sorted((ROOT / "subgraphs").glob("*/schema.graphql"))}
    assert len(sdls) == 5
    assert of_the_command(tmp_path, **sdls) == (0, of_the_library(tmp_path, **sdls).supergraph_sdl)


def test_what_does_not_compose_has_the_same_errors_and_places_either_way(tmp_path: Path) -> None:
    sdls = {
        "stock": FEDERATION + 'type Query { a: Int }\ntype Product @key(fields: "id sku") { id: ID! left: Int }',
        "shop": FEDERATION + "type Query { a: Int }\ntype Box { size: Int }\ntype Lid { size: Nothing }",
    }
    exit_code, printed = of_the_command(tmp_path, "--format", "json", **sdls)
    composition = of_the_library(tmp_path, **sdls)
    told = json.loads(printed)["errors"]
    assert exit_code == 1
    assert [(one["code"], one["message"]) for one in told] == [(e.code, e.message) for e in composition.errors]
    assert [[(place["file"], place["line"], place["column"]) for place in one["locations"]] for one in told] == [
        [(place.file, place.line, place.column) for place in error.locations] for error in composition.errors
    ]
    assert {str(error.code) for error in composition.errors} == {"KEY_INVALID_FIELDS", "INVALID_GRAPHQL"}


def test_hints_are_the_same_either_way(tmp_path: Path) -> None:
    sdls = {
        "stock": FEDERATION + 'type Query { a: Int @shareable }\n"One thing." type Box @shareable { size: Int }',
        "shop": FEDERATION + 'type Query { a: Int @shareable }\n"Another." type Box @shareable { size: Int! }',
    }
    exit_code, printed = of_the_command(tmp_path, "--format", "json", **sdls)
    composition = of_the_library(tmp_path, **sdls)
    told = json.loads(printed)["hints"]
    assert exit_code == 0
    assert [(one["code"], one["message"]) for one in told] == [(h.code, h.message) for h in composition.hints]
    assert {str(hint.code) for hint in composition.hints} == {
        "INCONSISTENT_DESCRIPTION",
        "INCONSISTENT_BUT_COMPATIBLE_FIELD_TYPE",
    }
