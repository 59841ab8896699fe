"""``galleria api-schema``: the schema that clients of a supergraph see."""

from __future__ import annotations

import click
from graphql import print_schema

from router.commands.plan import load_supergraph


@click.command()
@click.option("--supergraph", "supergraph_file", required=True, metavar="FILE", help="The supergraph SDL.")
def command(supergraph_file: str) -> None:
    """Print the schema that clients see."""
    click.echo(print_schema(load_supergraph(supergraph_file).api_schema))
