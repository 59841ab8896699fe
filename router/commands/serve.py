"""``galleria serve``: the router alone, on any supergraph."""

from __future__ import annotations

from pathlib import Path

import click

from router.server.app import create_app
from router.server.config import load_config
from router.server.graph_files import GraphFiles
from router.server.process import listen, serve
from router.server.startup import open_or_wait
from router.server.supergraph_file import CompositionFailed


@click.command()
@click.option(
    "--supergraph", required=True, type=click.Path(path_type=Path), help="Supergraph SDL, or supergraph.yaml."
)
@click.option("--config", type=click.Path(path_type=Path), help="The router's settings (router.yaml).")
@click.option("--host", help="Address to listen on; default: server.host of the settings.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; default: server.port of the settings.")
def command(supergraph: Path, config: Path | None, host: str | None, port: int | None) -> None:
    """Serve a supergraph over HTTP until SIGTERM or Ctrl-C."""
    settings = load_config(config)
    host = host or settings.server.host
    port = settings.server.port if port is None else port

    files = GraphFiles(supergraph, config)
    try:
        graph = open_or_wait(files.open)
    except CompositionFailed as failed:
        # Here, because a router that serves a supergraph SDL starts without the composer.
        from router.commands.compose import print_findings

        print_findings(failed.composition, failed.source.subgraphs)
        raise
    app = create_app(settings, graph, files)
    listener = listen(host, port)
    click.echo(f"galleria: http://{host}:{listener.getsockname()[1]}{settings.graphql.path} ({settings.environment})")
    serve(app, listener, settings.graphql.max_body_bytes)
