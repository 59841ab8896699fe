"""Bodies that are no requests, or try to be two things at once."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from tests.security.attacks.target import Target

pytestmark = pytest.mark.xdist_group("attacks")

JSON = {"content-type": "application/json"}
SEARCH = b'{"query":"query ($f: Filter!) { search(filter: $f) }","variables":{"f":%b}}'
NUMBER = b'{"query":"query ($f: Int!) { products(first: $f) { id } }","variables":{"f":%b}}'
OK = b'{"query":"{ headers }"}'
ATTACKS: dict[str, tuple[dict[str, Any], str]] = {
    "ten thousand nested lists": ({"content": SEARCH % (b"[" * 10_000 + b"]" * 10_000)}, "INVALID_JSON"),
    "lists without end": ({"content": SEARCH % (b"[" * 400_000)}, "REQUEST_TOO_LARGE"),
    "nested as deep as JSON may be": ({"content": SEARCH % (b"[" * 1000 + b"]" * 1000)}, "BAD_USER_INPUT"),
    "nested input objects": (
        {"content": SEARCH % (b'{"every":[' * 400 + b'{"price":1}' + b"]}" * 400)},
        "BAD_USER_INPUT",
    ),
    "values without number": ({"content": SEARCH % (b'{"sizes":[' + b"1," * 400_000 + b"1]}")}, "REQUEST_TOO_LARGE"),
    "empty lists without number": ({"content": SEARCH % (b"[" + b"[]," * 300_000 + b"[]]")}, "REQUEST_TOO_LARGE"),
    "an integer of a million digits": ({"content": NUMBER % (b"9" * 900_000)}, "INVALID_JSON"),
    "a number beyond all": ({"content": NUMBER % b"1e9999999"}, "INVALID_JSON"),
    "not a number": ({"content": NUMBER % b"NaN"}, "INVALID_JSON"),
    "wrong values without number": (
        {"content": SEARCH % (b'{"sizes":[' + b'"x",' * 40_000 + b"1]}")},
        "BAD_USER_INPUT",
    ),
    "text that is no UTF-8": ({"content": b'{"query":"{ headers }\xff"}'}, "INVALID_JSON"),
    "UTF-16": ({"content": OK.decode().encode("utf-16")}, "INVALID_JSON"),
    "half of a character": (
        {"content": b'{"query":"query ($t: String!) { echo(text: $t) }","variables":{"t":"\\ud800"}}'},
        "INVALID_JSON",
    ),
    "a body of five megabytes": ({"content": b'{"query":"' + b" " * 5_000_000 + b'"}'}, "REQUEST_TOO_LARGE"),
    "nothing": ({"content": b""}, "INVALID_JSON"),
    "compressed, where that is not taken": (
        {"content": gzip.compress(b"x" * 5_000_000), "headers": {**JSON, "content-encoding": "gzip"}},
        "INVALID_JSON",
    ),
    "a form": (
        {"content": b"query={headers}", "headers": {"content-type": "application/x-www-form-urlencoded"}},
        "UNSUPPORTED_MEDIA_TYPE",
    ),
    "plain text": ({"content": OK, "headers": {"content-type": "text/plain"}}, "UNSUPPORTED_MEDIA_TYPE"),
    "no type": ({"content": OK, "headers": {}}, "UNSUPPORTED_MEDIA_TYPE"),
    "a type that names JSON behind another": (
        {"content": OK, "headers": {"content-type": "text/plain; application/json"}},
        "UNSUPPORTED_MEDIA_TYPE",
    ),
    "two types in one": (
        {"content": OK, "headers": {"content-type": "text/plain, application/json"}},
        "UNSUPPORTED_MEDIA_TYPE",
    ),
    "another charset": (
        {"content": OK, "headers": {"content-type": "application/json; charset=utf-7"}},
        "UNSUPPORTED_MEDIA_TYPE",
    ),
}  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_body_that_is_no_request_is_refused(target: Target, attack: str) -> None:
    request, code = ATTACKS[attack]
    asked = target.asked()
    assert set(target.codes(**{"headers": JSON, **request})) == {code}
    assert target.asked() <= asked + target.others_asked


def test_names_that_mean_something_elsewhere_mean_nothing_here(target: Target) -> None:
    body = b'{"query":"{ __typename }","__proto__":{"query":"{ headers }"},"variables":{"__class__":1,"prototype":{}}}'
    assert target.post(content=body, headers=JSON).json() == {"data": {"__typename": "Query"}}


def test_of_two_documents_in_one_body_the_last_counts_and_is_held_to_the_rules(target: Target) -> None:
    body = b'{"query":"{ headers }","query":"{ __schema { types { name } } }"}'
    assert target.codes(content=body, headers=JSON) == ["INTROSPECTION_DISABLED"]


def test_a_null_byte_in_a_value_is_a_character_of_it(target: Target) -> None:
    body = {"query": "query ($t: String!) { echo(text: $t) }", "variables": {"t": "a\0b"}}
    assert target.post(body).json() == {"data": {"echo": "a\0b"}}
