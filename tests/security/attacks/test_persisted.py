"""Documents that are registered under a hash which is not theirs, and registers that are flooded."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest

from tests.security.attacks.target import Target

pytestmark = pytest.mark.xdist_group("attacks")


def persisted(digest: object, version: object = 1, **body: object) -> dict[str, object]:
    return {"extensions": {"persistedQuery": {"version": version, "sha256Hash": digest}}, **body}


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def wide(text: str) -> str:
    """In digits and letters that Unicode's compatible forms take for those of ASCII."""
    return "".join(chr(ord(one) + 0xFEE0) for one in text)


def test_a_document_under_another_ones_hash_is_refused_and_not_kept(target: Target) -> None:
    good, evil = "{ __typename }", "{ headers }"
    assert target.codes(persisted(digest(good), query=evil)) == ["PERSISTED_QUERY_HASH_MISMATCH"]
    assert target.codes(persisted(digest(good))) == ["PERSISTED_QUERY_NOT_FOUND"]
    assert target.post(persisted(digest(good), query=good)).json() == {"data": {"__typename": "Query"}}
    assert target.post(persisted(digest(good))).json() == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize("name", ["", "x", "../../etc/passwd", "0" * 100_000, 7, None, ["a"], {"a": 1}, "__proto__"])
def test_a_hash_that_is_none_finds_nothing(target: Target, name: object) -> None:
    codes = target.codes(persisted(name))
    assert len(codes) == 1
    assert codes[0] in ("PERSISTED_QUERY_NOT_FOUND", "INVALID_REQUEST", "PERSISTED_QUERY_HASH_MISMATCH")


@pytest.mark.parametrize("change", [str.upper, wide, "{} ".format, "{}\n".format, "{}\0".format, "0x{}".format])
def test_a_hash_that_is_nearly_anothers_finds_nothing(target: Target, change: Callable[[str], str]) -> None:
    text = "query Nearly { __typename }"
    assert target.post(persisted(digest(text), query=text)).json() == {"data": {"__typename": "Query"}}
    for body in (persisted(change(digest(text))), persisted(change(digest(text)), query=text)):
        [code] = target.codes(body)
        assert code in ("PERSISTED_QUERY_NOT_FOUND", "INVALID_REQUEST", "PERSISTED_QUERY_HASH_MISMATCH")


def test_a_flood_of_documents_is_kept_within_its_room(target: Target) -> None:
    """Two hundred documents of 190 kB are 38 MB, and there is room for 10."""
    first = "{ __typename }"
    for number in range(200):
        text = f"# {number} {'x' * 190_000}\n{{ nothing }}"
        assert target.codes(persisted(digest(text), query=text)) == ["GRAPHQL_VALIDATION_FAILED"]
    assert target.post(persisted(digest(first), query=first)).json() == {"data": {"__typename": "Query"}}


def test_what_is_not_found_is_kept_by_no_cache(target: Target) -> None:
    response = target.post(persisted(digest("{ never }")))
    assert response.headers["cache-control"] == "no-store"
