"""What answers requests: made as a whole of one set of settings and one graph, and exchanged as a whole.

A reload makes a new one beside the old and puts it in its place by one assignment. A request under way ends on the one
that it began with, so it never sees half of a change.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.types import ASGIApp

from router.errors import InputError
from router.server.access.caller import Identity
from router.server.config import INVALID_CONFIG, RouterConfig
from router.server.demand.control import demand_control
from router.server.demand.metered_service import metered
from router.server.graphs.graph import Graph
from router.server.http.exchange import stepwise
from router.server.lasting import Lasting
from router.server.layers import graphql_over_http, graphql_over_websocket
from router.server.nats.connection import NatsConnection, open_connection
from router.server.observation.assembly import kind_of_service, observed_events, observed_operations, span_export
from router.server.observation.events import ObservedEvents
from router.server.pages.other_paths import other_paths
from router.server.persisted_documents.documents import PersistedDocuments, persisted_documents
from router.server.plugins.hooks import Hooks, load_hooks
from router.server.plugins.known_requester import NotingIdentity
from router.server.rate_limits.limiter import RateLimiter, origin_reading, rate_limiter
from router.server.service import GraphQLService
from router.server.to_subgraphs.header_rules import check_claim_headers

if TYPE_CHECKING:
    from router.server.access.authentication import Authenticator
    from router.server.observation.spans import SpanExport


@dataclass(frozen=True, slots=True)
class Serving:
    """The ASGI apps behind one address: GraphQL over HTTP and over WebSocket at ``graphql_path``, and all others."""

    config: RouterConfig
    graphql_path: str
    service: GraphQLService
    http: ASGIApp
    websocket: ASGIApp
    others: ASGIApp
    authenticator: Authenticator | None
    hooks: Hooks | None
    nats: NatsConnection | None
    limiter: RateLimiter | None
    spans: SpanExport | None
    events: ObservedEvents | None
    # Whether a request may be refused for overload before it comes here.
    sheds_early: bool


def assemble(config: RouterConfig, graph: Graph | None, lasting: Lasting, previous: Serving | None = None) -> Serving:
    """All that ``config`` asks for over ``graph``; changes nothing.

    What the ``previous`` one has learned of tokens, keys and documents, what it has counted for rate limits, and its
    connection to NATS, are kept where the settings for them are the same. InputError (INVALID_CONFIG) where documents
    are to be shared by no server, and as the explorer, policies, manifest, authenticator, rate limits and headers of
    claims say.
    """
    check_claim_headers(config)
    _check_sharing(config)
    authenticator = _authenticator(config, previous)
    hooks = _hooks(config, previous)
    identity: Identity | None = lasting.host or authenticator
    if identity is not None and hooks is not None:
        identity = NotingIdentity(identity)
    nats = open_connection(config.nats, previous.nats if previous is not None else None)
    limiter = rate_limiter(config, nats, previous.limiter if previous is not None else None)
    spans = span_export(config, previous.config if previous else None, previous.spans if previous else None)
    kind = kind_of_service(config, hooks is not None and hooks.has_operation_hooks)
    kind = metered(kind, demand_control(config, lasting.telemetry.costs), limiter)
    documents = _documents(config, graph, previous)
    service = kind(config, lasting.telemetry, lasting.subscriptions, graph, documents)
    service.observed = observed_operations(config, lasting.telemetry, spans)
    others: ASGIApp = other_paths(config, graph, service, identity, lasting)
    return Serving(
        config=config,
        graphql_path=config.graphql.path,
        service=service,
        http=graphql_over_http(config, service, identity, hooks, limiter, spans, lasting),
        websocket=graphql_over_websocket(config, identity, hooks, lasting),
        others=others if limiter is None else stepwise(others, [origin_reading(config)]),
        authenticator=authenticator,
        hooks=hooks,
        nats=nats,
        limiter=limiter,
        spans=spans,
        events=observed_events(config, spans),
        sheds_early=config.traffic.shedding.enabled and not config.telemetry.access_log,
    )


def _hooks(config: RouterConfig, previous: Serving | None) -> Hooks | None:
    if previous is not None and config.plugins == previous.config.plugins:
        return previous.hooks
    return load_hooks(config.plugins)


def _check_sharing(config: RouterConfig) -> None:
    if config.persisted_documents.apq_shared and config.nats.url is None:
        message = "persisted_documents.apq_shared: replicas share by the server in nats.url, so set that."
        raise InputError(INVALID_CONFIG, message)


def _documents(config: RouterConfig, graph: Graph | None, previous: Serving | None) -> PersistedDocuments | None:
    manifest = graph.made_from.manifest if graph is not None and graph.made_from is not None else None
    return persisted_documents(config.persisted_documents, manifest, previous.service.documents if previous else None)


def _authenticator(config: RouterConfig, previous: Serving | None) -> Authenticator | None:
    wanted = (config.authentication, config.environment)
    if previous is not None and wanted == (previous.config.authentication, previous.config.environment):
        return previous.authenticator
    if not config.authentication.issuers:
        return None
    # Here, because it brings cryptography, which takes 9 MB that a router without tokens need not have.
    from router.server.access.authentication import create_authenticator

    return create_authenticator(config)
