"""The ``galleria`` command: one verb for every stage of the data flow."""

from __future__ import annotations

import importlib
import sys

import click

from router.errors import InputError
from router.nearest import nearest

VERBS = {
    "compose": "Compose subgraphs into a supergraph.",
    "check": "Check a subgraph's new schema against the others and the clients' operations.",
    "diff": "Tell what changes for clients between two schemas.",
    "contract": "Make a supergraph for some clients, chosen by tags.",
    "explain": "Explain an error or hint code of composition.",
    "plan": "Show the query plan of an operation.",
    "serve": "Serve a supergraph over HTTP.",
    "api-schema": "Print the schema that clients see.",
    "config": "Tell of the settings in router.yaml.",
}


class LazyVerbs(click.Group):
    """Imports the module of a verb only when it is called, so that ``--help`` and each verb start quickly.

    The module of verb ``api-schema`` is ``router.commands.api_schema``; its attribute ``command`` is the click command.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All verbs, in the order of the data flow."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The click command of ``cmd_name``, or None if there is no such verb."""
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(f"router.commands.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The verb that is called; UsageError, with the nearest one, where there is no such verb."""
        name = args[0]
        if name not in VERBS and not name.startswith("-"):
            ctx.fail(f"No such command '{name}'{nearest(name, VERBS, '.')}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The verbs with their one-line helps, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))


@click.command(cls=LazyVerbs)
@click.version_option(package_name="galleria")
def galleria() -> None:
    """Compose, plan and serve a Federation 2 supergraph."""


def main() -> None:
    """Run the command line; a wrong input is one line on stderr and exit code 2, never a traceback."""
    try:
        galleria()
    except InputError as error:
        click.echo(f"{error.code}: {error.message}", err=True)
        sys.exit(2)
