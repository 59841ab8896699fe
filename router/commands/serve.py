"""``galleria serve``: the router alone, on any supergraph."""

from __future__ import annotations

from pathlib import Path

import click

from router.server.app import create_app
from router.server.config import RouterConfig, load_config
from router.server.graphs.graph_files import GraphFiles
from router.server.graphs.startup import open_or_wait
from router.server.graphs.supergraph_file import CompositionFailed
from router.server.processes.process import begin_logging, listen, serve


@click.command()
@click.option(
    "--supergraph", required=True, type=click.Path(path_type=Path), help="Supergraph SDL, or supergraph.yaml."
)
@click.option("--config", type=click.Path(path_type=Path), help="The router's settings (router.yaml).")
@click.option("--host", help="Address to listen on; default: server.host of the settings.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; default: server.port of the settings.")
@click.option("--workers", type=click.IntRange(1, 64), help="Processes that serve; default: server.workers.")
def command(supergraph: Path, config: Path | None, host: str | None, port: int | None, workers: int | None) -> None:
    """Serve a supergraph over HTTP until SIGTERM or Ctrl-C."""
    settings = load_config(config)
    files = GraphFiles(supergraph, config)
    try:
        graph = open_or_wait(files.open)
    except CompositionFailed as failed:
        # Here, because a router that serves a supergraph SDL starts without the composer.
        from router.commands.compose import print_findings

        print_findings(failed.composition, failed.source.subgraphs)
        raise
    if graph is not None and graph.made_from is not None:
        settings = graph.made_from.config  # Read a moment later, and then served.
    host = host or settings.server.host
    port = settings.server.port if port is None else port
    count = workers or settings.server.workers
    app = create_app(settings, graph, files)
    listeners = listen(host, port, count)
    port = listeners[0].getsockname()[1]
    shown = f"[{host}]" if ":" in host else host
    click.echo(f"galleria: http://{shown}:{port}{settings.graphql.path} ({_mode(settings, config)})")
    begin_logging()
    if count == 1:
        serve(app, listeners, settings)
    else:
        # Here, because only some systems can fork.
        from router.server.processes.forked import serve_forked

        serve_forked(app, listeners, settings)


def _mode(settings: RouterConfig, config: Path | None) -> str:
    """The environment, and where the explorer is: whoever has written no settings yet looks for it first."""
    if settings.has_explorer:
        return f"{settings.environment}, explorer at /"
    return settings.environment if config is not None else "production, no explorer without GALLERIA_ENV=development"
