"""``galleria compose``: supergraph.yaml -> supergraph SDL, or the errors with their places."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from router.composition.compose import Composition, compose
from router.composition.errors import CompositionError, SourceLocation
from router.composition.excerpt import render_finding
from router.composition.hints import CompositionHint
from router.composition.subgraph import Subgraph
from router.composition.subgraphs_file import FetchSdl, load_subgraphs
from router.errors import InputError
from router.federation.hint_codes import HintCode, HintLevel

_LEVELS = {
    "none": max(HintLevel) + 1,
    "warn": HintLevel.WARN,
    "info": HintLevel.INFO,
    "debug": HintLevel.DEBUG,
    "all": min(HintLevel),
}


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
@click.option(
    "--hints",
    "level",
    type=click.Choice(list(_LEVELS)),
    default="warn",
    show_default=True,
    help="The least urgent hints to print on stderr; json has them all.",
)
@click.option(
    "--fail-on",
    "fail_on",
    multiple=True,
    metavar="HINT_CODE",
    type=click.Choice([str(code) for code in HintCode]),
    help="Exit with 1 where this hint is given; may be repeated.",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="A router.yaml whose TLS and signature running subgraphs are asked by.",
)
def command(
    file: Path, output: Path | None, form: str, level: str, fail_on: tuple[str, ...], config: Path | None
) -> None:
    """Compose the subgraphs that FILE (supergraph.yaml) lists into a supergraph."""
    subgraphs = load_subgraphs(file, fetch=_fetcher(config) if config is not None else None)
    composition = compose(subgraphs)
    print_findings(composition, subgraphs, level, fail_on)
    if form == "json":
        click.echo(json.dumps(composition_to_json(composition), indent=2))
    if composition.supergraph_sdl is None or any(hint.code in fail_on for hint in composition.hints):
        sys.exit(1)
    if output is not None:
        write_text(output, composition.supergraph_sdl)
    elif form == "text":
        click.echo(composition.supergraph_sdl, nl=False)


def _fetcher(config: Path) -> FetchSdl:
    # Here, because composing files needs nothing of the server.
    from router.server.config import load_config
    from router.server.graphs.subgraph_sdl import sdl_fetcher

    return sdl_fetcher(load_config(config))


def print_findings(
    composition: Composition, subgraphs: Sequence[Subgraph], level: str = "warn", fail_on: Sequence[str] = ()
) -> None:
    """Print errors, and hints of ``level`` and above or in ``fail_on``, with excerpts on stderr."""
    sources = {subgraph.file or subgraph.name: subgraph.sdl for subgraph in subgraphs}
    for hint in composition.hints:
        if hint.level >= _LEVELS[level] or hint.code in fail_on:
            click.echo(render_finding(hint, sources), err=True)
    for error in composition.errors:
        click.echo(render_finding(error, sources), err=True)


def write_text(output: Path, text: str) -> None:
    """Write a result; InputError (``OUTPUT_NOT_WRITTEN``) where the file system refuses."""
    try:
        output.write_text(text, encoding="utf-8")
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
        "subgraphs": error.subgraphs,
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
