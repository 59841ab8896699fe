"""Operations with deferred parts are compiled once, for all who ask, forgotten beyond the limit, and taken along."""

from __future__ import annotations

import asyncio
import threading

import pytest

from router.errors import OperationError
from router.planning.override_labels import NO_LABELS
from router.server.deferred.compiled import (
    CompiledDeferral,
    Deferral,
    DeferralCompiler,
    DeferralKey,
    NothingDeferred,
    deferral_cache,
)
from router.server.operations.recently_used import CacheSize
from tests.planning.plans import supergraph_of
from tests.server.deferred.test_defer import SUBGRAPHS

SIZE = CacheSize(10, 50_000_000)


class Compiler:
    """Compiles for real, counts, and waits where it is told to."""

    def __init__(self, without: str | None = None) -> None:
        subgraphs = {name: sdl for name, sdl in SUBGRAPHS.items() if name != without}
        self.compile = DeferralCompiler(supergraph_of(subgraphs), SIZE)
        self.compiled: list[str] = []
        self.go = threading.Event()
        self.go.set()

    def __call__(self, key: DeferralKey) -> Deferral:
        self.compiled.append(key.text)
        assert self.go.wait(60)
        return self.compile(key)


def deferring(field: str, **values: object) -> DeferralKey:
    text = f"query ($on: Boolean = true) {{ product {{ name ... @defer(if: $on) {{ {field} }} }} }}"
    return DeferralKey(text, None, NO_LABELS, tuple(values.items()))


@pytest.mark.asyncio
async def test_each_choice_of_what_is_deferred_is_compiled_once() -> None:
    compiler = Compiler()
    cache = deferral_cache(compiler, SIZE)
    for _ in range(2):
        assert isinstance(await cache.compiled(deferring("price", on=True)), CompiledDeferral)
        assert isinstance(await cache.compiled(deferring("price", on=False)), NothingDeferred)
    assert len(compiler.compiled) == 2


@pytest.mark.asyncio
async def test_those_who_ask_at_once_share_one_compilation_even_if_one_goes_away() -> None:
    compiler = Compiler()
    compiler.go.clear()
    cache = deferral_cache(compiler, SIZE)
    waiting = [asyncio.create_task(cache.compiled(deferring("price", on=True))) for _ in range(5)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    compiler.go.set()
    done = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(done[0], asyncio.CancelledError)
    assert len({id(one) for one in done[1:]}) == 1
    assert len(compiler.compiled) == 1


@pytest.mark.asyncio
async def test_the_least_recently_used_is_forgotten() -> None:
    cache = deferral_cache(Compiler(), CacheSize(2, 50_000_000))
    price, tax, available = (deferring(field, on=True) for field in ("price", "tax", "available"))
    for key in (price, tax, price, available):
        await cache.compiled(key)
    assert cache.most_recent(10) == [available, price]


@pytest.mark.asyncio
async def test_failures_and_huge_documents_are_not_remembered() -> None:
    cache = deferral_cache(Compiler(), SIZE)
    for _ in range(2):
        with pytest.raises(OperationError):
            await cache.compiled(deferring("nothing", on=True))
    huge = deferring("price #" + "x" * 200_000 + "\n", on=True)
    assert isinstance(await cache.compiled(huge), CompiledDeferral)
    assert len(cache) == 0


@pytest.mark.asyncio
async def test_what_was_used_last_is_compiled_anew_where_it_still_can_be() -> None:
    old, new = deferral_cache(Compiler(), SIZE), deferral_cache(Compiler(without="stock"), SIZE)
    price, tax, available = (deferring(field, on=True) for field in ("price", "tax", "available"))
    for key in (tax, available, price):
        await old.compiled(key)
    await new.warm(old.most_recent(3), asyncio.get_running_loop().time() + 60)
    assert new.most_recent(10) == [price, tax]


@pytest.mark.asyncio
async def test_nothing_is_compiled_ahead_after_the_deadline() -> None:
    compiler = Compiler()
    await deferral_cache(compiler, SIZE).warm([deferring("price", on=True)], asyncio.get_running_loop().time())
    assert compiler.compiled == []
