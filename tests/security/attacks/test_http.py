"""HTTP that means one thing to one side and another to the other, and connections that are there to be held."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.security.attacks.target import ANSWER_WITHIN_S, Target

pytestmark = pytest.mark.xdist_group("attacks")

BODY = b'{"query":"{ headers }"}'
HEAD = b"POST /graphql HTTP/1.1\r\nHost: shop.test\r\nContent-Type: application/json\r\n"
SMUGGLED = b"0\r\n\r\nGET /metrics HTTP/1.1\r\nHost: shop.test\r\n\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n" % (len(BODY), BODY)
MALFORMED = {
    "length and chunks": HEAD + LENGTH + b"Transfer-Encoding: chunked\r\n\r\n" + SMUGGLED,
    "chunks that are not the last coding": HEAD + b"Transfer-Encoding: chunked, identity\r\n\r\n" + SMUGGLED,
    "a coding like chunked": HEAD + b"Transfer-Encoding: xchunked\r\n\r\n" + SMUGGLED,
    "two lengths": HEAD + LENGTH + b"Content-Length: 3\r\n\r\n" + BODY,
    "a length below zero": HEAD + b"Content-Length: -5\r\n\r\n" + BODY,
    "a length with a sign": HEAD + b"Content-Length: +23\r\n\r\n" + BODY,
    "a length beyond all": HEAD + b"Content-Length: 99999999999999999999999\r\n\r\n" + BODY,
    "two lengths in one": HEAD + b"Content-Length: 23, 23\r\n\r\n" + BODY,
    "a length in hexadecimal": HEAD + b"Content-Length: 0x17\r\n\r\n" + BODY,
    "chunked twice": HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n" + SMUGGLED,
    "chunked behind a tab": HEAD + b"Transfer-Encoding: \x0bchunked\r\n\r\n" + SMUGGLED,
    "chunked on the next line": HEAD + b"Transfer-Encoding:\r\n chunked\r\n\r\n" + SMUGGLED,
    "length and chunks, spaced": HEAD + LENGTH + b"Transfer-Encoding : chunked\r\n\r\n" + SMUGGLED,
    "a header without a colon": HEAD + LENGTH + b"Transfer-Encoding chunked\r\n\r\n" + BODY,
    "a line feed in a header": HEAD + LENGTH + b"X-A: b\nTransfer-Encoding: chunked\r\n\r\n" + SMUGGLED,
    "a return in a header": HEAD + LENGTH + b"X-A: b\rTransfer-Encoding: chunked\r\n\r\n" + SMUGGLED,
    "a space before the colon": HEAD + LENGTH + b"Authorization : Bearer x\r\n\r\n" + BODY,
    "a header over two lines": HEAD + LENGTH + b"X-A: b\r\n c: d\r\n\r\n" + BODY,
    "lines without their return": (HEAD + LENGTH + b"\r\n" + BODY).replace(b"\r\n", b"\n"),
    "a null byte in a header": HEAD + LENGTH + b"X-A: a\0b\r\n\r\n" + BODY,
    "a null byte in the path": b"GET /graphql\0?query={headers} HTTP/1.1\r\nHost: shop.test\r\n\r\n",
    "no host": b"GET /graphql?query={headers} HTTP/1.1\r\nApollo-Require-Preflight: 1\r\n\r\n",
    "two hosts": b"GET /graphql?query={headers} HTTP/1.1\r\nHost: a\r\nHost: b\r\nApollo-Require-Preflight: 1\r\n\r\n",
    "CONNECT": b"CONNECT elsewhere.test:80 HTTP/1.1\r\nHost: shop.test\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0" * 50,
}


@pytest.mark.parametrize("attack", MALFORMED)
def test_what_is_no_http_is_refused_and_nothing_behind_it_is_read(target: Target, attack: str) -> None:
    said = target.raw(MALFORMED[attack])
    assert said.startswith(b"HTTP/1.1 400 ")
    assert said.count(b"HTTP/1.1") == 1
    assert b"galleria_" not in said


CHUNKS = {
    "a size with a sign": b"+17\r\n%b\r\n0\r\n\r\n" % BODY,
    "a size below zero": b"-17\r\n%b\r\n0\r\n\r\n" % BODY,
    "a size with 0x": b"0x17\r\n%b\r\n0\r\n\r\n" % BODY,
    "a size beyond all": b"fffffffffffffffff\r\n%b\r\n0\r\n\r\n" % BODY,
    "a size without its return": b"17\n%b\r\n0\r\n\r\n" % BODY,
    "a line feed in an extension": b"17;a\nb\r\n%b\r\n0\r\n\r\n" % BODY,
    "more than its size": b"10\r\n%b\r\n0\r\n\r\n" % BODY,
    "no end of a chunk": b"17\r\n%b0\r\n\r\n" % BODY,
}


@pytest.mark.parametrize("attack", CHUNKS)
def test_a_body_that_others_would_cut_elsewhere_is_refused(target: Target, attack: str) -> None:
    said = target.raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKS[attack] + SMUGGLED[5:], wait_s=2)
    assert said.startswith(b"HTTP/1.1 400 ")
    assert said.count(b"HTTP/1.1") == 1
    assert b"galleria_" not in said


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "HEAD", "OPTIONS"])
def test_other_methods_run_nothing_and_echo_nothing(target: Target, method: str) -> None:
    said = target.raw(
        f"{method} /graphql HTTP/1.1\r\nHost: shop.test\r\nX-Secret: 4711\r\nConnection: close\r\n\r\n".encode()
    )
    assert said.startswith(b"HTTP/1.1 405 ")
    assert b"4711" not in said


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
def test_a_mutation_by_get_stays_one(target: Target, header: str) -> None:
    url = b'/graphql?query=mutation{login(name:"ada",password:"x")}'
    said = target.raw(
        b"GET %b HTTP/1.1\r\nHost: shop.test\r\nApollo-Require-Preflight: 1\r\n%b: POST\r\nConnection: close\r\n\r\n"
        % (url, header.encode())
    )
    assert said.startswith(b"HTTP/1.1 405 ")


@pytest.mark.parametrize(
    "query",
    [
        "query=query%20A{headers}mutation%20B{login(name:%22ada%22,password:%22x%22)}&operationName=B",
        "query=mutation%20B{login(name:%22ada%22,password:%22x%22)}query%20A{headers}&operationName=B&operationName=B",
        "query={headers}&query=mutation{login(name:%22ada%22,password:%22x%22)}",
    ],
)
def test_nothing_but_a_query_runs_by_get_however_it_is_chosen(target: Target, query: str) -> None:
    asked = target.asked()
    line = f"GET /graphql?{query} HTTP/1.1\r\nHost: shop.test\r\nApollo-Require-Preflight: 1\r\n"
    said = target.raw(f"{line}Connection: close\r\n\r\n".encode())
    assert said.startswith((b"HTTP/1.1 405 ", b"HTTP/1.1 400 ", b"HTTP/1.1 406 "))
    assert target.asked() <= asked + target.others_asked


@pytest.mark.parametrize(
    "path", ["//graphql", "/graphql/", "/GRAPHQL", "/graphql;x", "/graphql%00", "/graphql/../metrics", "/x/../graphql"]
)
def test_a_path_that_is_nearly_the_graphs_is_not(target: Target, path: str) -> None:
    head = HEAD.replace(b"/graphql", path.encode()) + LENGTH + b"Connection: close\r\n\r\n"
    said = target.raw(head + BODY)
    assert said.startswith(b"HTTP/1.1 404 ")


def test_trailers_are_no_headers_of_the_request(target: Target) -> None:
    said = target.raw(HEAD + CHUNKED + b"Authorization: Bearer forged\r\nX-User-Id: bob\r\n\r\n", wait_s=1)
    assert said.startswith(b"HTTP/1.1 200 ")
    assert b"forged" not in said
    assert b"bob" not in said


def test_an_id_of_the_client_cannot_end_a_header(target: Target) -> None:
    for value in (b"a%0d%0aSet-Cookie: x=1", b"\xff\xfe", b"a" * 5000, b"a b"):
        said = target.raw(HEAD + LENGTH + b"X-Request-Id: " + value + b"\r\nConnection: close\r\n\r\n" + BODY)
        assert said.startswith(b"HTTP/1.1 200 ")
        assert value not in said


@pytest.mark.parametrize(
    "head",
    [
        b"POST /graphql HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 5_000_000,
        b"POST /graphql HTTP/1.1\r\nHost: x\r\n" + b"X-A: aaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n" * 200_000,
        b"GET /graphql?" + b"a" * 5_000_000,
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n17;" + b"x" * 5_000_000,
        HEAD + CHUNKED + b"X-A: aaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n" * 200_000,
    ],
    ids=["a header", "headers", "a URL", "an extension of a chunk", "trailers"],
)
def test_a_head_without_end_is_not_held(target: Target, head: bytes) -> None:
    said = target.raw(head, wait_s=1)
    # Trailers come behind a request that is whole, and may be answered before they are too many.
    assert not said.startswith(b"HTTP/1.1 200 ") or CHUNKED in head


MEGABYTES = 20_000_000
REFUSED = {
    "a head": (HEAD + b"X-A: " + b"a" * MEGABYTES, b"431"),
    "a URL": (b"GET /graphql?" + b"a" * MEGABYTES, b"431"),
    "a body": (HEAD + b"Content-Length: %d\r\n\r\n" % MEGABYTES + b"a" * MEGABYTES, b"413"),
    "chunks": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + (b"80000\r\n%b\r\n" % (b"a" * 0x80000)) * 40, b"413"),
    "the last request": (
        HEAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % MEGABYTES + b"a" * MEGABYTES,
        b"413",
    ),
    "framing": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n2;" + b"a" * MEGABYTES, b"400"),
    "no HTTP": (b"garbage\r\n" * 2_000_000, b"400"),
}


@pytest.mark.parametrize("attack", REFUSED)
def test_who_reads_only_when_all_is_sent_reads_the_whole_refusal(target: Target, attack: str) -> None:
    sent, status = REFUSED[attack]
    with socket.create_connection(("127.0.0.1", target.port), timeout=30) as connection:
        connection.sendall(sent)
        with connection.makefile("rb") as reader:
            said = reader.read()
    head, _, body = said.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %b " % status)
    assert b"\r\ncontent-length: %d\r\n" % len(body) in head + b"\r\n"
    assert json.loads(body)["errors"]


def test_refused_connections_that_never_close_are_not_all_kept(target: Target) -> None:
    with connections(target, 600) as held:
        for one in held:
            _send(one, HEAD + b"X-A: " + b"a" * 100_000)
        for one in held:
            _send(one, b"a" * 100_000)
        target.assert_answers()


def test_requests_in_a_row_without_waiting_are_answered_in_order_or_not_at_all(target: Target) -> None:
    said = target.raw((HEAD + LENGTH + b"\r\n" + BODY) * 3000, wait_s=2)
    assert said.count(b"HTTP/1.1 ") == said.count(b"HTTP/1.1 200 ") <= 3000


@contextmanager
def connections(target: Target, count: int) -> Iterator[list[socket.socket]]:
    with ExitStack() as resources:
        yield [
            resources.enter_context(socket.create_connection(("127.0.0.1", target.port), timeout=ANSWER_WITHIN_S))
            for _ in range(count)
        ]


def test_bodies_that_never_end_are_not_all_held(target: Target) -> None:
    with connections(target, 300) as held:
        for one in held:
            _send(one, HEAD + b"Content-Length: 990000\r\n\r\n" + b"x" * 989_999)
        target.assert_answers()


UNFINISHED = {
    "bodies": HEAD + b"Content-Length: 60000\r\n\r\n" + b"x" * 59_000,
    "chunked bodies": HEAD + b"Transfer-Encoding: chunked\r\n\r\nea60\r\n" + b"x" * 59_000,
    "headers": HEAD + b"X-A: " + b"x" * 31_000,
    "URLs": b"GET /graphql?query=" + b"x" * 31_000,
    "heads behind another request": HEAD + LENGTH + b"\r\n" + BODY + HEAD + b"X-A: " + b"x" * 60_000,
}


@pytest.mark.parametrize("attack", UNFINISHED)
def test_what_is_small_and_never_ends_is_not_all_held(target: Target, attack: str) -> None:
    """All of it would be 80 to 150 MB; who is refused may be any of them, and everyone else is not."""
    sent = UNFINISHED[attack]
    with connections(target, 2500) as held:
        before = target.resident_bytes_now()
        for number, one in enumerate(held):
            _send(one, sent)
            if number % 50 == 0:  # More requests at once than the router can take are another attack.
                target.assert_answers()
        target.assert_answers()
        assert target.resident_bytes_now() - before < 60_000_000


def test_a_head_of_very_many_short_lines_is_refused(target: Target) -> None:
    """In memory they would take thirty times what they are on the wire."""
    said = target.raw(HEAD + b"a:b\r\n" * 4000, wait_s=1)
    assert said.startswith(b"HTTP/1.1 431 ")


def test_heads_that_never_end_keep_nobody_from_being_answered(target: Target) -> None:
    with connections(target, 500) as held:
        for one in held:
            _send(one, HEAD)
        target.assert_answers()


def test_answers_that_nobody_reads_are_not_all_made(target: Target) -> None:
    aliases = " ".join(f"a{n}: echo(text: $t)" for n in range(9))
    body = b'{"query":"query ($t: String!) { %b }","variables":{"t":"%b"}}' % (aliases.encode(), b"x" * 60_000)
    request = HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body
    with connections(target, 40) as held:
        for one in held:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            _send(one, request)
        target.assert_answers()


def _send(connection: socket.socket, data: bytes) -> None:
    """Send as much as the router takes."""
    try:
        connection.sendall(data)
    except OSError:
        return
