"""Null goes up to the nearest place that may be null, and is explained once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.response.projected import failed, project, projection_of

NAME = "Cannot return null for non-nullable field Maker.name."


@pytest.mark.parametrize(
    ("query", "data", "answer", "errors"),
    [
        ("{ maker { name } }", {"maker": {"name": None}}, {"maker": None}, [(("maker", "name"), NAME)]),
        ("{ maker { name } }", {"maker": {}}, {"maker": None}, [(("maker", "name"), NAME)]),
        ("{ makers { name } }", {"makers": [{"name": "A"}, {}]}, None, [(("makers", 1, "name"), NAME)]),
        (
            "{ makers { name } }",
            {"makers": [{"name": "A"}, None]},
            None,
            [(("makers", 1), "Cannot return null for non-nullable field Query.makers.")],
        ),
        ("{ makers { name } }", {}, None, [(("makers",), "Cannot return null for non-nullable field Query.makers.")]),
        (
            "{ media { ... on Book { maker { name } } } }",
            {"media": [{"__typename": "Book", "maker": {}}, {"__typename": "Film"}]},
            {"media": [None, {}]},
            [(("media", 0, "maker", "name"), NAME)],
        ),
        (
            "{ sure { ... on Book { maker { name } } } }",
            {"sure": [{"__typename": "Film"}, {"__typename": "Book", "maker": {}}]},
            {"sure": None},
            [(("sure", 1, "maker", "name"), NAME)],
        ),
        (
            "{ must { id } }",
            {"must": {"__typename": "Secret", "id": "1"}},
            None,
            [(("must",), "Expected Media from the subgraph, but found an object of another type than Media.")],
        ),
        (
            "{ grid { sure } }",
            {"grid": [[{"sure": 1}], [{"sure": "x"}]]},
            {"grid": [[{"sure": 1}], None]},
            [(("grid", 1, 0, "sure"), "Expected Int from the subgraph, but found a string.")],
        ),
    ],
)
def test_null_goes_up(query: str, data: dict[str, Any], answer: Any, errors: list[Any]) -> None:
    assert project(query, data) == (answer, errors)


def test_a_null_that_an_error_explains_gets_no_second_one() -> None:
    data = {"maker": {"name": None, "country": "UK"}}
    assert project("{ maker { country name } }", data, [failed("maker", "name")]) == (
        {"maker": None},
        [(("maker", "name"), "down")],
    )


def test_a_null_that_came_up_from_an_error_below_gets_no_second_one() -> None:
    """The subgraph's own schema let the null go further up than the error says."""
    assert project("{ makers { name } }", {"makers": None}, [failed("makers", 0, "name")]) == (
        None,
        [(("makers", 0, "name"), "down")],
    )


def test_what_no_one_answered_below_a_failed_place_is_told_there() -> None:
    """Two subgraphs bring parts of one object, and one of them fails: the object stands, its error moves to the gap."""
    data = {"maker": {"name": "A"}}
    assert project("{ maker { name country } }", data, [failed("maker")]) == (
        {"maker": {"name": "A", "country": None}},
        [(("maker", "country"), "down")],
    )


def test_a_null_that_a_subgraph_answered_is_no_gap() -> None:
    data = {"maker": {"name": "A", "country": None}}
    assert project("{ maker { name country } }", data, [failed("maker")]) == (data, [(("maker",), "down")])


@pytest.mark.parametrize(
    ("errors", "told"),
    [
        ([failed("maker", "_key")], [("maker",)]),
        ([failed("maker", "_key"), failed("maker", "country")], [("maker", "country")]),
        ([failed("_hidden", 0, "x")], [()]),
    ],
)
def test_keys_that_planning_added_are_in_no_path(errors: list[Any], told: list[tuple[str, ...]]) -> None:
    _, found = project("{ maker { country } }", {"maker": {"country": None}}, errors)
    assert [path for path, _ in found] == told


def test_keys_that_the_client_selects_of_other_types_are_in_no_path_below_a_null() -> None:
    """CollectFields passes over fragments on other types, so ``related`` is no response key of the book."""
    book = {"__typename": "Book", "maker": None, "related": [{"__typename": "Film", "id": None}]}
    film = {"__typename": "Film", "related": [{"__typename": "Film", "id": None}]}
    errors = [failed("sure", 0, "maker"), failed("sure", 0, "related", 0, "id"), failed("sure", 1, "related", 0, "id")]
    query = "{ sure { ... on Book { maker { name } } ... on Film { related { id } } } }"

    data, told = project(query, {"sure": [book, film]}, errors)

    assert data == {"sure": None}
    assert told == [(("sure", 0, "maker"), "down"), (("sure", 1, "related", 0, "id"), "down")]


def test_the_code_of_a_null_is_stable() -> None:
    result = projection_of("{ maker { name } }")({"maker": {}}, [], {})
    assert [error.extensions for error in result.errors] == [{"code": "NULL_IN_NON_NULLABLE_FIELD"}]
