"""router.yaml: the router's own settings, one file for each section, checked key by key before anything starts."""

from router.server.config.authentication import AuthenticationSettings, IssuerSettings
from router.server.config.authorization import AuthorizationSettings
from router.server.config.batching import BatchingSettings
from router.server.config.cache_control import CacheControlSettings
from router.server.config.compression import CompressionSettings
from router.server.config.cors import CorsSettings
from router.server.config.csrf import CsrfSettings
from router.server.config.defer import DeferSettings
from router.server.config.demand_control import DemandControlSettings
from router.server.config.errors import ErrorSettings
from router.server.config.explorer import ExplorerSettings
from router.server.config.graphql import GraphQLSettings
from router.server.config.headers import HeaderSettings
from router.server.config.limits import LimitSettings
from router.server.config.load import INVALID_CONFIG, check_config, load_config
from router.server.config.nats import NatsSettings
from router.server.config.persisted_documents import PersistedDocumentSettings
from router.server.config.rate_limits import RateLimitSettings, RateRuleSettings
from router.server.config.router_config import RouterConfig
from router.server.config.server import ServerSettings
from router.server.config.signing import SigningSettings
from router.server.config.status import StatusSettings
from router.server.config.subgraphs import SubgraphSettings, SubgraphSubscriptionSettings
from router.server.config.subscriptions import SubscriptionSettings
from router.server.config.supergraph import SupergraphSettings
from router.server.config.telemetry import TelemetrySettings
from router.server.config.traffic import TrafficSettings
from router.server.config.uploads import UploadSettings

__all__ = [
    "INVALID_CONFIG",
    "AuthenticationSettings",
    "AuthorizationSettings",
    "BatchingSettings",
    "CacheControlSettings",
    "CompressionSettings",
    "CorsSettings",
    "CsrfSettings",
    "DeferSettings",
    "DemandControlSettings",
    "ErrorSettings",
    "ExplorerSettings",
    "GraphQLSettings",
    "HeaderSettings",
    "IssuerSettings",
    "LimitSettings",
    "NatsSettings",
    "PersistedDocumentSettings",
    "RateLimitSettings",
    "RateRuleSettings",
    "RouterConfig",
    "ServerSettings",
    "SigningSettings",
    "StatusSettings",
    "SubgraphSettings",
    "SubgraphSubscriptionSettings",
    "SubscriptionSettings",
    "SupergraphSettings",
    "TelemetrySettings",
    "TrafficSettings",
    "UploadSettings",
    "check_config",
    "load_config",
]
