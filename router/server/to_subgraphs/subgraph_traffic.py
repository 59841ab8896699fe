"""The way from the router to its subgraphs, made from the settings: what is off is not there, and costs nothing."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from router.execution.http.client import HttpLimits, HttpSubgraphClient, parse_address
from router.execution.http.tls import Tls
from router.execution.subgraph_client import SubgraphClient
from router.execution.traffic.adaptive_limit import LimitPolicy
from router.execution.traffic.balance import BalancingClient, Replica
from router.execution.traffic.breaker import BreakerPolicy, CircuitBreaker, CircuitState
from router.execution.traffic.compress import CompressingClient
from router.execution.traffic.departure import HeaderStep, departing
from router.execution.traffic.headers import HeaderRules, HeaderRulesClient
from router.execution.traffic.limit import LimitingClient
from router.execution.traffic.retry import RetryingClient, RetryPolicy
from router.execution.traffic.share import SharingClient
from router.execution.traffic.signature import RequestSigner, Signing
from router.execution.traffic.timeout import TimeoutTelling
from router.execution.traffic.trace import TRACE_NAMES, tell_trace
from router.execution.traffic.watch import Health, Watching, WatchingClient
from router.server.caching.answer_policy import PartsClient
from router.server.caching.client import CachingClient
from router.server.caching.open_cache import EntityCacheInput, open_cache
from router.server.config import CacheControlSettings, CompressionSettings, RouterConfig
from router.server.config.traffic import TrafficSettings
from router.server.to_subgraphs.header_rules import header_rules
from router.server.to_subgraphs.replica_addresses import addresses_of
from router.server.to_subgraphs.request_signing import signing_of
from router.server.to_subgraphs.subgraph_tls import TlsInput, read_tls
from router.told_url import told_url

logger = logging.getLogger("galleria.router")

# The breaker of a router that wants none: nothing can fail this often.
_NEVER = BreakerPolicy(min_failures=2**62)


@dataclass(frozen=True, slots=True)
class TrafficInput:
    """What the way is made from; while it is the same, the connections and what was learned are kept."""

    urls: Mapping[str, str]
    limits: HttpLimits
    settings: TrafficSettings
    apps: Mapping[str, str]
    has_trace: bool
    header_rules: Mapping[str, HeaderRules]
    cache_control: CacheControlSettings
    compression: CompressionSettings | None
    signing: Signing | None
    tls: TlsInput
    is_hooked: bool = False
    entity_cache: EntityCacheInput | None = None

    @property
    def reads_cache_headers(self) -> bool:
        """Whether anything looks at what subgraphs say to caches."""
        return self.cache_control.enabled or self.entity_cache is not None


@dataclass(frozen=True, slots=True)
class SubgraphTraffic:
    """The way: ``client`` is what execution uses, the others are parts of it to look into, None where they are off.

    ``in_process`` are the clients of subgraphs in this process, by name.
    """

    made_from: TrafficInput
    client: SubgraphClient
    balancing: BalancingClient
    limiting: LimitingClient | None
    retrying: RetryingClient | None
    sharing: SharingClient | None
    in_process: Mapping[str, SubgraphClient]
    caching: CachingClient | None


def traffic_input(urls: Mapping[str, str], config: RouterConfig) -> TrafficInput:
    """What ``open_traffic`` needs, of the supergraph's ``urls`` by subgraph and the settings."""
    subgraphs = config.subgraphs
    limits = HttpLimits(
        subgraphs.max_connections, subgraphs.max_response_bytes, subgraphs.keep_alive_s, subgraphs.accept_encodings
    )
    rules = header_rules(config.headers, urls)
    return TrafficInput(
        urls=urls,
        limits=limits,
        settings=config.traffic,
        apps=subgraphs.apps,
        has_trace=config.telemetry.has_trace,
        header_rules=rules,
        compression=config.compression if config.compression.subgraph_requests else None,
        cache_control=config.cache_control,
        signing=signing_of(config),
        tls=read_tls(subgraphs.tls),
    )


def open_traffic(
    made_from: TrafficInput, tls: Mapping[str, Tls] | None = None, previous: SubgraphTraffic | None = None
) -> SubgraphTraffic:
    """Make the way, over ``tls`` by name; connects nowhere until the first request.

    What the ``previous`` one has cached is taken over. InputError: INVALID_SUBGRAPH_URL.
    """
    secured = tls or {}
    settings = made_from.settings
    in_process = {name: _in_process(made_from, name) for name in made_from.apps if name not in settings.addresses}
    balancing = BalancingClient(_replicas(made_from, secured, in_process))
    client: SubgraphClient = balancing
    watching = _watching(made_from, secured)
    if watching is not None:
        client = WatchingClient(balancing, watching)
    compression = made_from.compression
    if compression is not None:
        codings = {name: one for name, one in compression.subgraph_requests.items() if name not in made_from.apps}
        client = CompressingClient(client, codings, compression.min_bytes, compression.level)
    limiting = retrying = None
    if settings.concurrency.enabled:
        client = limiting = LimitingClient(client, LimitPolicy(**settings.concurrency.model_dump(exclude={"enabled"})))
    if settings.retries.enabled:
        client = retrying = RetryingClient(client, RetryPolicy(**settings.retries.model_dump(exclude={"enabled"})))
    sharing = None
    if settings.share:
        client = sharing = SharingClient(client)
    caching = None
    if made_from.entity_cache is not None:
        # Around the sharing, which shares what is not cached, and inside of headers and plugins: the keys hold what is
        # sent.
        caching = open_cache(client, made_from.entity_cache, previous.caching if previous is not None else None)
        client = caching
    if made_from.is_hooked:
        # Here, because few routers have plugins.
        from router.server.plugins.subgraph_hooks import HookedClient

        client = HookedClient(client)
    if made_from.header_rules:
        # Around the sharing, whose key is what is sent, and around the plugins, which see it.
        client = HeaderRulesClient(client, made_from.header_rules)
    if made_from.cache_control.enabled:
        client = PartsClient(client, made_from.cache_control.default_max_age_s)
    return SubgraphTraffic(made_from, client, balancing, limiting, retrying, sharing, in_process, caching)


