"""Entries in a Valkey or Redis server, which all replicas share. Without it they know nothing, and answer all the same.

``PREFIX:e:<digest of its key>`` holds an entry, ``PREFIX:m:<tag>`` the server's time at which the tag was dropped last,
in microseconds. Marks outlive all entries from before them; the eviction policy ``volatile-ttl`` takes entries first.

Nobody waits longer than ``timeout_s`` for an answer of the server. After a failure it is left alone for RETRY_AFTER_S;
what is to be dropped meanwhile is dropped before anything is read again. An outage and its end are told in the log.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import orjson

from router.server.caching.digest import digest
from router.server.caching.entry import EVERYTHING, Entry, Found, StoreSize
from router.server.config.entity_cache import ValkeySettings
from router.told_url import told_url

if TYPE_CHECKING:
    from valkey.asyncio import Valkey

logger = logging.getLogger("galleria.router")

_T = TypeVar("_T")
RETRY_AFTER_S = 1.0
MAX_ENTRY_BYTES = 1_000_000
MAX_PENDING = 10_000
# One step, so that of two who drop the same the later time stays.
_DROP = """
local now = redis.call('TIME')
local mark = string.format('%.0f', now[1] * 1000000 + now[2])
for _, key in ipairs(KEYS) do redis.call('SET', key, mark, 'EX', ARGV[1]) end
"""


class ValkeyStore:
    """An EntryStore; entries live for no more than ``longest_s``."""

    def __init__(self, settings: ValkeySettings, longest_s: float, retry_after_s: float = RETRY_AFTER_S) -> None:
        self._retry_after_s = retry_after_s
        self._settings = settings
        self._mark_lifetime_s = int(longest_s) + 60
        self._prefix = settings.prefix.encode()
        self._valkey: Valkey | None = None
        self._retry_at = 0.0
        self._is_told = False
        self._failures = 0
        self._pending: set[str] = set()

    @property
    def size(self) -> StoreSize:
        """See :class:`EntryStore`; what the server has is its own to tell."""
        return StoreSize(failures=self._failures, is_reachable=not self._is_told)

    async def read(self, keys: Sequence[bytes], now: float) -> Found:
        """See :class:`EntryStore`."""
        found = await self._attempt(partial(self._read, keys, now))
        return found if found is not None else Found(0, [None] * len(keys))

    async def write(self, entries: Mapping[bytes, Entry], now: float) -> None:
        """See :class:`EntryStore`."""
        # Where the mark is 0, the server could not be read; an entry that is too large is worth less than its way.
        fit = {key: one for key, one in entries.items() if one.began and len(one.value) <= MAX_ENTRY_BYTES}
        if fit:
            await self._attempt(partial(self._write, fit, now))

    async def drop(self, tags: Collection[str]) -> None:
        """See :class:`EntryStore`. Where the server is away, before anything is read from it again."""
        self._pending.update(tags)
        if len(self._pending) > MAX_PENDING:
            self._pending = {EVERYTHING}
        await self._attempt(self._drop_pending)

    async def close(self) -> None:
        """See :class:`EntryStore`."""
        valkey, self._valkey = self._valkey, None
        if valkey is not None:
            await valkey.aclose()

    async def _attempt(self, work: Callable[[], Awaitable[_T]]) -> _T | None:
        """What ``work`` comes to; None where the server fails, or has failed a moment ago. The log hears of it once."""
        from valkey.exceptions import ValkeyError

        clock = asyncio.get_running_loop().time
        if clock() < self._retry_at:
            return None
        try:
            done = await work()
        except (ValkeyError, OSError, TimeoutError) as error:
            self._failures += 1
            self._retry_at = clock() + self._retry_after_s
            if not self._is_told:
                self._is_told = True
                # Not its text, which may have what is in the URL.
                name, address = type(error).__name__, told_url(self._url)
                logger.error("Valkey fails, nothing is cached meanwhile: %s at %s", name, address)
            return None
        if self._is_told:
            self._is_told = False
            logger.info("Valkey answers again")
        return done

    @property
    def _url(self) -> str:
        """With the password that may be in it."""
        url = self._settings.url
        assert url is not None  # noqa: S101 - there is no such store without
        return url.get_secret_value()

    async def _read(self, keys: Sequence[bytes], now: float) -> Found:
        await self._drop_pending()
        pipeline = self._client().pipeline(transaction=False)
        pipeline.time()
        pipeline.mget([self._entry_key(key) for key in keys])
        (seconds, microseconds), texts = await pipeline.execute()
        read = [_read(key, text, now) for key, text in zip(keys, texts, strict=True)]
        return Found(int(seconds) * 1_000_000 + int(microseconds), await self._without_dropped(read))

    async def _write(self, entries: Mapping[bytes, Entry], now: float) -> None:
        pipeline = self._client().pipeline(transaction=False)
        for key, entry in entries.items():
            left_ms = int((entry.stale_until - now) * 1000)
            if left_ms > 0:
                pipeline.set(self._entry_key(key), _written(key, entry), px=left_ms)
        await pipeline.execute()

    async def _drop_pending(self) -> None:
        if self._pending:
            tags = tuple(self._pending)
            keys = [self._mark_key(tag) for tag in tags]
            lifetime_s = str(self._mark_lifetime_s)
            # Not eval, whose types want text.
            await self._client().execute_command(  # type: ignore[no-untyped-call]
                "EVAL", _DROP, len(keys), *keys, lifetime_s
            )
            self._pending.difference_update(tags)

    async def _without_dropped(self, entries: Sequence[Entry | None]) -> list[Entry | None]:
        tags = sorted({tag for entry in entries if entry is not None for tag in entry.tags})
        if not tags:
            return list(entries)
        found = await self._client().mget([self._mark_key(tag) for tag in tags])
        marks = {tag: int(mark) for tag, mark in zip(tags, found, strict=True) if mark is not None}
        return [
            entry if entry is not None and all(marks.get(tag, 0) < entry.began for tag in entry.tags) else None
            for entry in entries
        ]

    def _entry_key(self, key: bytes) -> bytes:
        return b"%b:e:%b" % (self._prefix, _name(key))

    def _mark_key(self, tag: str) -> bytes:
        return b"%b:m:%b" % (self._prefix, tag.encode())

    def _client(self) -> Valkey:
        if self._valkey is None:
            # Here, because it takes a tenth of a second that a router without it need not wait.
            from valkey.asyncio import Valkey

            timeout_s = self._settings.timeout_s
            self._valkey = Valkey.from_url(self._url, socket_timeout=timeout_s, socket_connect_timeout=timeout_s)
        return self._valkey


def _name(key: bytes) -> bytes:
    """What others who read the server see of a key: nothing."""
    return digest(key).hex().encode()


def _written(key: bytes, entry: Entry) -> bytes:
    facts = (
        entry.began,
        entry.fresh_until,
        entry.stale_until,
        entry.kept_until,
        entry.is_private,
        entry.is_public,
        entry.tags,
    )
    return b"\n".join((_name(key), orjson.dumps(facts), entry.value))


def _read(key: bytes, text: bytes | None, now: float) -> Entry | None:
    """The entry in ``text``; None where it is over, or none, or that of another key."""
    if text is None:
        return None
    name, _, rest = text.partition(b"\n")
    facts, _, value = rest.partition(b"\n")
    if name != _name(key):
        return None
    try:
        began, fresh_until, stale_until, kept_until, is_private, is_public, tags = orjson.loads(facts)
        entry = Entry(
            value,
            began,
            fresh_until,
            stale_until,
            kept_until,
            is_private=is_private,
            is_public=is_public,
            tags=tuple(tags),
        )
    except (ValueError, TypeError):
        return None
    return entry if now < entry.stale_until else None
