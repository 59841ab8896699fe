"""What headers come to is worked out once for the fetches of a request, and never taken for another request's."""

from __future__ import annotations

from router.execution.subgraph_client import Headers, SubgraphRequest
from router.execution.traffic.once_for_headers import MOST_REMEMBERED, OnceForHeaders
from router.execution.traffic.signature import RequestSigner, Signing

SIGNING = Signing("one", b"a-secret-of-the-router-and-subgraph", frozenset({b"authorization", b"x-left-ms"}))


def of(person: str) -> Headers:
    return ((b"authorization", f"Bearer {person}".encode()),)


def test_it_is_made_once_for_one_tuple_and_again_for_an_equal_one() -> None:
    made: list[Headers] = []

    def make(headers: Headers) -> int:
        made.append(headers)
        return len(made)

    once = OnceForHeaders(make)
    first, second = of("ada"), of("ada")
    assert [once(first), once(first), once(second), once(second), once(first)] == [1, 1, 2, 2, 1]
    assert made == [first, second]


def test_all_are_forgotten_when_there_are_too_many() -> None:
    made: list[Headers] = []
    once = OnceForHeaders(made.append)
    requests = [of(str(number)) for number in range(MOST_REMEMBERED)]
    for headers in (*requests, *requests):
        once(headers)
    assert len(made) == MOST_REMEMBERED
    once(of("one too many"))
    once(requests[-1])
    assert len(made) == MOST_REMEMBERED + 2


def test_a_request_whose_headers_died_leaves_nothing_to_the_next() -> None:
    # A new tuple often takes the place in memory that another one has just left.
    once = OnceForHeaders(lambda headers: headers[0][1])
    for number in range(3 * MOST_REMEMBERED):
        assert once(of(str(number))) == b"Bearer %d" % number


def test_a_signed_header_that_a_step_adds_to_those_of_the_request_is_signed_with_them() -> None:
    signer = RequestSigner(SIGNING, "stock", "/", lambda: 1.0)
    request = SubgraphRequest("stock", b"{}", (*of("ada"), (b"x-left-ms", b"9000")))
    added: Headers = ((b"x-left-ms", b"8000"),)
    signature = signer(request, added)
    assert signature == signer.signed("POST", request.headers + added, request.body)[-3:]
    assert signature != signer(request, ())
    assert signer(request, ((b"x-other", b"1"),)) == signer(request, ())
