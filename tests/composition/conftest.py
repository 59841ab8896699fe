"""Harness: subgraphs as SDL texts -> their composition."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from router import Composition, Subgraph, compose

FEDERATION = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key", "@external", "@requires", '
    '"@provides", "@shareable", "@override", "@inaccessible", "@tag", "@interfaceObject", "@composeDirective"])\n'
)

ComposeSdl = Callable[..., Composition]


@pytest.fixture
def compose_sdl() -> ComposeSdl:
    """Composes Federation 2 subgraphs given as keyword arguments: ``compose_sdl(shop="type Query { ... }")``."""

    def run(**sdls: str) -> Composition:
        return compose([Subgraph(name, f"http://{name}", FEDERATION + sdl) for name, sdl in sdls.items()])

    return run
