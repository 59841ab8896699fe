"""``galleria config schema``: what router.yaml may hold."""

from __future__ import annotations

import json

import click

from router.server.config.json_schema import config_schema


@click.group(name="config")
def command() -> None:
    """Tell of the router's settings."""


@command.command()
def schema() -> None:
    """Print the JSON Schema of router.yaml, for editors and checks."""
    click.echo(json.dumps(config_schema(), indent=2))
