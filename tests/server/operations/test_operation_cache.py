"""Operations are compiled once, for all who ask, and forgotten beyond the limit."""

from __future__ import annotations

import asyncio
import threading

import pytest

from router.errors import OperationError
from router.server.operations.compiled_operation import CompiledOperation, OperationCompiler
from router.server.operations.operation_cache import OperationKey, operation_cache
from router.server.operations.recently_used import CacheSize
from router.supergraph.read import read_supergraph
from tests.server.shop import SUPERGRAPH

SIZE = CacheSize(10, 50_000_000)


def key(text: str, name: str | None = None, labels: frozenset[str] = frozenset()) -> OperationKey:
    return text, name, labels, None


class Compiler:
    """Compiles for real, counts, and waits where it is told to."""

    def __init__(self) -> None:
        self.compile = OperationCompiler(read_supergraph(SUPERGRAPH), SIZE)
        self.compiled: list[str] = []
        self.go = threading.Event()
        self.go.set()

    def __call__(
        self, text: str, operation_name: str | None, labels: frozenset[str], denied: frozenset[str] | None
    ) -> CompiledOperation:
        self.compiled.append(text)
        assert self.go.wait(60)
        compiled = self.compile(text, operation_name, labels, denied)
        assert isinstance(compiled, CompiledOperation)
        return compiled


@pytest.mark.asyncio
async def test_an_operation_is_compiled_once() -> None:
    compiler = Compiler()
    cache = operation_cache(compiler, SIZE)
    assert cache.known(key("{ whoami }")) is None
    first = await cache.compiled(key("{ whoami }"))
    assert cache.known(key("{ whoami }")) is first
    assert compiler.compiled == ["{ whoami }"]


@pytest.mark.asyncio
async def test_the_name_of_the_operation_is_part_of_the_key() -> None:
    cache = operation_cache(Compiler(), SIZE)
    text = "query A { whoami } query B { warehouses }"
    a, b = await cache.compiled(key(text, "A")), await cache.compiled(key(text, "B"))
    assert (a.operation.name, b.operation.name) == ("A", "B")


@pytest.mark.asyncio
async def test_the_active_override_labels_are_part_of_the_key() -> None:
    compiler = Compiler()
    cache = operation_cache(compiler, SIZE)
    await cache.compiled(key("{ whoami }"))
    labels = frozenset({"percent(5)"})
    assert cache.known(key("{ whoami }", labels=labels)) is None
    assert await cache.compiled(key("{ whoami }", labels=labels)) is cache.known(key("{ whoami }", labels=labels))
    assert len(compiler.compiled) == 2


@pytest.mark.asyncio
async def test_those_who_ask_at_once_share_one_compilation_even_if_one_goes_away() -> None:
    compiler = Compiler()
    compiler.go.clear()
    cache = operation_cache(compiler, SIZE)
    waiting = [asyncio.create_task(cache.compiled(key("{ whoami }"))) for _ in range(5)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    compiler.go.set()
    done = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(done[0], asyncio.CancelledError)
    assert len({id(one) for one in done[1:]}) == 1
    assert compiler.compiled == ["{ whoami }"]


@pytest.mark.asyncio
async def test_the_least_recently_used_is_forgotten() -> None:
    cache = operation_cache(Compiler(), CacheSize(2, 50_000_000))
    for text in ("{ a: whoami }", "{ b: whoami }"):
        await cache.compiled(key(text))
    cache.known(key("{ a: whoami }"))
    await cache.compiled(key("{ c: whoami }"))
    assert [cache.known(key(f"{{ {name}: whoami }}")) is not None for name in "abc"] == [True, False, True]


@pytest.mark.asyncio
async def test_failures_and_huge_documents_are_not_remembered() -> None:
    cache = operation_cache(Compiler(), SIZE)
    for _ in range(2):
        with pytest.raises(OperationError):
            await cache.compiled(key("{ nothing }"))
    await cache.compiled(key("{ whoami } #" + "x" * 200_000))
    assert len(cache) == 0
