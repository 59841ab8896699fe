"""A changed supergraph is taken over while the router serves; one that does not build is refused and told."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from router.server.app import create_app
from router.server.config import load_config
from router.server.deferred.compiled import DeferralKey
from router.server.graphs.graph import Graph, GraphInput
from router.server.graphs.graph_files import GraphFiles
from router.server.graphs.reload import Reloader
from router.server.metrics.telemetry import Telemetry
from tests.execution.raw_server import Exchange, ok, raw_server
from tests.server.graphs.test_supergraph_file import CATALOG, STOCK, write_yaml
from tests.server.shop import SUPERGRAPH

RENAMED = SUPERGRAPH.replace("  whoami: String", "  me: String")
BROKEN = SUPERGRAPH.replace("  whoami: String", "  whoami: Nothing")


class Served:
    """What an endpoint holds: the graph that is served, after those that were."""

    def __init__(self, files: GraphFiles, graph: Graph) -> None:
        self.graphs = [graph]
        self.files = files
        self.telemetry = Telemetry()
        self.reloader = Reloader(files, lambda: self.graph, self.graphs.append, self.telemetry)

    @property
    def graph(self) -> Graph:
        return self.graphs[-1]

    def root_fields(self) -> set[str]:
        query = self.graph.supergraph.api_schema.query_type
        assert query is not None
        return set(query.fields)

    def metric(self, name: str) -> float | None:
        return self.telemetry.registry.get_sample_value(name)

    def reloads(self, outcome: str) -> float | None:
        return self.telemetry.registry.get_sample_value("galleria_supergraph_reloads_total", {"outcome": outcome})


@asynccontextmanager
async def serving(supergraph: Path, config: Path | None = None) -> AsyncIterator[Served]:
    files = GraphFiles(supergraph, config)
    # In a thread, because the subgraphs that it may ask are served by this one.
    served = Served(files, await asyncio.to_thread(files.open))
    try:
        yield served
    finally:
        await served.reloader.close()
        await served.graph.client.close()


@asynccontextmanager
async def watching(served: Served) -> AsyncIterator[None]:
    task = asyncio.create_task(served.reloader.watch())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def write(path: Path, text: str) -> None:
    path.write_text(text)


def remove(path: Path) -> None:
    path.unlink()


async def until_swapped(served: Served, times: int = 1) -> None:
    async with asyncio.timeout(20):
        while len(served.graphs) <= times:  # noqa: ASYNC110 - what is awaited has no event, and should have none
            await asyncio.sleep(0.01)


@pytest.fixture
def supergraph(tmp_path: Path) -> Path:
    path = tmp_path / "supergraph.graphql"
    path.write_text(SUPERGRAPH)
    return path


@pytest.fixture
def quick(tmp_path: Path) -> Path:
    """Settings with short intervals."""
    path = tmp_path / "router.yaml"
    path.write_text("supergraph: {watch_interval_s: 0.02, poll_interval_s: 0.05}")
    return path


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("changed", "told"),
    [("supergraph", "a changed supergraph is served"), ("settings", "changed settings are in force")],
)
async def test_what_changed_between_its_reading_and_the_first_look_is_served(
    supergraph: Path, quick: Path, changed: str, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with serving(supergraph, quick) as served:
        if changed == "supergraph":
            write(supergraph, RENAMED)
        else:
            write(quick, "supergraph: {watch_interval_s: 0.03}")
        async with watching(served):
            await until_swapped(served)
        assert served.graph.made_from == served.files.read()
    assert f"reload: {told} (0 of 0 recent operations planned)" in caplog.messages


@pytest.mark.asyncio
async def test_what_has_not_changed_is_read_once_more_and_is_not_news(
    supergraph: Path, quick: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(supergraph, quick) as served:
        await served.reloader.reload()
        assert len(served.graphs) == 1
    assert caplog.messages == []


def test_the_settings_that_a_graph_was_made_with_are_those_that_count(supergraph: Path, quick: Path) -> None:
    files = GraphFiles(supergraph, quick)
    read_for_the_start = load_config(quick)
    write(quick, "graphql: {path: /changed}")
    app = create_app(read_for_the_start, files.open(), files)
    assert app._serving.config.graphql.path == "/changed"


@pytest.mark.asyncio
async def test_a_changed_supergraph_is_served(supergraph: Path, quick: Path) -> None:
    async with serving(supergraph, quick) as served, watching(served):
        await asyncio.sleep(0)
        write(supergraph, RENAMED)
        await until_swapped(served)
        assert served.root_fields() == {"products", "me", "warehouses"}
        assert served.reloads("swapped") == 1


@pytest.mark.asyncio
async def test_a_file_that_supergraph_yaml_names_is_watched_too(tmp_path: Path, quick: Path) -> None:
    path = write_yaml(tmp_path, catalog=CATALOG, stock=STOCK)
    async with serving(path, quick) as served, watching(served):
        await asyncio.sleep(0)
        write(tmp_path / "catalog.graphql", CATALOG.replace("products", "items"))
        await until_swapped(served)
        assert served.root_fields() == {"items"}


@pytest.mark.asyncio
async def test_subgraphs_that_tell_their_schema_are_asked_again(tmp_path: Path, quick: Path) -> None:
    told = ["type Query { one: Int }"]

    async def tell(exchange: Exchange) -> None:
        await exchange.write(ok(json.dumps({"data": {"_service": {"sdl": told[0]}}}).encode()))

    async with raw_server(tell) as server:
        path = tmp_path / "supergraph.yaml"
        write(path, json.dumps({"subgraphs": {"one": {"schema": {"subgraph_url": server.url}}}}))
        async with serving(path, quick) as served, watching(served):
            # Twice: a watch looks when it begins, and again after each interval.
            for times, field in enumerate(("two", "three"), 1):
                told[0] = f"type Query {{ {field}: Int }}"
                await until_swapped(served, times)
                assert served.root_fields() == {field}


@pytest.mark.asyncio
async def test_what_does_not_build_is_refused_and_told_once(supergraph: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with serving(supergraph) as served:
        write(supergraph, BROKEN)
        await served.reloader.reload()
        await served.reloader.reload()
        assert len(served.graphs) == 1
        assert (served.reloads("refused"), served.metric("galleria_supergraph_refused")) == (1, 1)
        told = [record.message for record in caplog.records]
        assert len(told) == 1
        assert told[0].startswith(
            f"reload: refused, the old supergraph is served on: INVALID_SUPERGRAPH: {supergraph}: "
        )


class FaultyFiles(GraphFiles):
    """Files whose reading fails as no file should make it fail, while ``is_faulty``."""

    is_faulty = False

    def read(self) -> GraphInput:
        if self.is_faulty:
            raise KeyError("nobody thought of this")
        return super().read()


@pytest.mark.asyncio
async def test_a_fault_of_the_router_is_told_and_the_next_change_is_served(
    supergraph: Path, quick: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = FaultyFiles(supergraph, quick)
    served = Served(files, files.open())
    files.is_faulty = True
    async with watching(served):
        write(supergraph, RENAMED)
        async with asyncio.timeout(20):
            while served.reloads("refused") != 1:  # noqa: ASYNC110 - what is awaited has no event, and should have none
                await asyncio.sleep(0.01)
        files.is_faulty = False
        await until_swapped(served)
    told = "reload: refused, the old supergraph is served on: RELOAD_FAILED: the router's own fault: KeyError: "
    assert [m for m in caplog.messages if "refused" in m] == [f"{told}'nobody thought of this'"]
    assert served.root_fields() >= {"me"}
    await served.reloader.close()
    await served.graph.client.close()


@pytest.mark.asyncio
async def test_every_reason_why_subgraphs_do_not_compose_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_yaml(tmp_path, catalog=CATALOG, stock=STOCK)
    async with serving(path) as served:
        write(tmp_path / "stock.graphql", STOCK.replace("available", "name"))
        await served.reloader.reload()
        assert served.reloads("refused") == 1
    assert [record.message.split(":")[1].strip() for record in caplog.records] == [
        "FIELD_TYPE_MISMATCH",
        "INVALID_FIELD_SHARING",
        "refused, the old supergraph is served on",
    ]


@pytest.mark.asyncio
async def test_the_old_supergraph_put_back_ends_the_refusal(supergraph: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with serving(supergraph) as served:
        write(supergraph, BROKEN)
        await served.reloader.reload()
        write(supergraph, SUPERGRAPH)
        await served.reloader.reload()
        assert len(served.graphs) == 1
        assert served.metric("galleria_supergraph_refused") == 0
        assert caplog.records[-1].message == "reload: the files hold again what is served"


@pytest.mark.asyncio
async def test_a_file_that_is_gone_changes_nothing(supergraph: Path) -> None:
    async with serving(supergraph) as served:
        remove(supergraph)
        await served.reloader.reload()
        assert (len(served.graphs), served.reloads("refused")) == (1, 1)


@pytest.mark.asyncio
async def test_known_operations_are_planned_before_the_swap_and_keep_their_order(supergraph: Path) -> None:
    async with serving(supergraph) as served:
        for text in ("{ warehouses }", "{ whoami }", "{ products { name } }"):
            await served.graph.operations.compiled((text, None, frozenset(), None))
        write(supergraph, RENAMED)
        await served.reloader.reload()
        assert len(served.graphs) == 2
        assert served.graph.operations.most_recent(9) == [
            ("{ products { name } }", None, frozenset(), None),
            ("{ warehouses }", None, frozenset(), None),
        ]


@pytest.mark.asyncio
async def test_only_so_many_operations_are_planned_before_the_swap(supergraph: Path, quick: Path) -> None:
    write(quick, "supergraph: {warm_operations: 1}")
    async with serving(supergraph, quick) as served:
        for text in ("{ warehouses }", "{ products { name } }"):
            await served.graph.operations.compiled((text, None, frozenset(), None))
        write(supergraph, RENAMED)
        await served.reloader.reload()
        assert served.graph.operations.most_recent(9) == [("{ products { name } }", None, frozenset(), None)]


@pytest.mark.asyncio
async def test_operations_with_deferred_parts_are_planned_before_the_swap(supergraph: Path) -> None:
    async with serving(supergraph) as served:
        text = "{ products { name ... @defer { available } } }"
        key = DeferralKey(text, None, frozenset(), ())
        await served.graph.deferrals.compiled(key)
        write(supergraph, RENAMED)
        await served.reloader.reload()
        assert len(served.graphs) == 2
        assert served.graph.deferrals.most_recent(9) == [key]
        assert served.graphs[0].deferrals is not served.graphs[1].deferrals


@pytest.mark.asyncio
async def test_connections_are_kept_where_the_addresses_stay(supergraph: Path) -> None:
    async with serving(supergraph) as served:
        write(supergraph, RENAMED)
        await served.reloader.reload()
        assert served.graphs[0].client is served.graphs[1].client
        write(supergraph, RENAMED.replace("http://stock.test", "http://stores.test"))
        await served.reloader.reload()
        assert served.graphs[2].client is not served.graphs[1].client
        assert served.graph.traffic is not None
        assert served.graph.traffic.made_from.urls["stock"] == "http://stores.test/graphql"


@pytest.mark.asyncio
async def test_changed_settings_are_taken_over_and_those_of_the_start_told_to_wait(
    supergraph: Path, quick: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(supergraph, quick) as served:
        text = (
            "{subgraphs: {timeout_s: 3}, server: {port: 5000, drain_s: 1, keep_alive_s: 9}, headers: {propagate: []}, "
            "graphql: {max_body_bytes: 9}}"
        )
        write(quick, text)
        await served.reloader.reload()
        assert served.graph.timeouts_s == {"catalog": 3, "stock": 3}
        expected = (
            "reload: changed settings that take effect at the next start: server.port, server.keep_alive_s, "
            "graphql.max_body_bytes (of messages of WebSockets)"
        )
        assert caplog.records[-1].message == expected


@pytest.mark.asyncio
async def test_wrong_settings_are_refused(supergraph: Path, quick: Path) -> None:
    async with serving(supergraph, quick) as served:
        write(quick, "subgraphs: {timeouts: {stok: 1}}")
        await served.reloader.reload()
        assert (len(served.graphs), served.reloads("refused")) == (1, 1)


@pytest.mark.asyncio
async def test_nothing_is_watched_where_the_settings_say_so_but_a_reload_can_be_asked(
    supergraph: Path, quick: Path
) -> None:
    write(quick, "supergraph: {watch: false, watch_interval_s: 0.01}")
    async with serving(supergraph, quick) as served, watching(served):
        await asyncio.sleep(0)
        write(supergraph, RENAMED)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await until_swapped(served)
        served.reloader.reload_soon()
        await until_swapped(served)