def _replicas(
    made_from: TrafficInput, tls: Mapping[str, Tls], in_process: Mapping[str, SubgraphClient]
) -> dict[str, list[Replica]]:
    """One for each address that the settings know; subgraphs with a single one share a client."""
    addresses = made_from.settings.addresses
    shared = _over_http(made_from, tls, {n: u for n, u in made_from.urls.items() if n not in addresses})
    replicas = {}
    for name, url in made_from.urls.items():
        if name in addresses:
            clients = {one: _over_http(made_from, tls, {name: one}) for one in addresses[name]}
            replicas[name] = [_replica(made_from, name, one, one, client) for one, client in clients.items()]
        elif name in in_process:
            replicas[name] = [_replica(made_from, name, made_from.apps[name], url, in_process[name])]
        else:
            replicas[name] = [_replica(made_from, name, url, url, shared)]
    return replicas


def _over_http(
    made_from: TrafficInput, tls: Mapping[str, Tls], urls: Mapping[str, str], hosts: Mapping[str, str] | None = None
) -> HttpSubgraphClient:
    keeps = made_from.reads_cache_headers
    return HttpSubgraphClient(urls, made_from.limits, tls, hosts, keeps_cache_headers=keeps)


def _in_process(made_from: TrafficInput, name: str) -> SubgraphClient:
    # Here, because it brings httpx, which takes a tenth of a second that other routers need not wait.
    from router.server.to_subgraphs.in_process_apps import open_in_process

    return open_in_process(name, made_from.apps[name], made_from.urls[name], made_from.limits)


def _replica(made_from: TrafficInput, subgraph: str, address: str, url: str, client: SubgraphClient) -> Replica:
    """What is known of ``subgraph`` as ``address``, and asked at ``url`` by ``client``."""
    wanted = made_from.settings.breaker
    client = departing(client, _header_steps(made_from, subgraph, url))
    policy = BreakerPolicy(**wanted.model_dump(exclude={"enabled"})) if wanted.enabled else _NEVER
    return Replica(address, client, CircuitBreaker(policy, time.monotonic, partial(_tell, subgraph, address)))


def _header_steps(made_from: TrafficInput, subgraph: str, url: str) -> list[HeaderStep]:
    """What is added to the headers of each request to ``subgraph`` at ``url``; signed is what the others add too."""
    steps: list[HeaderStep] = []
    if made_from.has_trace:
        steps.append(tell_trace)
    if made_from.settings.timeout_header is not None:
        steps.append(TimeoutTelling(made_from.settings.timeout_header.encode()))
    if made_from.signing is not None:
        signing, target = made_from.signing, parse_address(subgraph, url).target
        steps.append(RequestSigner(signing, subgraph, target, signs_added=_signs_added(made_from, signing)))
    return steps


def _signs_added(made_from: TrafficInput, signing: Signing) -> bool:
    """Whether the steps before the signature may add headers that are signed."""
    told = made_from.settings.timeout_header
    return not signing.headers.isdisjoint(TRACE_NAMES | ({told.encode()} if told is not None else set()))


def _tell(subgraph: str, address: str, state: CircuitState) -> None:
    level = logging.INFO if state is CircuitState.CLOSED else logging.WARNING
    logger.log(level, "circuit of subgraph '%s' at %s is %s", subgraph, told_url(address), state.value)


def _watching(made_from: TrafficInput, tls: Mapping[str, Tls]) -> Watching | None:
    settings = made_from.settings
    if not settings.resolve and settings.health_path is None:
        return None

    def new_replica(subgraph: str, address: str) -> Replica:
        client = _over_http(made_from, tls, made_from.urls, {subgraph: address})
        return _replica(made_from, subgraph, address, made_from.urls[subgraph], client)

    async def resolve(subgraph: str) -> list[str]:
        return await addresses_of(made_from.urls[subgraph])

    return Watching(settings.watch_interval_s, new_replica, settings.resolve, resolve, _health(made_from, tls))


def _health(made_from: TrafficInput, tls: Mapping[str, Tls]) -> Health | None:
    path = made_from.settings.health_path
    if path is None:
        return None
    # Here, because it brings httpx, which takes a tenth of a second that other routers need not wait.
    from router.server.to_subgraphs.replica_health import ReplicaHealth

    return ReplicaHealth(made_from.urls, path, tls)
