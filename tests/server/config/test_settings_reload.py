"""Changed settings are taken over while the router serves: all at once, or none where one is wrong."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from router.server.app import RouterApp
from router.server.config import load_config
from router.server.graphs.graph_files import GraphFiles
from router.server.graphs.reload import Reloader
from router.server.metrics.telemetry import Telemetry
from tests.server.shop import SUPERGRAPH, client_of, codes

INTROSPECTION = {"query": "{ __schema { queryType { name } } }"}


@dataclass(frozen=True, slots=True)
class Running:
    """A router of files, and its client."""

    app: RouterApp
    reloader: Reloader
    settings: Path
    client: httpx.AsyncClient

    async def write(self, text: str) -> None:
        """Change the settings and let them be taken over."""
        self.settings.write_text(text)
        await self.reloader.reload()

    async def introspected(self, path: str = "/graphql") -> bool:
        response = await self.client.post(path, json=INTROSPECTION)
        return response.status_code == 200 and "data" in response.json()


@asynccontextmanager
async def running(folder: Path, text: str = "") -> AsyncIterator[Running]:
    supergraph, settings = folder / "supergraph.graphql", folder / "router.yaml"
    supergraph.write_text(SUPERGRAPH)
    settings.write_text(text)
    files = GraphFiles(supergraph, settings, {})
    app = RouterApp(load_config(settings, {}), files.open())
    reloader = Reloader(files, lambda: app.service.served_graph(), app.replace_graph, Telemetry())
    async with client_of(app) as client:
        yield Running(app, reloader, settings, client)
    await reloader.close()


@pytest.mark.asyncio
async def test_a_changed_setting_holds_for_the_next_request(tmp_path: Path) -> None:
    async with running(tmp_path) as router:
        assert not await router.introspected()
        await router.write("graphql: {introspection: true}")
        assert await router.introspected()


@pytest.mark.asyncio
async def test_the_endpoint_moves_and_the_page_appears(tmp_path: Path) -> None:
    async with running(tmp_path) as router:
        await router.write("{environment: development, graphql: {path: /api}}")
        assert await router.introspected("/api")
        assert codes(await router.client.post("/graphql", json=INTROSPECTION)) == ["NOT_FOUND"]
        assert (await router.client.get("/explorer/config.json")).json()["endpoint"] == "/api"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "text",
    [
        "graphql: {introspektion: true}",
        "{environment: development, explorer: {tabs: [missing.graphql]}}",
        "{environment: development, subgraphs: {timeouts: {stok: 1}}}",
    ],
)
async def test_a_bad_file_changes_nothing_and_is_told(
    tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    async with running(tmp_path) as router:
        before = router.app.service
        await router.write(text)
        assert router.app.service is before
        assert not await router.introspected()
    assert [record.message.split(": ")[:3] for record in caplog.records] == [
        ["reload", "refused, the old supergraph is served on", "INVALID_CONFIG"]
    ]


@pytest.mark.asyncio
async def test_settings_alone_cost_no_operation_its_plan(tmp_path: Path) -> None:
    async with running(tmp_path) as router:
        await router.client.post("/graphql", json={"query": "{ __typename }"})
        operations = router.app.service.served_graph().operations
        await router.write("headers: {propagate: []}")
        assert router.app.service.served_graph().operations is operations
        await router.write("graphql: {max_cached_operations: 5}")
        assert router.app.service.served_graph().operations is not operations
        known = router.app.service.served_graph().operations.most_recent(5)
        assert known == [("{ __typename }", None, frozenset(), None)]
