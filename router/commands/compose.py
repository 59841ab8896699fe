"""``galleria compose``: supergraph.yaml -> supergraph SDL, or the errors with their places."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from router.composition.compose import Composition, compose
from router.composition.errors import CompositionError, SourceLocation
from router.composition.hints import CompositionHint
from router.composition.subgraphs_file import load_subgraphs
from router.errors import InputError


@click.command(name="compose")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--output", type=click.Path(path_type=Path), help="Write the supergraph here instead of to stdout.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    help="text: the supergraph's SDL, errors on stderr; json: one object with all of them.",
)
def command(file: Path, output: Path | None, form: str) -> None:
    """Compose the subgraphs that FILE (supergraph.yaml) lists into a supergraph."""
    composition = compose(load_subgraphs(file))
    for error in composition.errors:
        click.echo(str(error), err=True)
    if form == "json":
        click.echo(json.dumps(composition_to_json(composition), indent=2))
    if composition.supergraph_sdl is None:
        sys.exit(1)
    if output is not None:
        _write(output, composition.supergraph_sdl)
    elif form == "text":
        click.echo(composition.supergraph_sdl, nl=False)


def _write(output: Path, sdl: str) -> None:
    try:
        output.write_text(sdl, encoding="utf-8")
    except OSError as error:
        raise InputError("OUTPUT_NOT_WRITTEN", f"{output} cannot be written: {error.strerror}") from None


def composition_to_json(composition: Composition) -> Mapping[str, object]:
    """The outcome for tools: ``supergraphSdl``, ``errors`` and ``hints`` with their locations."""
    return {
        "supergraphSdl": composition.supergraph_sdl,
        "errors": [_error(error) for error in composition.errors],
        "hints": [_hint(hint) for hint in composition.hints],
    }


def _error(error: CompositionError) -> Mapping[str, object]:
    return {
        "code": error.code,
        "message": error.message,
        "subgraph": error.subgraph,
        "locations": [_location(location) for location in error.locations],
    }


def _hint(hint: CompositionHint) -> Mapping[str, object]:
    return {
        "code": hint.code,
        "level": hint.level.name,
        "message": hint.message,
        "coordinate": hint.coordinate,
        "locations": [_location(location) for location in hint.locations],
    }


def _location(location: SourceLocation) -> Mapping[str, object]:
    return {
        "subgraph": location.subgraph,
        "file": location.file,
        "line": location.line,
        "column": location.column,
    }
