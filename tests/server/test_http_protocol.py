"""Head and body of an answer leave in one write, and in order, whatever comes between."""

from __future__ import annotations

import asyncio

import pytest

from router.server.http_protocol import HoldingTransport

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n"


class Transport(asyncio.Transport):
    """Notes what is written, and that it was closed."""

    def __init__(self) -> None:
        super().__init__({"sockname": ("127.0.0.1", 1)})
        self.written: list[bytes] = []
        self.is_gone = False

    def is_closing(self) -> bool:
        return self.is_gone

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def close(self) -> None:
        self.written.append(b"<closed>")


@pytest.mark.asyncio
async def test_what_is_written_to_a_client_that_is_gone_is_dropped() -> None:
    inner = Transport()
    transport = HoldingTransport(inner, asyncio.get_running_loop())
    transport.write(HEAD)
    inner.is_gone = True
    transport.write(b"{}")
    await asyncio.sleep(0)
    assert inner.written == []


def holding() -> tuple[HoldingTransport, list[bytes]]:
    inner = Transport()
    return HoldingTransport(inner, asyncio.get_running_loop()), inner.written


@pytest.mark.asyncio
async def test_head_and_body_are_one_write() -> None:
    transport, written = holding()
    transport.write(HEAD)
    transport.write(b"{}")
    await asyncio.sleep(0)
    assert written == [HEAD + b"{}"]


@pytest.mark.asyncio
async def test_a_head_whose_body_comes_later_does_not_wait_for_it() -> None:
    transport, written = holding()
    transport.write(HEAD)
    await asyncio.sleep(0)
    assert written == [HEAD]
    transport.write(b"{}")
    assert written == [HEAD, b"{}"]


@pytest.mark.asyncio
async def test_a_held_head_is_written_before_the_end() -> None:
    transport, written = holding()
    transport.write(HEAD)
    transport.close()
    await asyncio.sleep(0)
    assert written == [HEAD, b"<closed>"]


@pytest.mark.asyncio
async def test_answers_in_a_row_keep_their_order() -> None:
    transport, written = holding()
    for _ in range(2):
        transport.write(HEAD)
        transport.write(b"{}")
    assert written == [HEAD + b"{}", HEAD + b"{}"]


@pytest.mark.asyncio
async def test_all_else_is_the_transports_own() -> None:
    transport, written = holding()
    transport.write(b"data: 1\n\n")
    assert written == [b"data: 1\n\n"]
    assert transport.get_extra_info("sockname") == ("127.0.0.1", 1)
