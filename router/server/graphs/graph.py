"""A supergraph as it is served: with its client, its compiled operations, and how its answers are read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from graphql import is_scalar_type, is_specified_scalar_type

from router.errors import InputError
from router.execution.answer import Decode
from router.execution.http.tls import Tls
from router.execution.json_numbers import decode, decode_exact
from router.execution.subgraph_client import Headers, SubgraphClient
from router.execution.subscription.event_source import EventSource
from router.execution.subscription.websocket_source import WebSocketSource
from router.execution.traffic.headers import HeaderRules
from router.execution.traffic.signature import RequestSigner
from router.nearest import nearest
from router.operation.limits import OperationLimits
from router.planning.override_labels import ActiveLabels, label_choice
from router.server.caching.open_cache import entity_cache_input
from router.server.config import RouterConfig, SubgraphSubscriptionSettings
from router.server.deferred.compiled import DeferralCache, DeferralCompiler, deferral_cache
from router.server.demand.operation_cost import cost_options
from router.server.error_policy import ErrorPolicy, error_policy
from router.server.graphs.supergraph_file import SupergraphSource, build_supergraph
from router.server.operations.compiled_operation import OperationCompiler
from router.server.operations.operation_cache import OperationCache, operation_cache
from router.server.operations.recently_used import CacheSize
from router.server.persisted_documents.manifest import Manifest
from router.server.plugins.hooks import has_subgraph_hooks
from router.server.to_subgraphs.header_rules import header_rules
from router.server.to_subgraphs.request_signing import signing_of
from router.server.to_subgraphs.subgraph_tls import TlsInput, open_tls, secured_urls
from router.server.to_subgraphs.subgraph_traffic import SubgraphTraffic, open_traffic, traffic_input
from router.supergraph.model import Supergraph


@dataclass(frozen=True, slots=True)
class GraphInput:
    """What a graph is made from: what was read of the supergraph, the settings, and the files that they name."""

    source: SupergraphSource
    config: RouterConfig
    manifest: Manifest | None = None
    tls: TlsInput | None = None


@dataclass(frozen=True, slots=True)
class EventRoute:
    """From where, and how, the events of a subgraph's subscriptions come; ``rules`` are those for its headers.

    ``signer`` is None where requests are not signed.
    """

    source: EventSource
    url: str
    rules: HeaderRules | None
    signer: RequestSigner | None = None

    def headers(self, forwarded: Headers, body: bytes) -> Headers:
        """What the subgraph gets of the headers ``forwarded`` by the router, with a signature of this moment.

        A handshake of a WebSocket has no ``body``: what is said on the connection is not signed.
        """
        headers = self.rules.applied(forwarded) if self.rules is not None else forwarded
        if self.signer is None:
            return headers
        is_handshake = isinstance(self.source, WebSocketSource)
        return self.signer.signed("GET", headers, None) if is_handshake else self.signer.signed("POST", headers, body)


@dataclass(frozen=True, slots=True)
class Graph:
    """Everything that changes together when the supergraph does. Requests under way keep the one they began with.

    ``deferrals`` are operations as they are answered in parts. ``active_labels`` chooses, for one request, which
    progressive overrides are active. ``traffic`` is None where the client is the caller's own, ``errors`` where clients
    are told everything, ``made_from`` where the graph was not made from files.
    """

    supergraph: Supergraph
    client: SubgraphClient
    operations: OperationCache
    deferrals: DeferralCache
    timeouts_s: Mapping[str, float]
    decode: Decode
    traffic: SubgraphTraffic | None
    event_routes: Mapping[str, EventRoute]
    active_labels: Callable[[], ActiveLabels]
    errors: ErrorPolicy | None = None
    made_from: GraphInput | None = None


def build_graph(made_from: GraphInput, previous: Graph | None = None) -> Graph:
    """Build what was read, ready to serve. InputError as build_supergraph and open_graph.

    The ``previous`` graph's client, with its open connections, serves on where the addresses and limits are the same.
    """
    kept = _still_good(previous, made_from) if previous is not None else None
    supergraph = kept.supergraph if kept is not None else build_supergraph(made_from.source)
    traffic = previous.traffic if previous is not None else None
    graph = open_graph(supergraph, made_from.config, kept=traffic)
    if kept is not None and _compiles_alike(kept, made_from.config):
        graph = replace(graph, operations=kept.operations, deferrals=kept.deferrals)
    return replace(graph, made_from=made_from)


def _compiles_alike(kept: Graph, config: RouterConfig) -> bool:
    """Whether its operations are what ``config`` would make of them."""
    before = kept.made_from.config if kept.made_from is not None else None
    if before is None or _cache_size(before) != _cache_size(config):
        return False
    return (_operation_limits(before), cost_options(before)) == (_operation_limits(config), cost_options(config))


def _still_good(previous: Graph, made_from: GraphInput) -> Graph | None:
    """``previous`` where its supergraph is what would be built: settings alone have changed."""
    is_same = previous.made_from is not None and previous.made_from.source == made_from.source
    return previous if is_same else None


def open_graph(
    supergraph: Supergraph,
    config: RouterConfig,
    client: SubgraphClient | None = None,
    kept: SubgraphTraffic | None = None,
) -> Graph:
    """Make ``supergraph`` ready to serve, over HTTP or the given client.

    Where the way to the subgraphs that was ``kept`` is what the settings say, it is used on.

    InputError: INVALID_SUBGRAPH_URL, INVALID_CONFIG (a limit for a subgraph that there is none of; files of TLS).
    """
    settings = config.subgraphs
    _check_names("subgraphs.timeouts", settings.timeouts, supergraph)
    _check_names("subgraphs.subscriptions", settings.subscriptions, supergraph)
    _check_names("subgraphs.apps", settings.apps, supergraph)
    _check_names("subgraphs.tls.subgraphs", settings.tls.subgraphs, supergraph)
    _check_names("headers.subgraphs", config.headers.subgraphs, supergraph)
    _check_names("compression.subgraph_requests", config.compression.subgraph_requests, supergraph)
    _check_names("traffic.addresses", config.traffic.addresses, supergraph)
    _check_names("traffic.resolve", config.traffic.resolve, supergraph)
    urls = _urls(supergraph)
    tls = open_tls(settings.tls, secured_urls(urls, config))
    traffic = None
    if client is None:
        made_from = traffic_input(urls, config)
        made_from = replace(made_from, entity_cache=entity_cache_input(config, supergraph))
        if config.plugins:
            made_from = replace(made_from, is_hooked=has_subgraph_hooks(config.plugins))
        traffic = kept if kept is not None and kept.made_from == made_from else open_traffic(made_from, tls, kept)
        client = traffic.client
    timeouts = {name: settings.timeouts.get(name, settings.timeout_s) for name in supergraph.subgraphs}
    size, limits = _cache_size(config), _operation_limits(config)
    # Few operations have @defer: they get a part beside the others.
    deferral_size = replace(size, max_bytes=size.max_bytes // 4)
    return Graph(
        supergraph=supergraph,
        client=client,
        operations=operation_cache(OperationCompiler(supergraph, size, limits, cost_options(config)), size),
        deferrals=deferral_cache(DeferralCompiler(supergraph, deferral_size, limits), deferral_size),
        timeouts_s=timeouts,
        decode=_decoder(supergraph),
        traffic=traffic,
        event_routes=_event_routes(urls, config, tls),
        active_labels=label_choice(supergraph.override_labels),
        errors=error_policy(config),
    )


def _cache_size(config: RouterConfig) -> CacheSize:
    return CacheSize(config.graphql.max_cached_operations, config.graphql.max_cached_operation_bytes)


def _operation_limits(config: RouterConfig) -> OperationLimits:
    return OperationLimits(**dict(config.limits), hide_suggestions=not config.has_introspection)


def _check_names(setting: str, names: Iterable[str], supergraph: Supergraph) -> None:
    for name in names:
        if name not in supergraph.subgraphs:
            hint = nearest(name, supergraph.subgraphs, ".")
            raise InputError("INVALID_CONFIG", f"{setting}.{name}: there is no subgraph of that name{hint}")


def _event_routes(urls: Mapping[str, str], config: RouterConfig, tls: Mapping[str, Tls]) -> Mapping[str, EventRoute]:
    routes: dict[str, EventRoute] = {}
    rules, signing = header_rules(config.headers, urls), signing_of(config)
    for name, url in urls.items():
        settings = config.subgraphs.subscriptions.get(name, SubgraphSubscriptionSettings())
        address = settings.url or url
        signer = RequestSigner(signing, name, _target(address)) if signing is not None else None
        routes[name] = EventRoute(_event_source(settings, tls.get(name)), address, rules.get(name), signer)
    return routes


def _target(url: str) -> str:
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _event_source(settings: SubgraphSubscriptionSettings, tls: Tls | None) -> EventSource:
    if settings.protocol == "websocket":
        return WebSocketSource(tls)
    # Here, because it brings httpx, which takes a tenth of a second that other routers need not wait.
    from router.execution.subscription.sse_source import SseSource

    return SseSource(tls, silence_timeout_s=settings.silence_timeout_s)


def _urls(supergraph: Supergraph) -> Mapping[str, str]:
    return {name: info.url for name, info in supergraph.subgraphs.items()}


def _decoder(supergraph: Supergraph) -> Decode:
    """Only custom scalars can hold numbers that plain decoding would round, and looking for such numbers costs time."""
    types = supergraph.api_schema.type_map.values()
    has_custom_scalars = any(is_scalar_type(kind) and not is_specified_scalar_type(kind) for kind in types)
    return decode_exact if has_custom_scalars else decode
