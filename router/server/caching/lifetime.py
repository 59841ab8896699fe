"""For how long, and for whom, an answer of a subgraph is kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache

from router.execution.subgraph_client import Headers
from router.server.caching.cache_control import NO_STORE, CachePolicy, lasting, read_policy, smallest
from router.server.caching.digest import digest
from router.server.caching.selected import Hint
from router.server.config.entity_cache import EntityCacheSettings
from router.supergraph.cache_hints import CacheHint, CacheHints

AUTHORIZATION = b"authorization"
_REMEMBERED = 256
_NONE: frozenset[bytes] = frozenset()


@dataclass(frozen=True, slots=True)
class Asker:
    """What a request's headers say of who asks.

    ``others`` are those that say nothing of it, but may change the answer. ``own`` is what those have in common who get
    the same where an answer is not for all: one person, or all whom nothing tells apart; None where something may, but
    not what does by the settings. ``is_known`` where it is a person. ``everything`` are all headers. All three are
    digests: equal where the headers are.
    """

    others: bytes
    own: bytes | None
    everything: bytes
    is_known: bool
    is_anonymous: bool


class Askers:
    """Reads who asks, by the names of the headers that tell it."""

    def __init__(self, private_by: Collection[str]) -> None:
        self._who = frozenset(name.encode() for name in private_by)
        self._personal = self._who | {AUTHORIZATION}
        # All fetches of a request have the same headers, and some people send many requests.
        self._remembered = lru_cache(maxsize=_REMEMBERED)(self._read)

    def of(self, headers: Headers) -> Asker:
        """Who asks with ``headers``."""
        return self._remembered(headers)

    def _read(self, headers: Headers) -> Asker:
        named = sorted(((name.lower(), value) for name, value in headers), key=lambda header: header[0])
        others = [one for one in named if one[0] not in self._personal]
        who = [one for one in named if one[0] in self._who]
        is_known = self._who <= {name for name, value in who if value}
        is_anonymous = len(others) == len(named)
        return Asker(
            others=_written(others),
            own=_written([*others, *who]) if is_known or is_anonymous else None,
            everything=_written(named),
            is_known=is_known,
            is_anonymous=is_anonymous,
        )

    def is_personal(self, header: bytes) -> bool:
        """Whether the header of that name tells who asks."""
        return header in self._personal


def _written(headers: Collection[tuple[bytes, bytes]]) -> bytes:
    return digest(*(text for header in headers for text in header))


class Lifetimes:
    """Decides by what the subgraph says, and by the hints where it says nothing; the settings cap both."""

    def __init__(self, settings: EntityCacheSettings, askers: Askers) -> None:
        self._settings = settings
        self._askers = askers
        default = settings.default_ttl_s
        self._default = NO_STORE if default is None else lasting(default)

    def policy(self, headers: Headers, hint: Hint, *, is_anonymous: bool) -> CachePolicy:
        """What an answer with ``headers`` may be used for, and whether by all or by who asked alone.

        ``is_anonymous`` where the request did not tell who asks.
        """
        varies = {name.lower() for name in _names(headers, b"vary")}
        if b"*" in varies:
            return NO_STORE
        policy, settings = self._said(headers, hint), self._settings
        # RFC 9111, section 3.5: nobody else gets what was answered to a request with authorization, unless it says so.
        is_private = policy.is_private or not (policy.is_public or is_anonymous)
        is_private = is_private or any(self._askers.is_personal(name) for name in varies)
        return CachePolicy(
            policy.max_age_s,
            min(policy.shared_max_age_s, settings.max_ttl_s),
            is_private=is_private,
            is_public=policy.is_public and not is_private,
            stale_s=0 if policy.must_ask else min(max(policy.stale_s, settings.stale_s), settings.max_stale_s),
            must_ask=policy.must_ask,
            is_stored=policy.is_stored,
        )

    def _said(self, headers: Headers, hint: Hint) -> CachePolicy:
        said = read_policy(headers)
        if said is None:
            return self._unsaid(hint)
        if hint.policy is None:
            return said
        policy = smallest(said, hint.policy)
        # What the settings say is for all is so, unless the subgraph says that it is not.
        is_public = said.is_public or hint.is_complete
        return policy._replace(is_public=is_public and policy.is_stored and not policy.is_private)

    def _unsaid(self, hint: Hint) -> CachePolicy:
        """What holds of an answer that says nothing itself."""
        if hint.policy is None:
            return self._default
        is_enough = hint.is_complete and hint.policy.max_age_s != float("inf")
        return (hint.policy if is_enough else smallest(hint.policy, self._default))._replace(stale_s=0)


def configured_hints(hints: CacheHints, settings: EntityCacheSettings) -> Mapping[str, CacheHint]:
    """The supergraph's hints, and the settings' in their place."""
    own = {name: CacheHint(one.max_age_s, one.scope == "private") for name, one in settings.lifetimes.items()}
    return {**hints, **own}


def surrogate_keys(headers: Headers) -> frozenset[str]:
    """The tags that a subgraph gives its answer by itself: ``surrogate-key: a b``, ``cache-tag: a, b``."""
    names = _names(headers, b"surrogate-key") | _names(headers, b"cache-tag")
    return frozenset(name.decode("latin-1") for name in names)


def _names(headers: Headers, header: bytes) -> frozenset[bytes]:
    lines = [value for name, value in headers if name == header]
    return frozenset(b" ".join(lines).replace(b",", b" ").split()) if lines else _NONE
