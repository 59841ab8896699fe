"""All sections together.

A section is added with a file of its own, a line here, and its rows in docs/router-settings.md.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from router.server.config.authentication import AuthenticationSettings
from router.server.config.authorization import AuthorizationSettings
from router.server.config.batching import BatchingSettings
from router.server.config.cache_control import CacheControlSettings
from router.server.config.compression import CompressionSettings
from router.server.config.cors import CorsSettings
from router.server.config.csrf import CsrfSettings
from router.server.config.defer import DeferSettings
from router.server.config.demand_control import DemandControlSettings
from router.server.config.entity_cache import EntityCacheSettings
from router.server.config.errors import ErrorSettings
from router.server.config.explorer import ExplorerSettings
from router.server.config.graphql import GraphQLSettings
from router.server.config.headers import HeaderSettings
from router.server.config.limits import LimitSettings
from router.server.config.nats import NatsSettings
from router.server.config.persisted_documents import PersistedDocumentSettings
from router.server.config.plugins import PluginSettings
from router.server.config.rate_limits import RateLimitSettings
from router.server.config.section import Section
from router.server.config.server import ServerSettings
from router.server.config.signing import SigningSettings
from router.server.config.status import StatusSettings
from router.server.config.subgraphs import SubgraphSettings
from router.server.config.subscriptions import SubscriptionSettings
from router.server.config.supergraph import SupergraphSettings
from router.server.config.telemetry import TelemetrySettings
from router.server.config.traffic import TrafficSettings
from router.server.config.uploads import UploadSettings


class RouterConfig(Section):
    """All settings. Without a file: those of production."""

    environment: Literal["development", "production"] = "production"
    server: ServerSettings = ServerSettings()
    graphql: GraphQLSettings = GraphQLSettings()
    supergraph: SupergraphSettings = SupergraphSettings()
    subgraphs: SubgraphSettings = SubgraphSettings()
    traffic: TrafficSettings = TrafficSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    authentication: AuthenticationSettings = AuthenticationSettings()
    authorization: AuthorizationSettings = AuthorizationSettings()
    csrf: CsrfSettings = CsrfSettings()
    cors: CorsSettings = CorsSettings()
    limits: LimitSettings = LimitSettings()
    demand_control: DemandControlSettings = DemandControlSettings()
    rate_limits: RateLimitSettings = RateLimitSettings()
    persisted_documents: PersistedDocumentSettings = PersistedDocumentSettings()
    cache_control: CacheControlSettings = CacheControlSettings()
    entity_cache: EntityCacheSettings = EntityCacheSettings()
    errors: ErrorSettings = ErrorSettings()
    subscriptions: SubscriptionSettings = SubscriptionSettings()
    batching: BatchingSettings = BatchingSettings()
    defer: DeferSettings = DeferSettings()
    uploads: UploadSettings = UploadSettings()
    compression: CompressionSettings = CompressionSettings()
    headers: HeaderSettings = HeaderSettings()
    signing: SigningSettings = SigningSettings()
    explorer: ExplorerSettings = ExplorerSettings()
    nats: NatsSettings = NatsSettings()
    status: StatusSettings = StatusSettings()
    plugins: tuple[PluginSettings, ...] = ()

    @model_validator(mode="after")
    def _has_one_thing_at_a_path(self) -> Self:
        if self.graphql.path == self.entity_cache.invalidation.path:
            raise ValueError("graphql.path and entity_cache.invalidation.path are the same")
        return self

    @property
    def has_explorer(self) -> bool:
        """Whether the explorer page and its plans are served."""
        enabled = self.explorer.enabled
        return self.environment == "development" if enabled is None else enabled

    @property
    def explains(self) -> bool:
        """Whether anybody is told the plan and the fetches of an answer, should they ask."""
        explains = self.telemetry.explain
        has_inspectors = self.has_explorer or self.authorization.inspection_scope is not None
        return has_inspectors and (explains is None or explains)

    @property
    def has_introspection(self) -> bool:
        """Whether ``__schema`` and ``__type`` are answered."""
        enabled = self.graphql.introspection
        return self.has_explorer if enabled is None else enabled
