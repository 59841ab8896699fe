"""Apollo Connectors: directives that a router resolves without a subgraph, which composition carries over as they are.

Composition does not look into them: it knows their places and required arguments, and keeps the rest for the router.
"""

from __future__ import annotations

from collections.abc import Mapping

from router.federation.directives import ArgumentSpec, DirectiveSpec
from router.federation.feature_url import APOLLO_SPECS, FeatureUrl, Version

CONNECT_IDENTITY = f"{APOLLO_SPECS}/connect"
NEWEST_CONNECT_VERSION = Version(0, 4)
_OLDEST_IN_SUPERGRAPH = Version(0, 3)

CONNECT_DIRECTIVES: Mapping[str, DirectiveSpec] = {
    "connect": DirectiveSpec(
        "connect",
        ("FIELD_DEFINITION", "OBJECT"),
        (
            ArgumentSpec("source", "String"),
            ArgumentSpec("id", "String"),
            ArgumentSpec("http", "ConnectHTTP"),
            ArgumentSpec("batch", "ConnectBatch"),
            ArgumentSpec("errors", "ConnectorErrors"),
            ArgumentSpec("isSuccess", "JSONSelection"),
            ArgumentSpec("selection", "JSONSelection!"),
            ArgumentSpec("entity", "Boolean", default=False),
        ),
        repeatable=True,
    ),
    "source": DirectiveSpec(
        "source",
        ("SCHEMA",),
        (
            ArgumentSpec("name", "String!"),
            ArgumentSpec("http", "SourceHTTP!"),
            ArgumentSpec("errors", "ConnectorErrors"),
            ArgumentSpec("isSuccess", "JSONSelection"),
        ),
        repeatable=True,
    ),
}
CONNECT_TYPES = (
    "ConnectHTTP",
    "ConnectBatch",
    "ConnectorErrors",
    "HTTPHeaderMapping",
    "JSONSelection",
    "SourceHTTP",
    "URLTemplate",
    "URLPathTemplate",
)
"""Opaque here: what they hold is for the router to check."""

_FEDERATION_NEEDED = {
    Version(0, 1): Version(2, 10),
    Version(0, 2): Version(2, 11),
    Version(0, 3): Version(2, 12),
    Version(0, 4): Version(2, 13),
}


def federation_version_needed(connect: Version) -> Version:
    """The lowest Federation version that knows this version of the connect specification."""
    return _FEDERATION_NEEDED.get(connect, _FEDERATION_NEEDED[NEWEST_CONNECT_VERSION])


def supergraph_connect_url(linked: FeatureUrl) -> str:
    """The URL under which a supergraph links the specification that subgraphs link as ``linked``."""
    return f"{CONNECT_IDENTITY}/{max(linked.version, _OLDEST_IN_SUPERGRAPH)}"
