"""Identical queries in flight are asked once; nothing is shared that could differ, and nobody waits too long."""

from __future__ import annotations

import asyncio
import io

import pytest
from msgspec import structs

from router.execution.errors import SUBGRAPH_TIMEOUT, SubgraphFailure
from router.execution.subgraph_client import SubgraphRequest, SubgraphResponse
from router.execution.traffic.share import SharingClient
from router.execution.uploads import SentFile, UploadedFile
from tests.execution.traffic.clients import BROKEN_OFF, LATE, MUTATION, OK, QUERY, Doors, ObedientClient, settle

OTHER = SubgraphResponse(200, b'{"data":{"x":1}}')
SIGNED = structs.replace(QUERY, headers=((b"authorization", b"Bearer a"),))
FILES = (SentFile(UploadedFile("a.txt", "text/plain", 1, io.BytesIO(b"x")), ("variables.file",)),)


class Sharing:
    """A sharing client over one that holds each request until it is let go."""

    def __init__(self) -> None:
        self.doors = Doors()
        self.inner = ObedientClient([self.doors])
        self.client = SharingClient(self.inner)

    async def begin(self, *requests: SubgraphRequest) -> list[asyncio.Task[SubgraphResponse]]:
        tasks = [asyncio.create_task(self.client.send(request)) for request in requests]
        await settle()
        return tasks


@pytest.mark.asyncio
async def test_identical_queries_in_flight_are_asked_once() -> None:
    sharing = Sharing()
    tasks = await sharing.begin(QUERY, QUERY, QUERY)
    sharing.doors.held[0].set_result(OK)
    assert await asyncio.gather(*tasks) == [OK, OK, OK]
    assert (len(sharing.inner.sent), sharing.client.shared) == (1, 2)


@pytest.mark.asyncio
async def test_a_query_that_comes_after_the_answer_is_asked_anew() -> None:
    client = SharingClient(inner := ObedientClient([OK, OTHER]))
    assert [await client.send(QUERY), await client.send(QUERY)] == [OK, OTHER]
    assert len(inner.sent) == 2


@pytest.mark.asyncio
async def test_a_query_after_a_mutation_is_asked_anew_though_an_equal_one_from_before_is_in_flight() -> None:
    doors = Doors()
    client = SharingClient(inner := ObedientClient([doors, OK, OTHER]))
    before = asyncio.create_task(client.send(QUERY))
    await settle()
    await client.send(MUTATION)
    assert await client.send(QUERY) == OTHER
    doors.held[0].set_result(OK)
    assert await before == OK
    assert (len(inner.sent), client.shared) == (3, 0)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "other",
    [
        SIGNED,
        structs.replace(SIGNED, headers=((b"authorization", b"Bearer b"),)),
        structs.replace(QUERY, body=b'{"query":"{y}"}'),
        structs.replace(QUERY, subgraph="orders"),
        structs.replace(MUTATION, body=QUERY.body),
        structs.replace(QUERY, files=FILES),
    ],
    ids=["a header more", "another token", "another body", "another subgraph", "a mutation", "files"],
)
async def test_what_differs_is_not_shared(other: SubgraphRequest) -> None:
    sharing = Sharing()
    first = SIGNED if other.headers and other != SIGNED else QUERY
    tasks = await sharing.begin(first, other)
    for held, answer in zip(sharing.doors.held, (OK, OTHER), strict=True):
        held.set_result(answer)
    assert await asyncio.gather(*tasks) == [OK, OTHER]


@pytest.mark.asyncio
async def test_mutations_are_never_shared() -> None:
    sharing = Sharing()
    tasks = await sharing.begin(MUTATION, MUTATION)
    for held in sharing.doors.held:
        held.set_result(OK)
    assert await asyncio.gather(*tasks) == [OK, OK]
    assert len(sharing.inner.sent) == 2


@pytest.mark.asyncio
async def test_a_failure_is_shared_as_an_error_of_its_own() -> None:
    sharing = Sharing()
    tasks = await sharing.begin(QUERY, QUERY)
    sharing.doors.held[0].set_exception(BROKEN_OFF)
    first, second = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(first, SubgraphFailure)
    assert isinstance(second, SubgraphFailure)
    assert first is not second
    assert (second.code, second.message) == (BROKEN_OFF.code, BROKEN_OFF.message)


@pytest.mark.asyncio
async def test_who_waits_goes_on_where_the_first_was_cancelled() -> None:
    sharing = Sharing()
    first, *others = await sharing.begin(QUERY, QUERY, QUERY)
    first.cancel()
    await settle()
    assert len(sharing.inner.sent) == 2
    sharing.doors.held[1].set_result(OK)
    assert await asyncio.gather(*others) == [OK, OK]


@pytest.mark.asyncio
async def test_who_waits_and_is_cancelled_takes_nothing_from_the_others() -> None:
    sharing = Sharing()
    first, second, third = await sharing.begin(QUERY, QUERY, QUERY)
    second.cancel()
    await settle()
    sharing.doors.held[0].set_result(OK)
    assert list(await asyncio.gather(first, third)) == [OK, OK]


@pytest.mark.asyncio
async def test_who_has_more_time_than_the_first_asks_anew() -> None:
    sharing = Sharing()
    first, second = await sharing.begin(QUERY, QUERY)
    sharing.doors.held[0].set_exception(LATE)
    await settle()
    sharing.doors.held[1].set_result(OK)
    with pytest.raises(SubgraphFailure):
        await first
    assert await second == OK


@pytest.mark.asyncio
async def test_who_has_less_time_than_the_first_waits_no_longer() -> None:
    sharing = Sharing()
    first, second = await sharing.begin(QUERY, structs.replace(QUERY, timeout_s=0.01))
    with pytest.raises(SubgraphFailure) as caught:
        await second
    assert (caught.value.code, caught.value.message) == (
        SUBGRAPH_TIMEOUT,
        "Subgraph 'stock' did not answer within 0.01 seconds.",
    )
    sharing.doors.held[0].set_result(OK)
    assert await first == OK
