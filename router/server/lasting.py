"""What a reload leaves as it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from router.server.access.host_identity import HostIdentity
from router.server.metrics.telemetry import Telemetry
from router.server.service import GraphQLService
from router.server.shedding.overload import Overload
from router.server.subscriptions.hub import SubscriptionHub


@dataclass(frozen=True, slots=True)
class Lasting:
    """What outlives every reload; ``current`` is the service that is served now, for connections that last too.

    ``is_draining`` tells whether the process is about to end. The ``host``, where there is one, says who asks.
    """

    telemetry: Telemetry
    subscriptions: SubscriptionHub
    overload: Overload
    current: Callable[[], GraphQLService]
    is_draining: Callable[[], bool]
    host: HostIdentity | None = None
