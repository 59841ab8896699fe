"""The settings of signatures made into what signs requests to each subgraph."""

from __future__ import annotations

from router.execution.traffic.signature import Signing
from router.server.config import RouterConfig


def signing_of(config: RouterConfig) -> Signing | None:
    """What requests are signed with; None where they are not."""
    if config.signing.keys is None:
        return None
    first = config.signing.keys.get_secret_value().split()[0]
    key_id, _, secret = first.partition(":")
    names = (*config.signing.headers, *config.authentication.claims_to_headers.values())
    return Signing(key_id, secret.encode(), frozenset(name.encode() for name in names))
