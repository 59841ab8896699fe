"""Cache-Control as RFC 9111 says: what is read of it, and what parts come to together."""

from __future__ import annotations

import pytest

from router.server.caching.cache_control import (
    MOST_SECONDS,
    NO_STORE,
    CachePolicy,
    lasting,
    read_policy,
    smallest,
    write_policy,
)


def read(*lines: str, age: str | None = None) -> CachePolicy | None:
    headers = tuple((b"cache-control", line.encode()) for line in lines)
    return read_policy((*headers, (b"age", age.encode())) if age is not None else headers)


def test_an_answer_without_the_header_says_nothing() -> None:
    assert read_policy(((b"age", b"5"),)) is None


@pytest.mark.parametrize(
    "line", ["no-store", "max-age=60, no-store", "no-cache", "No-Cache, max-age=5", "public", "private", ""]
)
def test_what_nobody_may_keep_or_only_after_asking_is_not_kept(line: str) -> None:
    assert read(line) == NO_STORE


@pytest.mark.parametrize(
    ("lines", "policy"),
    [
        (["max-age=60"], CachePolicy(60, 60)),
        (["MAX-AGE=60 , Public"], CachePolicy(60, 60, is_public=True)),
        (["private, max-age=60"], CachePolicy(60, 60, is_private=True)),
        (["public, private, max-age=60"], CachePolicy(60, 60, is_private=True)),
        (['private="set-cookie", max-age=60'], CachePolicy(60, 60, is_private=True)),
        (["max-age=0, s-maxage=60"], CachePolicy(0, 60, is_public=True)),
        (["s-maxage=60"], CachePolicy(60, 60, is_public=True)),
        (["max-age=60, stale-while-revalidate=30"], CachePolicy(60, 60, stale_s=30)),
        (["max-age=60, stale-while-revalidate=30, must-revalidate"], CachePolicy(60, 60, must_ask=True)),
        (["max-age=60", "private"], CachePolicy(60, 60, is_private=True)),
        (["max-age=60, max-age=5"], CachePolicy(5, 5)),
        (['max-age="60"'], CachePolicy(60, 60)),
        (["max-age=-1"], CachePolicy(0, 0)),
        (["max-age=soon"], CachePolicy(0, 0)),
        (["max-age=99999999999999999999999"], CachePolicy(MOST_SECONDS, MOST_SECONDS)),
        (['ext="a, no-store", max-age=60'], CachePolicy(60, 60)),
    ],
)
def test_directives_are_read(lines: list[str], policy: CachePolicy) -> None:
    assert read(*lines) == policy


def test_the_time_that_an_answer_has_lain_in_other_caches_is_over() -> None:
    assert read("public, max-age=60, s-maxage=90", age="70") == CachePolicy(0, 20, is_public=True)


def test_each_answer_has_an_age_of_its_own_and_a_line_of_any_length_is_read() -> None:
    ages = (None, "20", "50", None, "90")
    assert [read("max-age=60", age=age) for age in ages] == [lasting(left) for left in (60, 40, 10, 60, 0)]
    padded = f"max-age=60, ext={'a' * 300}"
    assert [read(padded, age=age) for age in ages] == [lasting(left) for left in (60, 40, 10, 60, 0)]


def test_parts_come_to_the_smallest_of_each() -> None:
    first = CachePolicy(60, 90, is_public=True, stale_s=10)
    assert smallest(first, CachePolicy(30, 120, is_public=True)) == CachePolicy(30, 90, is_public=True)
    assert smallest(first, CachePolicy(90, 120, is_private=True)) == CachePolicy(60, 90, is_private=True)
    assert smallest(first, lasting(100)) == CachePolicy(60, 90)
    assert smallest(first, NO_STORE) == smallest(NO_STORE, first) == NO_STORE


@pytest.mark.parametrize(
    ("policy", "written"),
    [
        (NO_STORE, b"no-store"),
        (lasting(0), b"no-store"),
        (lasting(0.9), b"no-store"),
        (lasting(60.9), b"max-age=60"),
        (CachePolicy(60, 90), b"max-age=60"),
        (CachePolicy(60, 60, is_public=True), b"public, max-age=60"),
        (CachePolicy(0, 90, is_public=True), b"public, max-age=0, s-maxage=90"),
        (CachePolicy(60, 90, is_private=True), b"private, max-age=60"),
        (CachePolicy(0, 90, is_private=True), b"no-store"),
    ],
)
def test_a_policy_is_written_so_that_no_cache_keeps_more(policy: CachePolicy, written: bytes) -> None:
    assert write_policy(policy) == written
