"""One app served by several workers: it is made before they fork, so that they share its memory."""

from __future__ import annotations

import gc
import socket

from router.server.app import RouterApp
from router.server.config import RouterConfig
from router.server.metrics.worker_metrics import WorkerPeers, close_peer_sockets, open_peer_sockets
from router.server.processes.process import serve
from router.server.processes.workers import Workers


def serve_forked(app: RouterApp, listeners: list[socket.socket], settings: RouterConfig) -> None:
    """Serve ``app`` by one worker for each of the ``listeners``, until SIGTERM or SIGINT."""
    paths, peer_sockets = open_peer_sockets(len(listeners))

    def work(number: int, listener: socket.socket) -> None:
        app.join(WorkerPeers(number, paths))
        serve(app, [listener, peer_sockets[number]], settings)

    # A collection in a worker would write to every object, and so copy every page that is shared.
    gc.collect()
    gc.freeze()
    try:
        Workers(listeners, work, settings.server.drain_s).run()
    finally:
        close_peer_sockets(paths, peer_sockets)
