"""``galleria check``: would a subgraph's new schema compose with the others, and break what clients send?"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from router.commands.change_report import is_refused, render_text, to_json
from router.commands.compose import composition_to_json, print_findings
from router.composition.compose import compose
from router.composition.schema_changes import compare_schemas
from router.composition.stored_operations import load_operations
from router.composition.subgraph import Subgraph
from router.composition.subgraphs_file import load_subgraphs, read_sdl
from router.errors import InputError
from router.nearest import nearest
from router.supergraph import read_supergraph


@click.command(name="check")
@click.argument("name")
@click.option("--schema", "schema", required=True, type=click.Path(path_type=Path), help="The proposed SDL.")
@click.option(
    "--supergraph-config",
    "config",
    type=click.Path(path_type=Path),
    default=Path("supergraph.yaml"),
    show_default=True,
    help="The subgraphs as they are.",
)
@click.option("--routing-url", default="http://localhost/graphql", help="Where NAME is served, if it is new.")
@click.option("--operations", type=click.Path(path_type=Path), help="A folder of the clients' operations.")
@click.option("--strict", is_flag=True, help="Fail on any breaking change, though no stored operation uses it.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(
    name: str, schema: Path, config: Path, routing_url: str, operations: Path | None, strict: bool, form: str
) -> None:
    """Check a new schema of the subgraph NAME against the other subgraphs and the clients' operations."""
    current = load_subgraphs(config)
    sdl = read_sdl(schema, "give the proposed SDL with --schema")
    proposed = _propose(current, Subgraph(name, routing_url, sdl, str(schema)))
    _tell_if_new(name, current, config)
    stored = load_operations(operations) if operations else ()
    before, after = compose(current), compose(proposed)
    print_findings(after, proposed)
    if after.supergraph_sdl is None:
        if form == "json":
            click.echo(json.dumps({"composition": composition_to_json(after), "changes": [], "operations": None}))
        sys.exit(1)
    if before.supergraph_sdl is None:
        raise InputError("COMPOSITION_FAILED", f"{config} as it is does not compose; see `galleria compose {config}`")
    comparison = compare_schemas(
        read_supergraph(before.supergraph_sdl).api_schema, read_supergraph(after.supergraph_sdl).api_schema, stored
    )
    if form == "json":
        click.echo(json.dumps({"composition": composition_to_json(after), **to_json(comparison)}, indent=2))
    else:
        click.echo(render_text(comparison))
    if is_refused(comparison, strict):
        sys.exit(1)


def _tell_if_new(name: str, current: Sequence[Subgraph], config: Path) -> None:
    """A name that is misspelled would be checked as one more subgraph, with errors that tell of everything else."""
    known = [subgraph.name for subgraph in current]
    if name not in known:
        advice = nearest(name, known)
        click.echo(f"NEW_SUBGRAPH: {config} has no subgraph '{name}', so it is checked as a new one{advice}", err=True)


def _propose(current: Sequence[Subgraph], proposal: Subgraph) -> list[Subgraph]:
    """The subgraphs with the proposal in the place of the one of its name, or added to them."""
    if all(subgraph.name != proposal.name for subgraph in current):
        return [*current, proposal]
    return [replace(proposal, url=old.url) if old.name == proposal.name else old for old in current]
