"""Documents are compiled in turns: large ones one at a time, and small ones do not wait for them."""

from __future__ import annotations

import asyncio
import threading
import weakref

import pytest

from router.server.operations.compile_turns import LARGE_TEXT, CompileTurns
from tests.server.subscriptions.live import until

LARGE, SMALL = "x" * LARGE_TEXT, "x"


@pytest.mark.asyncio
async def test_large_documents_wait_for_each_other_and_small_ones_do_not() -> None:
    turns, go_on = CompileTurns(), threading.Event()
    begun: list[int] = []

    def compile_(number: int) -> int:
        begun.append(number)
        assert go_on.wait(10)
        return number

    large = [asyncio.create_task(turns.run(LARGE, compile_, number)) for number in range(5)]
    await until(lambda: begun == [0])
    assert await turns.run(SMALL, lambda: "small") == "small"
    assert begun == [0]
    go_on.set()
    assert await asyncio.gather(*large) == [0, 1, 2, 3, 4]


@pytest.mark.asyncio
async def test_a_document_that_fails_leaves_its_turn() -> None:
    turns = CompileTurns()
    for text in (LARGE, SMALL):
        with pytest.raises(ZeroDivisionError):
            await turns.run(text, lambda: 1 // 0)
        assert await turns.run(text, lambda: "next") == "next"


@pytest.mark.asyncio
async def test_what_a_large_document_leaves_in_cycles_is_gone_when_its_turn_ends() -> None:
    class Node:
        itself: Node

    left: list[weakref.ref[Node]] = []

    def compile_() -> None:
        node = Node()
        node.itself = node
        left.append(weakref.ref(node))

    await CompileTurns().run(LARGE, compile_)
    assert left[0]() is None
