"""``galleria explain``: what an error or hint code means, with an example and how to mend it."""

from __future__ import annotations

import difflib

import click

from router.composition.pages import codes, find_page
from router.errors import InputError


@click.command(name="explain")
@click.argument("code", required=False)
def command(code: str | None) -> None:
    """Explain CODE, an error or hint of composition; without CODE, list them all."""
    if code is None:
        click.echo("\n".join(codes()))
        return
    page = find_page(code.upper())
    if page is None:
        near = difflib.get_close_matches(code.upper(), codes(), n=3)
        advice = f"did you mean {' or '.join(near)}?" if near else "galleria explain lists those that are."
        others = "Those of a router's answers, and of this command, are in docs/error-codes.md"
        raise InputError("UNKNOWN_CODE", f"{code} is no code of composition; {advice} {others}")
    click.echo(page.text, nl=False)
