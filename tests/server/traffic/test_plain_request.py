"""What is read without a parser can be read in one way only; all else is left to the parser."""

from __future__ import annotations

import pytest

from router.server.connections.plain_request import read_plain_request

PLAIN = b"POST /graphql HTTP/1.1\r\nHost: shop.test\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


def test_a_whole_request_is_method_path_and_headers_in_lower_case() -> None:
    assert read_plain_request(PLAIN, 1000) == {
        "type": "http",
        "method": "POST",
        "path": "/graphql",
        "headers": [(b"host", b"shop.test"), (b"content-type", b"application/json"), (b"content-length", b"2")],
    }


@pytest.mark.parametrize("value", [b"keep-alive", b"Keep-Alive"])
def test_a_connection_that_is_to_be_kept_is_plain(value: bytes) -> None:
    assert read_plain_request(PLAIN.replace(b"Host", b"connection: %b\r\nhost" % value), 1000) is not None


@pytest.mark.parametrize(
    ("part", "other"),
    [
        (b"POST", b"GET"),
        (b"POST", b"post"),
        (b"1.1", b"1.0"),
        (b"/graphql", b"/graphql?a=1"),
        (b"/graphql", b"http://shop.test/graphql"),
        (b"/graphql", b"/%67raphql"),
        (b"Host: shop.test\r\n", b""),
        (b"Host:", b"Host :"),
        (b"Host:", b" Host:"),
        (b"Host", b"Ho\x00st"),
        (b"shop.test", b"shop\x80test"),
        (b"shop.test\r\n", b"shop.test\r\n folded\r\n"),
        (b"shop.test\r\n", b"shop.test\n"),
        (b"shop.test\r\n", b"shop.test\r\r\n"),
        (b"Host", b"Host: other\r\nHost"),
        (b"Content-Type", b"Content-Length: 2\r\nContent-Type"),
        (b"Content-Type", b"Transfer-Encoding: chunked\r\nContent-Type"),
        (b"Content-Type", b"Expect: 100-continue\r\nContent-Type"),
        (b"Content-Type", b"Upgrade: websocket\r\nContent-Type"),
        (b"Content-Type", b"Connection: close\r\nContent-Type"),
        (b"Content-Type", b"Connection: keep-alive, upgrade\r\nContent-Type"),
        (b"Content-Length: 2\r\n", b""),
        (b"Length: 2", b"Length: +2"),
        (b"Length: 2", b"Length: 02"),
        (b"Length: 2", b"Length: 3"),
        (b"Length: 2", b"Length: 1"),
        (b"{}", b"{}POST"),
        (b"\r\n\r\n{}", b"\r\n"),
    ],
)
def test_what_is_not_plain_is_left_to_the_parser(part: bytes, other: bytes) -> None:
    assert part in PLAIN
    assert read_plain_request(PLAIN.replace(part, other, 1), 1000) is None


def test_a_head_that_is_too_large_is_left_to_the_parser() -> None:
    head_bytes = len(PLAIN) - 2
    assert read_plain_request(PLAIN, head_bytes) is not None
    assert read_plain_request(PLAIN, head_bytes - 1) is None


def test_a_large_head_that_nearly_is_plain_is_read_once() -> None:
    """Its end decides, and no part of it is tried again in another way: within a second, not within hours."""
    assert read_plain_request(PLAIN.replace(b"\r\n\r\n", b"\r\nx: y" * 100_000 + b"\x00\r\n\r\n"), 10**7) is None
