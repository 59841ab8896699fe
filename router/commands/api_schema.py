"""``galleria api-schema``: the schema that clients of a supergraph see."""

from __future__ import annotations

from pathlib import Path

import click
from graphql import print_schema

from router.server.graphs.supergraph_file import load_supergraph


@click.command()
@click.option("--supergraph", "supergraph_file", required=True, metavar="FILE", help="SDL, or a supergraph.yaml.")
def command(supergraph_file: str) -> None:
    """Print the schema that clients see."""
    click.echo(print_schema(load_supergraph(Path(supergraph_file)).api_schema))
