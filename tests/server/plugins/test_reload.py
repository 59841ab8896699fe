"""A changed list of plugins is taken over while the router serves; one that cannot be had leaves the old one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from starlette.types import ASGIApp

import router
from router.errors import InputError
from router.server.graphs.graph_files import GraphFiles
from tests.server.library.hosted import SETTINGS, browser
from tests.server.shop import SUPERGRAPH

REFUSING = {"use": "examples.plugins.refused_clients:RefusedClients", "settings": {"header": "app", "names": ["old"]}}


async def status_of(app: ASGIApp) -> int:
    async with browser(app) as client:
        return (await client.post("/graphql", json={"query": "{ warehouses }"}, headers={"app": "old"})).status_code


@pytest.mark.asyncio
async def test_a_plugin_begins_and_ends_with_the_settings(tmp_path: Path) -> None:
    file, settings = tmp_path / "supergraph.graphql", tmp_path / "router.yaml"
    file.write_text(SUPERGRAPH)
    settings.write_text(json.dumps(SETTINGS))
    graph = router.Router(file, settings)
    async with graph.lifespan():
        assert await status_of(graph) == 200
        settings.write_text(json.dumps({**SETTINGS, "plugins": [REFUSING]}))
        graph.replace_graph(GraphFiles(file, settings).open())
        assert await status_of(graph) == 403
        settings.write_text(json.dumps(SETTINGS))
        graph.replace_graph(GraphFiles(file, settings).open())
        assert await status_of(graph) == 200


@pytest.mark.asyncio
async def test_a_plugin_that_cannot_be_had_changes_nothing(tmp_path: Path) -> None:
    file, settings = tmp_path / "supergraph.graphql", tmp_path / "router.yaml"
    file.write_text(SUPERGRAPH)
    settings.write_text(json.dumps({**SETTINGS, "plugins": [REFUSING]}))
    graph = router.Router(file, settings)
    async with graph.lifespan():
        settings.write_text(json.dumps({**SETTINGS, "plugins": [{"use": "no.such:Plugin"}]}))
        with pytest.raises(InputError):
            graph.replace_graph(GraphFiles(file, settings).open())
        assert await status_of(graph) == 403
