"""A request gets its headers one step after the other, in one layer before its address."""

from __future__ import annotations

import pytest
from msgspec import structs

from router.execution.subgraph_client import Headers, SubgraphRequest
from router.execution.traffic.departure import DepartingClient, departing
from router.execution.traffic.signature import RequestSigner, Signing
from router.execution.traffic.timeout import TimeoutTelling
from router.execution.traffic.trace import TRACE_HEADERS, tell_trace
from tests.execution.traffic.clients import QUERY, ObedientClient

TRACE: Headers = ((b"x-request-id", b"1"),)


@pytest.mark.asyncio
async def test_the_signature_covers_what_the_steps_before_it_added() -> None:
    inner, token = ObedientClient(), TRACE_HEADERS.set(TRACE)
    signing = Signing("one", b"a-secret", frozenset({b"x-request-id", b"x-left-ms", b"x-own"}))
    signer = RequestSigner(signing, "stock", "/", lambda: 1.0)
    client = DepartingClient(inner, [tell_trace, TimeoutTelling(b"x-left-ms"), signer])
    await client.send(structs.replace(QUERY, headers=((b"x-own", b"a"),)))
    TRACE_HEADERS.reset(token)
    (sent,) = inner.sent
    names = [name for name, _ in sent.headers]
    assert names == [b"x-own", b"x-request-id", b"x-left-ms", b"content-digest", b"signature-input", b"signature"]
    told = dict(sent.headers)
    assert (told[b"x-request-id"], told[b"x-left-ms"]) == (b"1", b"10000")
    assert b'("@method" "@path" "content-digest" "x-own" "x-request-id" "x-left-ms");' in told[b"signature-input"]


@pytest.mark.asyncio
async def test_a_step_sees_the_request_as_it_came_and_all_else_stays() -> None:
    inner, seen = ObedientClient(), []

    def add(request: SubgraphRequest, added: Headers) -> Headers:
        seen.append(request)
        return ((b"n", b"%d" % len(added)),)

    request = SubgraphRequest("stock", b"{}", (), repeatable=False, timeout_s=1.5)
    await DepartingClient(inner, [add, add]).send(request)
    assert inner.sent == [structs.replace(request, headers=((b"n", b"0"), (b"n", b"1")))]
    assert seen == [request, request]


def test_without_steps_there_is_no_layer() -> None:
    inner = ObedientClient()
    assert departing(inner, []) is inner
