"""The files that a served graph is made from, and how to see cheaply whether one of them changed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from router.server.config import RouterConfig, load_config
from router.server.graphs.graph import Graph, GraphInput, build_graph
from router.server.graphs.supergraph_file import read_source
from router.server.persisted_documents.manifest import read_manifest
from router.server.to_subgraphs.subgraph_tls import read_tls, tls_files

if TYPE_CHECKING:
    from router.composition.subgraphs_file import FetchSdl, Headers

# Of a file: time of its last change, size, and inode, which tells one that was moved into its place.
Stamp = tuple[int, int, int] | None


class GraphFiles:
    """A supergraph file, and the router's settings: a file, values that no file changes, or None for the defaults."""

    def __init__(
        self, supergraph: Path, config: Path | RouterConfig | None = None, environ: Mapping[str, str] = os.environ
    ) -> None:
        self._supergraph = supergraph
        self._config = config
        self._environ = environ

    def read(self) -> GraphInput:
        """What the files hold now. InputError as read_source, load_config, read_manifest and read_tls."""
        config = self._config
        settings = config if isinstance(config, RouterConfig) else load_config(config, self._environ)
        path = settings.persisted_documents.manifest
        manifest = read_manifest(path) if path is not None else None
        tls = read_tls(settings.subgraphs.tls)
        return GraphInput(read_source(self._supergraph, _fetcher(settings)), settings, manifest, tls)

    def open(self) -> Graph:
        """The graph that the files make now. InputError as read and build_graph."""
        return build_graph(self.read())

    def stamps(self, last_read: GraphInput | None) -> tuple[Stamp, ...]:
        """One for each file: those of the command line, and those that the ``last_read`` ones named."""
        named = last_read.source.files if last_read is not None else (self._supergraph,)
        config = last_read.config if last_read is not None else RouterConfig()
        candidates = (self._config, config.persisted_documents.manifest, *tls_files(config.subgraphs.tls))
        others = (path for path in candidates if isinstance(path, Path))
        return tuple(_stamp(path) for path in (*named, *others))


def _fetcher(config: RouterConfig) -> FetchSdl:
    def fetch(name: str, address: str, headers: Headers) -> str:
        # Here, because a router that serves a supergraph SDL starts without the composer.
        from router.server.graphs.subgraph_sdl import sdl_fetcher

        return sdl_fetcher(config)(name, address, headers)

    return fetch


def _stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
