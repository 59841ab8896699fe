"""What is kept of a subgraph's answer, and the seam to where it is kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from router.server.caching.cache_control import CachePolicy

EVERYTHING = "*"
"""A tag that every entry has."""


class Entry(NamedTuple):
    """The JSON ``value`` of an entity, or of the data of a root fetch.

    Times are in seconds since 1970: until ``fresh_until`` it is served, until ``stale_until`` while a newer one is
    fetched; clients may keep it until ``kept_until``. ``began`` is the mark at which its fetch began: a tag that was
    dropped since makes it worthless.
    """

    value: bytes
    began: int
    fresh_until: float
    stale_until: float
    kept_until: float
    is_private: bool
    is_public: bool
    tags: tuple[str, ...]

    def policy(self, now: float) -> CachePolicy:
        """What it may be used for from ``now`` on."""
        return CachePolicy(
            max(self.kept_until - now, 0),
            max(self.fresh_until - now, 0),
            is_private=self.is_private,
            is_public=self.is_public,
        )


def entry_of(value: bytes, policy: CachePolicy, *, began: int, now: float, tags: tuple[str, ...]) -> Entry:
    """What is kept of a ``value`` that came ``now`` and may be used as ``policy`` says."""
    fresh_until = now + policy.shared_max_age_s
    stale_until, kept_until = fresh_until + policy.stale_s, now + policy.max_age_s
    return Entry(value, began, fresh_until, stale_until, kept_until, policy.is_private, policy.is_public, tags)


def policy_of(entries: Collection[Entry], now: float) -> CachePolicy:
    """What an answer may be used for from ``now`` on of which these are the parts."""
    return CachePolicy(
        max(min([one.kept_until for one in entries]) - now, 0),
        max(min([one.fresh_until for one in entries]) - now, 0),
        is_private=any(one.is_private for one in entries),
        is_public=all(one.is_public for one in entries),
    )


class Found(NamedTuple):
    """The entries under some keys, None where there is none; and the ``mark`` of the moment before they were read."""

    mark: int
    entries: Sequence[Entry | None]


class EntryStore(Protocol):
    """Where entries are kept. It never fails: what cannot be read is not there, what cannot be written is not kept.

    Marks are numbers that grow with time. Dropping a tag takes all entries with it that began before.
    """

    async def read(self, keys: Sequence[bytes], now: float) -> Found:
        """The entries under ``keys`` whose ``stale_until`` is not over, in their order."""

    async def write(self, entries: Mapping[bytes, Entry], now: float) -> None:
        """Keep ``entries`` by their keys."""

    async def drop(self, tags: Collection[str]) -> None:
        """Have no entry any more that has one of ``tags``, nor one whose fetch has begun by now."""

    async def close(self) -> None:
        """Give up connections; the next call opens them anew."""

    @property
    def size(self) -> StoreSize:
        """How much is kept, and how often the server failed."""


@dataclass(frozen=True, slots=True)
class StoreSize:
    """In this process; nothing of ``entries`` and ``size_bytes`` where a server has them."""

    entries: int = 0
    size_bytes: int = 0
    failures: int = 0
    is_reachable: bool = True
