"""``galleria contract``: a supergraph for some clients only, chosen by ``@tag``."""

from __future__ import annotations

from pathlib import Path

import click
from graphql import print_schema

from router.commands.compose import write_text
from router.composition.contract import TagFilter, make_contract
from router.errors import InputError
from router.server.graphs.supergraph_file import load_supergraph_sdl


@click.command(name="contract")
@click.option(
    "--supergraph", "supergraph", required=True, type=click.Path(path_type=Path), help="SDL, or a supergraph.yaml."
)
@click.option("--include-tag", "include", multiple=True, metavar="TAG", help="Keep only fields with this tag.")
@click.option("--exclude-tag", "exclude", multiple=True, metavar="TAG", help="Hide what has this tag.")
@click.option("--hide-unreachable-types", is_flag=True, help="Hide types that no visible field leads to.")
@click.option("--output", type=click.Path(path_type=Path), help="Write the supergraph here instead of to stdout.")
@click.option("--api-schema", "api_schema", type=click.Path(path_type=Path), help="Write what clients see here.")
def command(
    supergraph: Path,
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    hide_unreachable_types: bool,
    output: Path | None,
    api_schema: Path | None,
) -> None:
    """Make a contract of a supergraph: hide what the tags leave out."""
    if not include and not exclude:
        raise InputError("INVALID_CONTRACT", "Give at least one --include-tag or --exclude-tag")
    tags = TagFilter(frozenset(include), frozenset(exclude), hide_unreachable_types)
    contract = make_contract(load_supergraph_sdl(supergraph), tags)
    for name, advice in contract.unknown_tags.items():
        # A tag that is misspelled hides nothing, and nobody would see it.
        click.echo(f"UNKNOWN_TAG: nothing in {supergraph} has the tag '{name}'{advice}", err=True)
    if api_schema is not None:
        write_text(api_schema, print_schema(contract.api_schema) + "\n")
    if output is not None:
        write_text(output, contract.supergraph_sdl)
    else:
        click.echo(contract.supergraph_sdl, nl=False)
