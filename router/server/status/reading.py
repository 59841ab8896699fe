"""Reading what the router is doing, as JSON: every name in it is the supergraph's, the settings' or of few operations.

Nothing of a request is in it but names of operations, and no address tells its credentials or its query.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from router.execution.traffic.balance import Replica
from router.server.config import RouterConfig
from router.server.graphs.graph import Graph
from router.server.metrics.telemetry import Telemetry
from router.server.observation.operation_counts import OperationCounts
from router.server.service import GraphQLService
from router.server.shedding.overload import Overload
from router.server.status.outline import outline_plan
from router.server.status.recent import Rates, RecentTraffic, quantile_of
from router.server.to_subgraphs.subgraph_traffic import SubgraphTraffic
from router.told_url import told_url

JsonObject = dict[str, object]
MOST_OPERATIONS = 10


@dataclass(frozen=True, slots=True)
class StatusSource:
    """What is read from."""

    config: RouterConfig
    service: GraphQLService
    telemetry: Telemetry
    overload: Overload
    is_draining: bool


def read_status(source: StatusSource) -> JsonObject:
    """The state of this worker; rates and times of requests are those of the last ``windowS`` seconds."""
    telemetry, recent, graph = source.telemetry, source.telemetry.recent, source.service.graph
    subscriptions = source.service.subscriptions
    return {
        "router": _router(source),
        "windowS": round(recent.window_s, 1),
        "requests": {**_rates(recent.requests()), **_load(source)},
        "operationCache": {"cached": len(graph.operations) if graph is not None else 0},
        "subscriptions": {"clients": subscriptions.count, "atSubgraphs": subscriptions.shared_count},
        "subgraphs": _subgraphs(graph, recent) if graph is not None else [],
        "reloads": [
            {"at": one.at, "outcome": one.outcome, "reason": one.reason} for one in reversed(telemetry.reload_log)
        ],
        "operations": _operations(telemetry.operations.counts) if source.config.telemetry.metrics.operations else None,
    }


def _router(source: StatusSource) -> JsonObject:
    peers, telemetry = source.telemetry.peers, source.telemetry
    is_ready = source.service.graph is not None and not source.is_draining
    return {
        "worker": {"number": peers.number, "of": len(peers.paths)} if peers is not None else None,
        "pid": os.getpid(),
        "environment": source.config.environment,
        "status": "ready" if is_ready else "draining" if source.is_draining else "unavailable",
        "uptimeS": round(time.monotonic() - telemetry.started_at, 1),
        "memoryBytes": _memory_bytes(),
    }


def _memory_bytes() -> int | None:
    """The resident memory of this process; None where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


def _load(source: StatusSource) -> JsonObject:
    overload = source.overload
    if not source.config.traffic.shedding.enabled:
        return {"inFlight": None, "limit": None, "shed": overload.refused}
    return {"inFlight": overload.in_flight, "limit": overload.limit, "shed": overload.refused}


def _rates(rates: Rates, longest_s: float = math.inf) -> JsonObject:
    return {
        "perSecond": round(rates.per_second, 2),
        "p50Ms": _ms(rates.p50_s, longest_s),
        "p95Ms": _ms(rates.p95_s, longest_s),
        "failed": dict(rates.failed),
    }


def _subgraphs(graph: Graph, recent: RecentTraffic) -> list[JsonObject]:
    return [
        {
            "name": name,
            **_rates(recent.fetches(name), graph.timeouts_s[name]),
            **_limits(graph.traffic, name),
            "addresses": _addresses(graph, name),
        }
        for name in sorted(graph.supergraph.subgraphs)
    ]


def _limits(traffic: SubgraphTraffic | None, name: str) -> JsonObject:
    """The limit of concurrency, None where there is none or nothing was asked, and what retries came to."""
    gate = traffic.limiting.gates.get(name) if traffic is not None and traffic.limiting is not None else None
    retrying = traffic.retrying if traffic is not None else None
    return {
        "limit": gate.limit.value if gate is not None else None,
        "inFlight": gate.in_flight if gate is not None else None,
        "waiting": gate.waiting if gate is not None else None,
        "refused": gate.refused if gate is not None else None,
        "retries": retrying.retries[name] if retrying is not None else None,
    }


def _addresses(graph: Graph, name: str) -> list[JsonObject]:
    replicas: Sequence[Replica] = graph.traffic.balancing.replicas.get(name, ()) if graph.traffic is not None else ()
    return [
        {
            "address": told_url(replica.address),
            "circuit": replica.breaker.state.value,
            "opensInS": round(replica.breaker.opens_in_s, 1),
            "inFlight": replica.in_flight,
            "isDraining": replica.is_draining,
        }
        for replica in replicas
    ]


def _operations(operations: OperationCounts) -> list[JsonObject]:
    """The slowest of those that have figures of their own, with the plan of their slowest execution."""
    slowest = sorted(operations.slowest.items(), key=lambda one: one[1].seconds, reverse=True)
    return [
        {
            "name": name,
            "executions": sum(operations.durations[name].counts),
            "p50Ms": _ms(quantile_of(operations.durations[name], 0.5), slow.seconds),
            "p95Ms": _ms(quantile_of(operations.durations[name], 0.95), slow.seconds),
            "slowestMs": _ms(slow.seconds),
            "plan": outline_plan(slow.plan),
        }
        for name, slow in slowest[:MOST_OPERATIONS]
    ]


def _ms(seconds: float | None, longest_s: float = math.inf) -> float | None:
    """In milliseconds. A quantile is known to within its bucket, but nothing took more than ``longest_s``."""
    return round(min(seconds, longest_s) * 1000, 2) if seconds is not None else None
