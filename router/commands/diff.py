"""``galleria diff``: what changes for clients from one schema to another."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
from graphql import GraphQLError, GraphQLSchema, build_schema

from router.commands.change_report import is_refused, render_text, to_json
from router.composition.schema_changes import compare_schemas
from router.composition.stored_operations import load_operations
from router.composition.subgraphs_file import read_sdl
from router.errors import InputError
from router.server.graphs.supergraph_file import load_supergraph
from router.supergraph import read_supergraph

_JOIN_SPEC = "specs.apollo.dev/join/"


@click.command(name="diff")
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option("--operations", type=click.Path(path_type=Path), help="A folder of the clients' operations.")
@click.option("--strict", is_flag=True, help="Fail on any breaking change, though no stored operation uses it.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(old: Path, new: Path, operations: Path | None, strict: bool, form: str) -> None:
    """Tell what changes for clients from OLD to NEW: supergraphs, plain SDL, or supergraph.yaml files."""
    stored = load_operations(operations) if operations else ()
    comparison = compare_schemas(_api_schema(old), _api_schema(new), stored)
    click.echo(json.dumps(to_json(comparison), indent=2) if form == "json" else render_text(comparison))
    if is_refused(comparison, strict):
        sys.exit(1)


def _api_schema(file: Path) -> GraphQLSchema:
    if file.suffix in (".yaml", ".yml"):
        return load_supergraph(file).api_schema
    sdl = read_sdl(file, "give two files: the schema as it was, and as it will be")
    if _JOIN_SPEC in sdl:
        return read_supergraph(sdl).api_schema
    try:
        return build_schema(sdl)
    except (GraphQLError, TypeError) as error:
        raise InputError("INVALID_SCHEMA", f"{file} is no schema: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise InputError("INVALID_SCHEMA", f"{file} is nested too deeply to be read") from None
