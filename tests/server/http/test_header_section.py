"""What was worked out of a request's headers is found again by the same headers alone, and bounded."""

from __future__ import annotations

import pytest

from router.server.http.header_section import (
    MOST_BYTES,
    MOST_BYTES_IN_ALL,
    MOST_REMEMBERED,
    HeaderSections,
    fields_of,
    section_in,
    tell_section,
    with_other_headers,
)

Header = tuple[bytes, bytes]
ADA = [(b"host", b"h"), (b"authorization", b"Bearer ada")]


def again(headers: list[Header]) -> list[Header]:
    """The same headers as another request brings them: other objects."""
    return [(bytes(bytearray(name)), bytes(bytearray(value))) for name, value in headers]


def test_a_header_that_is_sent_twice_is_one_list_and_cookies_are_one_string() -> None:
    sent = [(b"accept", b"a"), (b"cookie", b"x=1"), (b"host", b"h"), (b"accept", b"b"), (b"cookie", b"y=2")]
    assert fields_of(sent) == {b"accept": b"a, b", b"cookie": b"x=1; y=2", b"host": b"h"}


def test_requests_with_the_same_headers_have_one_section_whatever_their_length_and_trace() -> None:
    sections = HeaderSections()
    first, own = sections.read([*ADA, (b"content-length", b"2")])
    second, its_own = sections.read([(b"x-request-id", b"7"), *again(ADA), (b"traceparent", b"00-a-b-01")])
    assert second is first
    assert first.fields == dict(ADA)
    assert (own, its_own) == ({}, {b"x-request-id": b"7", b"traceparent": b"00-a-b-01"})


@pytest.mark.parametrize(
    "other",
    [
        [(b"host", b"h"), (b"authorization", b"Bearer adb")],
        [(b"host", b"h"), (b"authorization", b"Bearer ada"), (b"authorization", b"Bearer ada")],
        [(b"authorization", b"Bearer ada"), (b"host", b"h")],
        [(b"host", b"h")],
        [(b"host", b"h"), (b"authorization", b"Bearer ada"), (b"cookie", b"a=1")],
    ],
)
def test_other_headers_have_another_section(other: list[Header]) -> None:
    sections = HeaderSections()
    assert sections.read(ADA)[0] is not sections.read(other)[0]


def test_two_trace_contexts_are_no_trace_context() -> None:
    _, own = HeaderSections().read([(b"traceparent", b"a"), *ADA, (b"traceparent", b"b")])
    assert own == {b"traceparent": b"a, b"}


def test_as_many_sections_as_fit_are_remembered_and_those_that_are_not_sent_are_forgotten() -> None:
    sections = HeaderSections()
    ada = sections.read(ADA)[0]
    bob = sections.read([(b"a", b"bob")])[0]
    for number in range(3 * MOST_REMEMBERED):
        sections.read([(b"a", b"%d" % number)])
        assert sections.read(again(ADA))[0] is ada
        assert len(sections) <= MOST_REMEMBERED
    assert sections.read([(b"a", b"bob")])[0] is not bob


def test_large_headers_are_not_remembered() -> None:
    sections = HeaderSections()
    large = [(b"a", b"x" * MOST_BYTES)]
    assert sections.read(large)[0] is not sections.read(large)[0]
    assert len(sections) == 0


def test_sections_of_many_large_headers_are_fewer() -> None:
    sections = HeaderSections()
    for number in range(MOST_REMEMBERED):
        sections.read([(b"a", b"%d" % number), *[(b"b%d" % one, b"x" * 30) for one in range(90)]])
    # Each weighs over 20 kB in memory.
    assert 1 < len(sections) <= MOST_BYTES_IN_ALL // 20_000


def test_whoever_gives_a_request_other_headers_leaves_it_without_a_section() -> None:
    section, _ = HeaderSections().read(ADA)
    scope = {"type": "http", "headers": ADA}
    assert section_in(scope) is None
    tell_section(scope, section)
    assert section_in(scope) is section
    changed = with_other_headers(scope, [(b"host", b"h")])
    assert (section_in(changed), changed["headers"]) == (None, [(b"host", b"h")])
