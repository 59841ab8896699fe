"""Documents that ask for too much: each is refused before any subgraph is asked, and holds nobody else up."""

from __future__ import annotations

import pytest

from tests.security.attacks.target import Target

pytestmark = pytest.mark.xdist_group("attacks")

DEEP = "{ products { " + "related { " * 60 + "id" + " }" * 60 + " } }"
REPEATED = "{ products { " + "related { related { id } } " * 1600 + "} }"
NAMES = range(3000)
TWICE = " fragment F{0} on Product {{ related {{ ...F{1} }} r: related {{ ...F{1} }} }}"
DOUBLING = "".join(TWICE.format(n, n + 1) for n in range(40))
CHAINED = "".join(f" fragment F{n} on Product {{ ...F{n + 1} ...F{n + 1} }}" for n in range(600))
SPREAD = "{ products { ...F0 } }"
ATTACKS = {
    "depth": (DEEP, "OPERATION_TOO_LARGE"),
    "depth beyond the parser's": ("{ products " + "{ related " * 3000, "GRAPHQL_PARSE_FAILED"),
    "breadth": ("{ " + "headers " * 14_000 + "}", "OPERATION_TOO_LARGE"),
    "one field again and again": (REPEATED, "OPERATION_TOO_LARGE"),
    "aliases": ("{ " + " ".join(f"a{n}: headers" for n in NAMES) + " }", "OPERATION_TOO_LARGE"),
    "aliases of a login": (
        "mutation { " + " ".join(f'a{n}: login(name: "ada", password: "{n}")' for n in range(101)) + " }",
        "OPERATION_TOO_LARGE",
    ),
    "fragments in a circle": (
        "{ products { ...A } } fragment A on Product { related { ...B } } fragment B on Product { related { ...A } }",
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "a fragment of itself": ("{ products { ...A } } fragment A on Product { ...A }", "GRAPHQL_VALIDATION_FAILED"),
    "fragments that double": (SPREAD + DOUBLING + " fragment F40 on Product { id }", "OPERATION_TOO_LARGE"),
    "fragments without number": (SPREAD + CHAINED + " fragment F600 on Product { id }", "OPERATION_TOO_LARGE"),
    "directives": ("{ headers " + "@include(if: true) " * 2000 + "}", "OPERATION_TOO_LARGE"),
    "directives that do not exist": ("{ headers " + "@x " * 6000 + "}", "OPERATION_TOO_LARGE"),
    "tokens": ("{ " + "a: b " * 8000 + "}", "GRAPHQL_PARSE_FAILED"),
    "comments": ("#\n" * 20_000 + "{ headers }", "GRAPHQL_PARSE_FAILED"),
    "nested lists": ("{ search(filter: { every: " + "[" * 5000 + "]" * 5000 + " }) }", "GRAPHQL_PARSE_FAILED"),
    "nested objects": ("{ search(filter: " + "{ every: [" * 3000 + "] }" * 3000 + ") }", "GRAPHQL_PARSE_FAILED"),
    "a nested type": ("query ($a: " + "[" * 5000 + "Int" + "]" * 5000 + ") { headers }", "GRAPHQL_PARSE_FAILED"),
    "variables that nobody reads": (
        "query (" + " ".join(f"$a{n}: Int" for n in NAMES) + ") { headers }",
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "wrong fields": ("{ products { " + " ".join(f"no{n}" for n in NAMES) + " } }", "GRAPHQL_VALIDATION_FAILED"),
    "a huge integer": ("{ products(first: " + "9" * 900_000 + ") { id } }", "GRAPHQL_VALIDATION_FAILED"),
    "an endless string": ('{ echo(text: "' + "x" * 900_000 + " }", "GRAPHQL_PARSE_FAILED"),
    "a null byte": ("{ headers\0 }", "GRAPHQL_PARSE_FAILED"),
    "half of a character": ('{ echo(text: "\\ud800") }', "GRAPHQL_PARSE_FAILED"),
    "operations without number and none chosen": (
        " ".join(f"query Q{n} {{ headers }}" for n in range(2500)),
        "OPERATION_RESOLUTION_FAILURE",
    ),
}  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_document_that_asks_for_too_much_is_refused(target: Target, attack: str) -> None:
    text, code = ATTACKS[attack]
    asked = target.asked()
    codes = target.codes({"query": text})
    assert set(codes) == {code}
    assert len(codes) <= 101
    assert target.asked() <= asked + target.others_asked


def test_a_batch_is_held_to_its_number_and_each_member_to_the_limits(target: Target) -> None:
    assert target.codes([{"query": "{ headers }"}] * 11) == ["BATCH_SIZE"]
    assert target.codes([]) == ["BATCH_SIZE"]
    text, code = ATTACKS["one field again and again"]
    members = target.post([{"query": text.replace("products", f"a{n}: products")} for n in range(10)]).json()
    assert [member["errors"][0]["extensions"]["code"] for member in members] == [code] * 10


def test_a_nested_batch_is_none(target: Target) -> None:
    assert target.codes([[{"query": "{ headers }"}]]) == ["INVALID_REQUEST"]


def test_a_flood_of_different_operations_is_not_remembered_beyond_its_room(target: Target) -> None:
    """Two hundred operations of a thousand fields each, and of long texts, would be 200 MB if all were kept."""
    fields = " ".join(f"a{n}: related {{ id name related {{ id name related {{ name }} }} }}" for n in range(90))
    for number in range(60):
        response = target.post({"query": f"query Q{number} {{ p{number}: products(first: 1) {{ {fields} }} }}"})
        assert response.json().keys() == {"data"}
    for number in range(150):
        response = target.post({"query": f"# {number} {'x' * 190_000}\n{{ headers }}"})
        assert response.json().keys() == {"data"}


def test_a_flood_of_long_texts_with_literals_is_kept_once(target: Target) -> None:
    """What is compiled is the text without its literals, so that each of these is there in two forms."""
    for number in range(150):
        response = target.post({"query": f"# {number} {'x' * 190_000}\n{{ products(first: 1) {{ id }} }}"})
        assert response.json() == {"data": {"products": [{"id": "0"}]}}
