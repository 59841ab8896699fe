"""What /metrics tells of load and of the way to the subgraphs: read when asked, so that no request pays for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from router.execution.traffic.breaker import CircuitState
from router.server.shedding.overload import Overload
from router.server.to_subgraphs.subgraph_traffic import SubgraphTraffic
from router.told_url import told_url

_STATES = {CircuitState.CLOSED: 0, CircuitState.HALF_OPEN: 1, CircuitState.OPEN: 2}


class TrafficCollector(Collector):
    """Reads the traffic that ``current`` gives; None where there is none to tell of."""

    def __init__(self, current: Callable[[], SubgraphTraffic | None]) -> None:
        self._current = current

    def collect(self) -> Iterator[Metric]:
        """The metrics of each subgraph and address; their names come from the supergraph and the settings."""
        traffic = self._current()
        if traffic is None:
            return
        circuits = GaugeMetricFamily(
            "galleria_subgraph_circuit", "0 closed, 1 half-open, 2 open.", labels=["subgraph", "address"]
        )
        draining = GaugeMetricFamily(
            "galleria_subgraph_draining", "1 where a replica is about to go.", labels=["subgraph", "address"]
        )
        in_flight = GaugeMetricFamily(
            "galleria_subgraph_in_flight", "Requests under way.", labels=["subgraph", "address"]
        )
        for subgraph, replicas in traffic.balancing.replicas.items():
            for replica in replicas:
                labels = [subgraph, told_url(replica.address)]
                circuits.add_metric(labels, _STATES[replica.breaker.state])
                draining.add_metric(labels, replica.is_draining)
                in_flight.add_metric(labels, replica.in_flight)
        yield from (circuits, draining, in_flight)
        if traffic.limiting is not None:
            limits = GaugeMetricFamily("galleria_subgraph_limit", "Requests it gets at once.", labels=["subgraph"])
            waiting = GaugeMetricFamily("galleria_subgraph_waiting", "Requests that wait.", labels=["subgraph"])
            refused = CounterMetricFamily("galleria_subgraph_refusals", "Requests refused.", labels=["subgraph"])
            for subgraph, gate in traffic.limiting.gates.items():
                limits.add_metric([subgraph], gate.limit.value)
                waiting.add_metric([subgraph], gate.waiting)
                refused.add_metric([subgraph], gate.refused)
            yield from (limits, waiting, refused)
        if traffic.retrying is not None:
            retries = CounterMetricFamily("galleria_subgraph_retries", "Queries asked again.", labels=["subgraph"])
            for subgraph, count in traffic.retrying.retries.items():
                retries.add_metric([subgraph], count)
            yield retries
        if traffic.sharing is not None:
            shared = CounterMetricFamily("galleria_fetches_shared", "Fetches that took the answer to another one.")
            shared.add_metric([], traffic.sharing.shared)
            yield shared


class OverloadCollector(Collector):
    """Reads how many requests are under way, may be, and were refused."""

    def __init__(self, overload: Overload) -> None:
        self._overload = overload

    def collect(self) -> Iterator[Metric]:
        """Three metrics without labels."""
        overload = self._overload
        yield GaugeMetricFamily("galleria_requests_in_flight", "GraphQL requests under way.", overload.in_flight)
        yield GaugeMetricFamily("galleria_requests_in_flight_limit", "How many may be under way.", overload.limit)
        yield CounterMetricFamily("galleria_requests_shed", "Requests refused for overload.", overload.refused)
