"""What is for one is never given to another, whatever is asked in what order."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.execution.subgraph_client import Headers
from tests.execution.traffic.clients import settle
from tests.server.caching.larder import MUTATION, Larder, Subgraph, larder, root

PEOPLE = ("ada", "bob", None)
LANGUAGE = b"accept-language"


def told(key: str, headers: Mapping[bytes, bytes]) -> dict[str, str]:
    """A name that says whom it was told to."""
    said = [headers.get(name, b"-").decode() for name in (b"authorization", b"x-user", LANGUAGE)]
    return {"name": f"{key} for {' '.join(said)}"}


def private(says: str | None = "private, max-age=60", **more: Any) -> Larder:
    return larder(Subgraph(says=says, tell=told), **more)


@pytest.mark.asyncio
async def test_private_data_is_kept_for_each_by_himself() -> None:
    cache = private()
    for _ in range(2):
        for who in ("ada", "bob"):
            assert await cache.names("1", token=who) == [f"1 for {who} - -"]
    assert len(cache.subgraph.asked) == 2


@pytest.mark.asyncio
async def test_private_data_of_nobody_is_not_kept() -> None:
    cache = private()
    for _ in range(2):
        assert await cache.names("1") == ["1 for - - -"]
    assert len(cache.subgraph.asked) == 2
    assert cache.client.store.size.entries == 0


@pytest.mark.asyncio
@pytest.mark.parametrize(("says", "asked"), [("max-age=60", 1), (None, 1), ("private, max-age=60", 3)])
async def test_what_the_settings_say_is_for_all_is_so_unless_the_subgraph_says_otherwise(
    says: str | None, asked: int
) -> None:
    cache = private(says, lifetimes={"Product": {"max_age_s": 40}})
    for who in PEOPLE:
        await cache.names("1", token=who)
    assert len(cache.subgraph.asked) == asked


@pytest.mark.asyncio
async def test_public_data_is_kept_for_all() -> None:
    cache = private("public, max-age=60")
    for who in PEOPLE:
        assert await cache.names("1", token=who) == ["1 for ada - -"]
    assert len(cache.subgraph.asked) == 1


@pytest.mark.asyncio
async def test_what_is_not_said_to_be_for_all_is_for_who_sent_a_token_alone() -> None:
    cache = private("max-age=60")
    for _ in range(2):
        for who, name in (("ada", "ada"), (None, "-"), ("bob", "bob")):
            assert await cache.names("1", token=who) == [f"1 for {name} - -"]
    assert len(cache.subgraph.asked) == 3


@pytest.mark.asyncio
async def test_other_headers_tell_answers_apart_that_are_for_all() -> None:
    cache = private("public, max-age=60")
    for language in (b"de", b"en", b"de"):
        assert await cache.names("1", headers=((LANGUAGE, language),)) == [f"1 for - - {language.decode()}"]
    assert len(cache.subgraph.asked) == 2


@pytest.mark.asyncio
async def test_headers_cannot_be_written_so_that_two_lists_are_one() -> None:
    cache = private("public, max-age=60")
    lists: list[Headers] = [
        ((b"a", b"1:b"),),
        ((b"a", b"1"), (b"b", b"")),
        ((b"a", b""), (b"1", b"b")),
        ((b"a1", b"b"),),
    ]
    for headers in lists:
        await cache.names("1", headers=headers)
    assert len(cache.subgraph.asked) == len(lists)


@pytest.mark.asyncio
@pytest.mark.parametrize("vary", [b"Authorization", b"accept, authorization"])
async def test_an_answer_that_varies_by_who_asks_is_for_nobody_else(vary: bytes) -> None:
    cache = private("public, max-age=60")
    cache.subgraph.more = ((b"vary", vary),)
    for who in ("ada", "bob"):
        assert await cache.names("1", token=who) == [f"1 for {who} - -"]


@pytest.mark.asyncio
async def test_an_answer_that_varies_by_more_than_headers_is_not_kept() -> None:
    cache = private("public, max-age=60")
    cache.subgraph.more = ((b"vary", b"*"),)
    await cache.names("1")
    await cache.names("1")
    assert len(cache.subgraph.asked) == 2


@pytest.mark.asyncio
async def test_people_are_told_apart_by_the_headers_that_the_settings_name() -> None:
    cache = private(private_by=["x-user", "x-role"])
    ada: Headers = ((b"x-user", b"ada"), (b"x-role", b"staff"))
    for token in ("first", "second"):
        assert await cache.names("1", token=token, headers=ada) == ["1 for first ada -"]
    for headers in (((b"x-user", b"ada"), (b"x-role", b"customer")), ada[:1], ada[1:], ()):
        await cache.names("1", token="first", headers=headers)
    assert len(cache.subgraph.asked) == 5
    for _ in range(2):
        await cache.names("1", token="first", headers=ada[:1])
    assert len(cache.subgraph.asked) == 7


@pytest.mark.asyncio
async def test_who_waits_for_an_answer_to_another_that_is_not_for_all_asks_by_himself() -> None:
    cache = private("public, max-age=60")
    await cache.names("0")
    cache.subgraph.says = "private, max-age=60"
    gate = cache.subgraph.gate = asyncio.Event()
    tasks = [asyncio.create_task(cache.names("1", token=who)) for who in ("ada", "bob", "ada")]
    await settle()
    assert len(cache.subgraph.asked) == 2
    gate.set()
    assert await asyncio.gather(*tasks) == [["1 for ada - -"], ["1 for bob - -"], ["1 for ada - -"]]


@pytest.mark.asyncio
async def test_private_root_fields_are_kept_for_each_by_himself() -> None:
    cache = private()
    for who in ("ada", "bob", "ada", "bob"):
        cache.subgraph.root = {"whoami": who}
        assert await cache.answer(root("{whoami}", token=who)) == {"data": {"whoami": who}}
    assert len(cache.subgraph.asked) == 2


@pytest.mark.asyncio
async def test_a_lifetime_by_type_may_say_that_it_is_private() -> None:
    cache = private("public, max-age=60", lifetimes={"Product": {"max_age_s": 60, "scope": "private"}})
    for who in ("ada", "bob"):
        assert await cache.names("1", token=who) == [f"1 for {who} - -"]


STEP = st.tuples(
    st.sampled_from(PEOPLE),
    st.lists(st.sampled_from("1234"), min_size=1, max_size=4),
    st.sampled_from(
        ["private, max-age=60", "max-age=60", "no-store", "private, max-age=60, stale-while-revalidate=60"]
    ),
    st.sampled_from(["ask", "ask", "ask", "let go", "later", "mutate", "drop"]),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(STEP, min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_nobody_ever_sees_what_is_for_another(steps: list[Any], order: random.Random) -> None:
    asyncio.run(interleave(steps, order))


async def interleave(steps: list[Any], order: random.Random) -> None:
    """Requests of several people that are let go in any order; each name says whom the subgraph told it to."""
    cache = private(stale_s=30)
    held: list[asyncio.Event] = []

    class Held(Subgraph):
        async def send(self, request: Any) -> Any:
            gate = asyncio.Event()
            held.append(gate)
            answer = self._answer(request)
            await gate.wait()
            return answer

    inner = cache.client._inner = Held(tell=told)
    changing: list[asyncio.Task[Any]] = []
    asked: list[tuple[str | None, list[str], asyncio.Task[list[str | None]]]] = []
    for who, keys, says, does in steps:
        inner.says = says
        if does == "ask":
            asked.append((who, keys, asyncio.create_task(cache.names(*keys, token=who))))
        elif does == "let go" and held:
            held.pop(order.randrange(len(held))).set()
        elif does == "mutate":
            changing.append(asyncio.create_task(cache.client.send(MUTATION)))
        elif does == "later":
            cache.later(45)
        elif does == "drop":
            await cache.client.drop(["Product"])
        await settle()
    while not all(task.done() for task in (*changing, *(task for *_, task in asked))):
        while held:
            held.pop(order.randrange(len(held))).set()
        await settle()
    for who, keys, task in asked:
        assert task.result() == [f"{key} for {who or '-'} - -" for key in keys]
    while held:
        held.pop().set()
    await cache.client.close()
