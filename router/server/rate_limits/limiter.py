"""Who may ask for how much: each request, and each operation by its cost, is taken off what its key has left.

============================ ====== ===============================================================
``RATE_LIMITED``              429    a rule of the settings is used up for this client
============================ ====== ===============================================================

The header ``retry-after`` says when there is room again, as do ``ratelimit-policy`` and ``ratelimit`` (IETF draft
"RateLimit header fields for HTTP"), and ``extensions.retryAfterS`` where an answer has no headers of its own: for the
operations of a batch, and over WebSocket.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from typing import NoReturn

from router.errors import InputError
from router.server.access.caller import Caller, Requester
from router.server.config import INVALID_CONFIG, RateLimitSettings, RateRuleSettings, RouterConfig
from router.server.nats.connection import NatsConnection
from router.server.rate_limits.key_counts import KeyCounts, digest
from router.server.rate_limits.origin import ORIGIN, OriginReading
from router.server.rate_limits.sharing import CountSharing, Replica
from router.server.request_error import RequestError

RATE_LIMITED = "RATE_LIMITED"
# The settings, and the connection by which counts are shared.
LimiterInput = tuple[RateLimitSettings, NatsConnection | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of the settings, and what was counted for it.

    ``derived_as`` is what a requester's key is remembered as, "" where the rule asks for no claim.
    """

    settings: RateRuleSettings
    header: bytes | None
    counts: KeyCounts
    derived_as: str

    def key(self, caller: Caller) -> str:
        """Whose request it is: by header or claim, else by address."""
        if self.derived_as:
            key: str | None = caller.requester.derived.get(self.derived_as) or self._key_of_claim(caller.requester)
            if key is not None:
                return key
        origin = ORIGIN.get()
        if self.header is not None:
            # Space around a value is no part of it (RFC 9110, section 5.5), and must make no other client of one.
            value = origin.headers.get(self.header, b"").strip(b" \t")
            if value:
                return digest(f"header {value.decode('latin-1')}")
        return _key_of_address(origin.address)

    def _key_of_claim(self, requester: Requester) -> str | None:
        """Worked out once of each token; None where it has no such claim."""
        value = (requester.claims or {}).get(self.settings.claim or "")
        if value is None:
            return None
        key = requester.derived[self.derived_as] = digest(f"claim {value}")
        return key


@lru_cache(maxsize=4096)
def _key_of_address(address: str) -> str:
    return digest(f"address {address}")


