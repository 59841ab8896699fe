"""The answer is the client's selection, in the client's order, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.response.projected import project

BOOK = {"__typename": "Book", "id": "1", "title": "Emma", "pages": 9, "_key": "x"}
FILM = {"__typename": "Film", "id": "2", "title": "Jaws", "minutes": 99}


@pytest.mark.parametrize(
    ("query", "data", "answer"),
    [
        (
            "{ maker { name } }",
            {"maker": {"name": "A", "_id": 1, "__typename": "Maker"}, "_x": 1},
            {"maker": {"name": "A"}},
        ),
        ("{ m: maker { n: name c: country } }", {"m": {"c": "UK", "n": "A"}}, {"m": {"n": "A", "c": "UK"}}),
        ("{ maker { country } }", {"maker": {}}, {"maker": {"country": None}}),
        ("{ maker { country } }", {"maker": None}, {"maker": None}),
        ("{ maker { country } }", {}, {"maker": None}),
        (
            "{ a: __typename maker { t: __typename __typename } }",
            {"maker": {}},
            {"a": "Query", "maker": {"t": "Maker", "__typename": "Maker"}},
        ),
        (
            "{ media { __typename id } }",
            {"media": [BOOK, FILM]},
            {"media": [{"__typename": "Book", "id": "1"}, {"__typename": "Film", "id": "2"}]},
        ),
        (
            "{ media { ... on Book { pages } title ... on Film { minutes title } } }",
            {"media": [BOOK, FILM, None]},
            {"media": [{"pages": 9, "title": "Emma"}, {"title": "Jaws", "minutes": 99}, None]},
        ),
        ("{ media { ... on Film { minutes } } }", {"media": [BOOK]}, {"media": [{}]}),
        ("{ things { ... on Media { ... on Book { pages } } } }", {"things": [BOOK]}, {"things": [{"pages": 9}]}),
        (
            "{ things { ... on Media { title ... on Media { id } } ... on Maker { name } } }",
            {"things": [BOOK, {"__typename": "Maker", "name": "A"}]},
            {"things": [{"title": "Emma", "id": "1"}, {"name": "A"}]},
        ),
        ("{ grid { int } }", {"grid": [[{"int": 1}], None, []]}, {"grid": [[{"int": 1}], None, []]}),
        (
            "{ media { related { id ... on Book { related { title } } } } }",
            {"media": [{"__typename": "Book", "related": [{**BOOK, "related": [FILM]}, FILM]}]},
            {"media": [{"related": [{"id": "1", "related": [{"title": "Jaws"}]}, {"id": "2"}]}]},
        ),
    ],
)
def test_exactly_what_is_selected(query: str, data: dict[str, Any], answer: dict[str, Any]) -> None:
    found, errors = project(query, data)
    assert json.dumps(found) == json.dumps(answer)
    assert errors == []


@pytest.mark.parametrize(
    ("query", "variables", "answer"),
    [
        (
            "query($v: Boolean!) { maker { name @include(if: $v) country } }",
            {"v": True},
            {"name": "A", "country": "UK"},
        ),
        ("query($v: Boolean!) { maker { name @include(if: $v) country } }", {"v": False}, {"country": "UK"}),
        ("query($v: Boolean!) { maker { name @skip(if: $v) country } }", {"v": False}, {"name": "A", "country": "UK"}),
        ("query($v: Boolean!) { maker { ... @include(if: $v) { name } country } }", {"v": False}, {"country": "UK"}),
        (
            "query($v: Boolean!) { maker { name @include(if: $v) country name } }",
            {"v": False},
            {"country": "UK", "name": "A"},
        ),
        (
            "query($v: Boolean!) { maker { name @include(if: $v) country name } }",
            {"v": True},
            {"name": "A", "country": "UK"},
        ),
        (
            "query($v: Boolean! $w: Boolean!) { maker { ... @include(if: $v) { name @skip(if: $w) } } }",
            {"v": True, "w": True},
            {},
        ),
    ],
)
def test_conditions_choose_fields_and_their_order(
    query: str, variables: dict[str, bool], answer: dict[str, str]
) -> None:
    found, errors = project(query, {"maker": {"name": "A", "country": "UK"}}, variables=variables)
    assert json.dumps(found) == json.dumps({"maker": answer})
    assert errors == []


@pytest.mark.parametrize(
    ("v", "answer"), [(True, {"maker": {"name": "A", "country": "UK"}}), (False, {"maker": {"country": "UK"}})]
)
def test_what_is_selected_twice_merges_below_with_the_condition_of_each(v: bool, answer: dict[str, Any]) -> None:
    query = "query($v: Boolean!) { maker @include(if: $v) { name } maker { country } }"
    found, _ = project(query, {"maker": {"name": "A", "country": "UK"}}, variables={"v": v})
    assert json.dumps(found) == json.dumps(answer)


def test_a_selection_under_every_type_of_a_wide_interface_does_not_multiply() -> None:
    """Twenty levels of two types each: compiled for the types that data has, not for 2**20 paths."""
    level = "id"
    for _ in range(20):
        level = f"id related {{ ... on Book {{ {level} }} ... on Film {{ id }} }}"
    found, errors = project(f"{{ media {{ {level} }} }}", {"media": [{"__typename": "Book", "id": "1", "related": []}]})
    assert (found, errors) == ({"media": [{"id": "1", "related": []}]}, [])
