"""Memory stays within its bounds, in bytes and in number, and what was not used for longest goes first."""

from __future__ import annotations

import pytest

from router.server.caching.entry import Entry
from router.server.caching.memory_store import ENTRY_BYTES, MemoryStore


def entry(began: int, value: bytes = b"1", stale_until: float = 10, tags: tuple[str, ...] = ()) -> Entry:
    return Entry(value, began, stale_until, stale_until, stale_until, is_private=False, is_public=True, tags=tags)


async def written(store: MemoryStore, *keys: bytes, value: bytes = b"1") -> None:
    for key in keys:
        mark = (await store.read([], 0)).mark
        await store.write({key: entry(mark, value)}, 0)


async def kept(store: MemoryStore, *keys: bytes) -> list[bool]:
    return [one is not None for one in (await store.read(keys, 0)).entries]


@pytest.mark.asyncio
async def test_no_more_entries_are_kept_than_the_settings_say() -> None:
    store = MemoryStore(10**9, 2)
    await written(store, b"a", b"b")
    await kept(store, b"a")
    await written(store, b"c")
    assert await kept(store, b"a", b"b", b"c") == [True, False, True]
    assert store.size.entries == 2


@pytest.mark.asyncio
async def test_no_more_bytes_are_kept_than_the_settings_say() -> None:
    store = MemoryStore(2 * (ENTRY_BYTES + 101), 100)
    await written(store, b"a", b"b", b"c", value=b"x" * 100)
    assert await kept(store, b"a", b"b", b"c") == [False, True, True]
    assert store.size.size_bytes == 2 * (ENTRY_BYTES + 101)
    await written(store, b"b", value=b"x" * 50)
    assert store.size.size_bytes == 2 * ENTRY_BYTES + 152
    await written(store, b"d", value=b"x" * 10**6)
    assert await kept(store, b"b", b"c", b"d") == [True, True, False]


@pytest.mark.asyncio
async def test_what_is_over_goes_when_it_is_met() -> None:
    store = MemoryStore(10**6, 100)
    await written(store, b"a")
    assert (await store.read([b"a"], 9.9)).entries[0] is not None
    assert (await store.read([b"a"], 10)).entries == [None]
    assert (store.size.entries, store.size.size_bytes) == (0, 0)
