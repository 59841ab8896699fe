"""A lean HTTP/1.1 client that keeps so many requests open at once, and notes how long each takes.

wrk, which loads the routers, sends one body again and again; a mutation needs another idempotency key each time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import quantiles

from bench.errors import BenchError

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True)
class Sample:
    """What was seen: requests answered each second, and latencies in milliseconds."""

    requests: int
    requests_per_s: float
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class Target:
    """Where requests go, and as whom."""

    port: int
    token: str | None


async def load(target: Target, bodies: Iterator[bytes], connections: int, seconds: float) -> Sample:
    """Send ``bodies`` over ``connections`` until they or the ``seconds`` end; raises BenchError for a wrong answer."""
    began = time.perf_counter()
    deadline = began + seconds
    tasks = [_ask_until(target, bodies, deadline) for _ in range(connections)]
    latencies = sorted(latency for each in await asyncio.gather(*tasks) for latency in each)
    took = time.perf_counter() - began
    if len(latencies) < 2:
        raise BenchError(f"port {target.port} answered {len(latencies)} requests in {took:.0f} s")
    cuts = quantiles(latencies, n=100)
    return Sample(len(latencies), len(latencies) / took, cuts[49] * 1000, cuts[98] * 1000)


async def _ask_until(target: Target, bodies: Iterator[bytes], deadline: float) -> list[float]:
    streams = await asyncio.open_connection("127.0.0.1", target.port)
    latencies = []
    for body in bodies:
        began = time.perf_counter()
        if began > deadline:
            break
        await exchange(streams, target.token, body)
        latencies.append(time.perf_counter() - began)
    streams[1].close()
    await streams[1].wait_closed()
    return latencies


async def exchange(streams: Streams, token: str | None, body: bytes) -> bytes:
    """The body of the answer to a GraphQL request; raises BenchError for a wrong one."""
    reader, writer = streams
    authorization = f"authorization: Bearer {token}\r\n" if token else ""
    head = f"POST /graphql HTTP/1.1\r\nhost: bench\r\n{authorization}content-type: application/json\r\ncontent-length: "
    writer.write(f"{head}{len(body)}\r\n\r\n".encode() + body)
    found, answer = await _read_response(reader)
    _check(found, answer)
    return answer


async def _read_response(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return head, await reader.readexactly(length)


def _check(head: bytes, body: bytes) -> None:
    refused = b'"userErrors"' in body and b'"userErrors":[]' not in body.replace(b" ", b"")
    if not head.startswith(b"http/1.1 200") or b'"errors"' in body or refused:
        raise BenchError(f"a wrong answer is not timed: {body[:300].decode(errors='replace')}")