class RateLimiter:
    """The rules of one set of settings; ``refusals`` are how often each has refused.

    ``counts_costs`` where there is a rule for costs, and not for requests alone.
    """

    def __init__(
        self,
        made_from: LimiterInput,
        rules: Sequence[Rule],
        sharing: CountSharing | None,
        replica: Replica,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.made_from = made_from
        self.rules = tuple(rules)
        self.sharing = sharing
        self.replica = replica
        self.refusals: defaultdict[str, int] = defaultdict(int)
        self._clock = clock
        self._of_requests = tuple(rule for rule in rules if rule.settings.count == "requests")
        self._of_costs = tuple(rule for rule in rules if rule.settings.count == "cost")
        self.counts_costs = bool(self._of_costs)

    def take_request(self, caller: Caller) -> None:
        """Take one request off what its client has left. RequestError: 429 RATE_LIMITED, and nothing is taken."""
        if self._of_requests:
            self._take(self._of_requests, 1.0, caller)

    def take_cost(self, caller: Caller, cost: float) -> None:
        """Take the estimated ``cost`` of an operation off. RequestError: 429 RATE_LIMITED, and nothing is taken."""
        if self._of_costs:
            self._take(self._of_costs, cost, caller)

    def start(self) -> None:
        """Begin to share, where the settings say so and that has not been done."""
        if self.sharing is not None:
            self.sharing.start()

    async def close(self) -> None:
        """Share no more."""
        if self.sharing is not None:
            await self.sharing.close()

    def _take(self, rules: Sequence[Rule], amount: float, caller: Caller) -> None:
        if self.sharing is not None:
            self.sharing.start()
        now = self._clock()
        if len(rules) == 1:
            rule = rules[0]
            wait_s = rule.counts.take(rule.key(caller), amount, rule.settings.limit, now)
            if wait_s != 0:
                self._refuse(rule, wait_s)
            return
        admitted = []
        for rule in rules:
            key = rule.key(caller)
            wait_s = rule.counts.wait_s(key, amount, rule.settings.limit, now)
            if wait_s != 0:
                self._refuse(rule, wait_s)
            admitted.append((rule.counts, key))
        for counts, key in admitted:
            counts.add(key, amount, now)

    def _refuse(self, rule: Rule, wait_s: float | None) -> NoReturn:
        self.refusals[rule.settings.name] += 1
        raise _refused(rule.settings, wait_s)


def rate_limiter(config: RouterConfig, nats: NatsConnection | None, previous: RateLimiter | None) -> RateLimiter | None:
    """What the settings ask for, which is the ``previous`` one where they are the same; None without rules.

    What the previous one has counted for a rule with the same name, key and window is counted on, whatever its limit is
    now. Whoever puts another in its place closes it.

    InputError: INVALID_CONFIG where something that a rule needs is not configured.
    """
    settings = config.rate_limits
    if not settings.rules:
        return None
    _check(config)
    made_from = settings, nats
    if previous is not None and previous.made_from == made_from:
        return previous
    before = {_id_of(rule.settings): rule.counts for rule in previous.rules} if previous is not None else {}
    rules = [_rule(rule, before.get(_id_of(rule)), settings) for rule in settings.rules]
    replica = previous.replica if previous is not None else Replica()
    sharing = None
    if settings.shared and nats is not None:
        longest_s = max(rule.window_s for rule in settings.rules)
        # The bucket forgets what no longer counts; other settings have another bucket.
        ttl_s = ceil(2 * longest_s) + 60
        bucket = nats.bucket(f"rate_limits_{ttl_s}s", ttl_s, in_memory=True)
        counts = {_id_of(rule.settings): rule.counts for rule in rules}
        sharing = CountSharing(bucket, counts, replica, settings.sync_interval_s)
    limiter = RateLimiter(made_from, rules, sharing, replica)
    if previous is not None:
        limiter.refusals.update(previous.refusals)
    return limiter


def origin_reading(config: RouterConfig) -> OriginReading:
    """The step by which operations tell a limiter where they come from."""
    settings = config.rate_limits
    headers = frozenset(rule.header.encode() for rule in settings.rules if rule.header is not None)
    return OriginReading(headers, settings.trusted_proxies)


def _check(config: RouterConfig) -> None:
    settings = config.rate_limits
    if settings.shared and config.nats.url is None:
        raise InputError(INVALID_CONFIG, "rate_limits.shared: replicas share over NATS, and nats.url names no server.")
    by_cost = next((rule.name for rule in settings.rules if rule.count == "cost"), None)
    if by_cost is not None and config.demand_control.mode == "off":
        message = f"the rule '{by_cost}' counts cost, so set demand_control.mode to measure or enforce."
        raise InputError(INVALID_CONFIG, f"rate_limits.rules: {message}")


def _rule(settings: RateRuleSettings, counts: KeyCounts | None, section: RateLimitSettings) -> Rule:
    counts = counts or KeyCounts(settings.window_s, section.max_keys)
    counts.max_keys = section.max_keys
    header = settings.header.encode() if settings.header is not None else None
    return Rule(settings, header, counts, f"rate limit by {settings.claim}" if settings.claim is not None else "")


def _id_of(rule: RateRuleSettings) -> str:
    """What two rules have in common if what was counted for one counts for the other."""
    return digest(repr((rule.name, rule.header, rule.claim, rule.count, rule.window_s)))


def _refused(rule: RateRuleSettings, wait_s: float | None) -> RequestError:
    what = "requests" if rule.count == "requests" else "as the cost of operations"
    allowed = f"the rule '{rule.name}' allows {rule.limit:g} {what} in {rule.window_s:g} s"
    policy = {"ratelimit-policy": f'"{rule.name}";q={int(rule.limit)};w={ceil(rule.window_s)}'}
    if wait_s is None:
        message = f"This operation alone costs too much: {allowed}."
        return RequestError(429, RATE_LIMITED, message, policy, {"rule": rule.name})
    seconds = max(ceil(wait_s), 1)
    message = f"Too much was asked for: {allowed}. Try again in {seconds} s."
    headers = {"retry-after": str(seconds), **policy, "ratelimit": f'"{rule.name}";r=0;t={seconds}'}
    return RequestError(429, RATE_LIMITED, message, headers, {"rule": rule.name, "retryAfterS": seconds})
