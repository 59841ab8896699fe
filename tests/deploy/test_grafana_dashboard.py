"""Each expression of the Grafana dashboard names metrics that /metrics really prints, with labels that they have."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server.observation.everything_on import busy_router, families

DASHBOARD = Path(__file__).parent.parent.parent / "deploy" / "grafana" / "router.json"
# A name that no parenthesis follows, so no function; its matchers, where it has any.
METRIC = re.compile(r"\b(?P<name>(?:galleria|process)_\w+)(?:\{(?P<matchers>[^}]*)\})?")
GROUPED = re.compile(r"\bby \((?P<labels>[^)]*)\)")
LEGEND = re.compile(r"\{\{(\w+)\}\}")


def dashboard() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    return read


def targets() -> Iterator[tuple[str, str, str]]:
    """Panel, expression and legend."""
    for panel in dashboard()["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"], target["legendFormat"]


def variables() -> Iterator[tuple[str, str, str]]:
    """Each variable that is read from a label: its name, the metric and the label."""
    for variable in dashboard()["templating"]["list"]:
        if variable["type"] == "query":
            found = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["query"]["query"])
            assert found, variable
            yield variable["name"], found[1], found[2]


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Labels by the name of each sample that a router with everything on prints."""

    async def read() -> dict[str, set[str]]:
        async with busy_router(tmp_path_factory.mktemp("router")) as router:
            labels: dict[str, set[str]] = {}
            for family in (await families(router.url)).values():
                for sample in family.samples:
                    labels.setdefault(sample.name, set()).update(sample.labels)
            return labels

    return asyncio.run(read())


def test_every_expression_names_what_is_printed(printed: dict[str, set[str]]) -> None:
    wrong = []
    for panel, expression, legend in targets():
        metrics = list(METRIC.finditer(expression))
        assert metrics, f"{panel}: no metric in {expression}"
        for metric in metrics:
            labels = printed.get(metric["name"])
            if labels is None:
                wrong.append(f"{panel}: there is no {metric['name']}")
                continue
            matched = set(re.findall(r"(\w+)\s*(?:=|!=|=~|!~)", metric["matchers"] or ""))
            grouped = {one.strip() for by in GROUPED.finditer(expression) for one in by["labels"].split(",")}
            asked = matched | grouped | set(LEGEND.findall(legend))
            wrong += [f"{panel}: {metric['name']} has no label {one}" for one in sorted(asked - labels)]
    assert wrong == []


def test_every_variable_is_a_label_of_its_metric(printed: dict[str, set[str]]) -> None:
    assert [(name, label) for name, metric, label in variables() if label not in printed[metric]] == []
    used = {name for _, expression, _ in targets() for name in re.findall(r"\$(\w+)", expression)}
    assert used - {"__rate_interval"} <= {name for name, _, _ in variables()}


def test_counters_are_read_as_rates_and_panels_do_not_overlap() -> None:
    for panel, expression, _ in targets():
        for counter in re.findall(r"\w+_total", expression):
            assert re.search(rf"(?:rate|increase)\({counter}[\[{{]", expression), f"{panel}: {expression}"
    taken: set[tuple[int, int]] = set()
    for panel in dashboard()["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells


def test_what_the_dashboard_promises_is_there() -> None:
    shown = {name for _, expression, _ in targets() for name in re.findall(r"galleria_\w+?(?=_bucket|\b)", expression)}
    assert shown >= {
        "galleria_requests_total",
        "galleria_operations_total",
        "galleria_stage_duration_seconds",
        "galleria_fetches_total",
        "galleria_operation_lookups_total",
        "galleria_subgraph_circuit",
        "galleria_subgraph_limit",
        "galleria_requests_shed_total",
        "galleria_subscriptions",
    }
