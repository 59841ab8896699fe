"""/metrics: every family that is printed is in the document's table, with its type and labels, and nobody's secret."""

from __future__ import annotations

import json
import re
from pathlib import Path

import httpx
import pytest

from router.server.config import RouterConfig
from router.server.config.telemetry import MetricsSettings, TelemetrySettings
from tests.server.observation.everything_on import busy_router, families, post, samples
from tests.server.shop import Shop, client_of, router_over

DOCUMENT = Path(__file__).parent.parent.parent.parent / "docs" / "observability.md"
COUNTED = RouterConfig(telemetry=TelemetrySettings(metrics=MetricsSettings(operations=True)))


def table() -> dict[str, tuple[str, frozenset[str]]]:
    """Type and labels by metric, as the document says."""
    rows = re.findall(r"^\| `([a-z_]+)` \| (\w+) \| ([^|]*)\| .+\. \|$", DOCUMENT.read_text(), re.MULTILINE)
    return {name: (kind, frozenset(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}


@pytest.mark.asyncio
async def test_the_document_lists_what_is_printed_with_types_and_labels(tmp_path: Path) -> None:
    printed = {}
    async with busy_router(tmp_path) as router:
        for name, family in (await families(router.url)).items():
            if name.endswith("_created"):  # When a counter began: part of that counter.
                continue
            full = f"{name}_total" if family.type == "counter" else name
            labels = {frozenset(sample.labels) - {"le"} for sample in family.samples}
            assert len(labels) == 1, f"{name} was not made to happen, or has several sets of labels"
            printed[full] = (family.type, labels.pop())
    assert printed == table()


@pytest.mark.asyncio
async def test_operations_are_counted_by_name_and_client_once_they_are_valid() -> None:
    async with client_of(router_over(Shop(), COUNTED)) as client:
        for query in ("query Mugs { products { name } }", "query Bad { nothing }", "{ __typename }", "garbage"):
            await client.post("/graphql", json={"query": query}, headers={"apollographql-client-name": "web"})
        read = await _read(client)
    assert read["galleria_operations_total"] == {"Mugs web": 1, "anonymous web": 1}
    assert read["galleria_operation_lookups_total"] == {"miss": 4, "hit": 0}


@pytest.mark.asyncio
async def test_an_execution_with_errors_is_a_failure_and_takes_its_time() -> None:
    shop = Shop()
    shop.down.add("stock")
    async with client_of(router_over(shop, COUNTED)) as client:
        await client.post("/graphql", json={"query": "query Houses { warehouses }"})
        read = await _read(client)
    assert read["galleria_operation_failures_total"] == {"Houses unknown": 1}
    assert read["galleria_operation_duration_seconds_count"] == {"Houses": 1}
    stages = read["galleria_stage_duration_seconds_count"]
    assert stages == dict.fromkeys(("parse", "validate", "plan", "execute", "project"), 1)


@pytest.mark.asyncio
async def test_each_outcome_of_a_reload_is_there_from_zero_on() -> None:
    """To Prometheus a counter that begins at 1 has not increased: the first refused supergraph would not be shown."""
    async with client_of(router_over(Shop(), RouterConfig())) as client:
        read = await _read(client)
    assert read["galleria_supergraph_reloads_total"] == {"swapped": 0, "refused": 0, "unreachable": 0}


async def _read(client: httpx.AsyncClient) -> dict[str, dict[str, float]]:
    """Values by name and by the values of labels, the operation's first."""
    read: dict[str, dict[str, float]] = {}
    for line in (await client.get("/metrics")).text.splitlines():
        found = re.fullmatch(r"(\w+)\{(.*)\} (\S+)", line)
        if found is not None:
            labels = dict(re.findall(r'(\w+)="([^"]*)"', found[2]))
            values = [labels[name] for name in sorted(labels, reverse=True)]
            read.setdefault(found[1], {})[" ".join(values)] = float(found[3])
    return read


@pytest.mark.asyncio
async def test_a_thousand_names_and_clients_are_no_more_series_than_the_settings_say() -> None:
    settings = MetricsSettings(operations=True, max_operations=5, max_clients=3)
    config = RouterConfig(telemetry=TelemetrySettings(metrics=settings))
    async with client_of(router_over(Shop(), config)) as client:
        for number in range(200):
            headers = {"apollographql-client-name": f"bot-{number}"}
            await client.post("/graphql", json={"query": f"query Q{number} {{ __typename }}"}, headers=headers)
        read = await _read(client)
    assert len(read["galleria_operations_total"]) <= 6 * 4
    assert sum(read["galleria_operations_total"].values()) == 200
    assert read["galleria_operation_duration_seconds_count"]["other"] == 195


@pytest.mark.asyncio
async def test_another_limit_of_names_holds_at_once(tmp_path: Path) -> None:
    async with busy_router(tmp_path) as router:
        for name in ("A", "B", "C"):
            await post(router.url, f"query {name} {{ __typename }}")
        settings = {"telemetry": {"metrics": {"operations": True, "max_operations": 1}}}
        (tmp_path / "router.yaml").write_text(json.dumps(settings))
        while len(_operations(samples((await families(router.url))["galleria_operations"]))) > 2:
            continue
        kept = _operations(samples((await families(router.url))["galleria_operations"]))
    assert kept == {"Mugs", "other"}


def _operations(values: dict[tuple[tuple[str, str], ...], float]) -> set[str]:
    return {dict(labels)["operation"] for labels in values}


@pytest.mark.asyncio
async def test_no_secret_is_in_the_metrics() -> None:
    body = {
        "query": 'query Q($n: Int) { hush1: products(first: $n) { name } __type(name: "hush2") { name } }',
        "variables": {"n": 2047110815},
        "extensions": {"note": "hush3"},
    }
    headers = {"authorization": "Bearer hush4", "cookie": "a=hush5", "x-own": "hush6"}
    config = COUNTED.model_copy(update={"environment": "development"})
    async with client_of(router_over(Shop(), config)) as client:
        assert (await client.post("/graphql?key=hush7", json=body, headers=headers)).status_code == 200
        assert not re.search("hush|2047110815|Bearer", (await client.get("/metrics")).text)


@pytest.mark.asyncio
async def test_without_the_setting_no_operation_is_counted(production: httpx.AsyncClient) -> None:
    await production.post("/graphql", json={"query": "{ __typename }"})
    assert "galleria_operations_total{" not in (await production.get("/metrics")).text
