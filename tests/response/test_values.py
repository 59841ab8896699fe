"""Leaves are what their scalar says, or null with an error; custom scalars pass untouched."""

from __future__ import annotations

from typing import Any

import pytest

from router.execution.json_numbers import ExactNumber
from tests.response.projected import failed, project, projection_of


@pytest.mark.parametrize(
    ("field", "value", "answer"),
    [
        ("string", "x", "x"),
        ("string", 5, "5"),
        ("string", True, "true"),
        ("int", -(2**31), -(2**31)),
        ("int", 3.0, 3),
        ("float", 1, 1),
        ("float", 1.5, 1.5),
        ("boolean", False, False),
        ("id", "a", "a"),
        ("id", 12, "12"),
        ("color", "RED", "RED"),
        ("date", {"any": [1]}, {"any": [1]}),
        ("date", 0, 0),
        ("date", False, False),
    ],
)
def test_a_fitting_value_is_answered(field: str, value: Any, answer: Any) -> None:
    found, errors = project(f"{{ leaves {{ {field} }} }}", {"leaves": {field: value}})
    assert errors == []
    assert found == {"leaves": {field: answer}}
    assert type(found["leaves"][field]) is type(answer)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("string", {}, "Expected String from the subgraph, but found an object."),
        ("int", 2**31, "Expected Int from the subgraph, but found a number."),
        ("int", "5", "Expected Int from the subgraph, but found a string."),
        ("int", True, "Expected Int from the subgraph, but found a boolean."),
        ("int", 1.5, "Expected Int from the subgraph, but found a number."),
        ("int", ExactNumber("123456789012345678901"), "Expected Int from the subgraph, but found a number."),
        ("float", "1.5", "Expected Float from the subgraph, but found a string."),
        ("boolean", 1, "Expected Boolean from the subgraph, but found a number."),
        ("id", [], "Expected ID from the subgraph, but found a list."),
        ("color", "BLUE", "Expected a value of enum Color from the subgraph, but found a string."),
        ("color", [], "Expected a value of enum Color from the subgraph, but found a list."),
    ],
)
def test_another_value_is_null_with_an_error(field: str, value: Any, message: str) -> None:
    found, errors = project(f"{{ leaves {{ {field} }} }}", {"leaves": {field: value}})
    assert found == {"leaves": {field: None}}
    assert errors == [(("leaves", field), message)]


@pytest.mark.parametrize(
    ("query", "data", "answer", "path", "message"),
    [
        (
            "{ maker { country } }",
            {"maker": "A"},
            {"maker": None},
            ("maker",),
            "Expected an object from the subgraph, but found a string.",
        ),
        (
            "{ maker { country } }",
            {"maker": []},
            {"maker": None},
            ("maker",),
            "Expected an object from the subgraph, but found a list.",
        ),
        (
            "{ media { id } }",
            {"media": {}},
            {"media": None},
            ("media",),
            "Expected a list from the subgraph, but found an object.",
        ),
        (
            "{ media { id } }",
            {"media": [5]},
            {"media": [None]},
            ("media", 0),
            "Expected an object from the subgraph, but found a number.",
        ),
        (
            "{ grid { int } }",
            {"grid": [[], 5]},
            {"grid": [[], None]},
            ("grid", 1),
            "Expected a list from the subgraph, but found a number.",
        ),
        (
            "{ media { id } }",
            {"media": [{"__typename": "Toy", "id": "1"}]},
            {"media": [None]},
            ("media", 0),
            "Expected Media from the subgraph, but found an object of another type than Media.",
        ),
        (
            "{ media { id } }",
            {"media": [{"id": "1"}]},
            {"media": [None]},
            ("media", 0),
            "Expected Media from the subgraph, but found an object without __typename.",
        ),
        (
            "{ media { id } }",
            {"media": [{"__typename": [], "id": "1"}]},
            {"media": [None]},
            ("media", 0),
            "Expected Media from the subgraph, but found an object without __typename.",
        ),
    ],
)
def test_a_wrong_shape_is_null_with_an_error(
    query: str, data: dict[str, Any], answer: dict[str, Any], path: tuple[str | int, ...], message: str
) -> None:
    assert project(query, data) == (answer, [(path, message)])


def test_errors_of_values_have_a_code() -> None:
    result = projection_of("{ leaves { int } }")({"leaves": {"int": "x"}}, [], {})
    assert [error.extensions for error in result.errors] == [{"code": "SUBGRAPH_INVALID_RESPONSE"}]


def test_errors_of_execution_stand_before_those_of_values() -> None:
    _, errors = project("{ maker { country } leaves { int } }", {"leaves": {"int": "x"}}, [failed("maker")])
    assert [path for path, _ in errors] == [("maker",), ("leaves", "int")]
