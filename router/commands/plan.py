"""``galleria plan``: show how an operation would be answered, without answering it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import click
from graphql import DocumentNode, GraphQLError

from router.errors import InputError, OperationError
from router.operation import build_operation, coerce_variables, parse_document, split_deferred
from router.operation.model import Operation
from router.planning import plan_deferred, plan_operation, plan_to_json, render_dot, render_mermaid, render_text
from router.planning.query_plan import QueryPlan
from router.server.graphs.supergraph_file import load_supergraph
from router.supergraph.model import Supergraph

Values = Mapping[str, object]


def _render_json(plan: QueryPlan) -> str:
    return json.dumps(plan_to_json(plan), indent=2) + "\n"


FORMATS: Mapping[str, Callable[[QueryPlan], str]] = {
    "text": render_text,
    "json": _render_json,
    "mermaid": render_mermaid,
    "dot": render_dot,
}


@click.command()
@click.option("--supergraph", "supergraph_file", required=True, metavar="FILE", help="SDL, or a supergraph.yaml.")
@click.option("--operation", "operation_file", required=True, metavar="FILE", help="A GraphQL document.")
@click.option("--operation-name", help="Which operation of the document, if it has several.")
@click.option("--variables", "variables_file", metavar="FILE", help="A JSON object; checked against the operation.")
@click.option("--format", "output", type=click.Choice([*FORMATS]), default="text", show_default=True)
def command(
    supergraph_file: str, operation_file: str, operation_name: str | None, variables_file: str | None, output: str
) -> None:
    """Show the query plan of an operation."""
    supergraph = load_supergraph(Path(supergraph_file))
    try:
        document = parse_document(_read_file(operation_file, "--operation"))
        operation = build_operation(supergraph.api_schema, document, operation_name)
        values: Values = {}
        if variables_file is not None or operation.deferral_variables:
            given = _read_variables(variables_file) if variables_file is not None else {}
            values = coerce_variables(supergraph.api_schema, operation, given)
        plan = _plan(supergraph, document, operation, values)
    except OperationError as error:
        raise InputError(error.code, " ".join(_placed(each, operation_file) for each in error.errors)) from error
    click.echo(FORMATS[output](plan), nl=False)


def _placed(error: GraphQLError, file: str) -> str:
    """What is wrong, and at which line and column of the operation's file, where it tells."""
    if not error.locations:
        return error.message
    line, column = error.locations[0]
    return f"{error.message} ({file}:{line}:{column})"


def _plan(supergraph: Supergraph, document: DocumentNode, operation: Operation, values: Values) -> QueryPlan:
    """The plan of the operation; in parts, where these ``values`` defer some of it."""
    if operation.deferral_variables is not None:
        name = operation.name
        deferring = build_operation(supergraph.api_schema, document, name, deferring_with=values)
        deferred = split_deferred(supergraph.api_schema, deferring)
        if deferred is not None:
            return plan_deferred(supergraph, deferred)
    return plan_operation(supergraph, operation)


def _read_file(path: str, option: str) -> str:
    """The text of a file named on the command line; InputError(FILE_NOT_READABLE) names the option and the reason."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InputError("FILE_NOT_READABLE", f"{option} {path} cannot be read: {reason}.") from error


def _read_variables(path: str) -> dict[str, object]:
    try:
        values = json.loads(_read_file(path, "--variables"))
    except json.JSONDecodeError as error:
        raise InputError("INVALID_VARIABLES", f"--variables {path} is not JSON: {error}.") from error
    if not isinstance(values, dict):
        raise InputError("INVALID_VARIABLES", f"--variables {path} is not a JSON object.")
    return values
