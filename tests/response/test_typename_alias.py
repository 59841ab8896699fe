"""A client may give the name ``__typename`` to another field: the answer has it, in values and in paths of errors."""

from __future__ import annotations

from graphql import build_schema, parse

from router.field_error import FieldError
from router.operation import build_operation
from tests.response.projected import project


def test_field_that_is_called_typename_is_answered_under_that_name() -> None:
    query = "{ media { __typename: title id } __typename: maker { __typename: name } }"
    data = {
        "media": [{"__typename": "Book", "_typename": "Emma", "id": "1"}],
        "_typename": {"_typename": "Knopf"},
    }

    answer = {"media": [{"__typename": "Emma", "id": "1"}], "__typename": {"__typename": "Knopf"}}
    assert project(query, data) == (answer, [])


def test_value_of_a_custom_scalar_keeps_its_keys() -> None:
    data = {"leaves": {"_typename": 1, "date": {"_typename": "x"}}}

    answer = {"leaves": {"__typename": 1, "date": {"_typename": "x"}}}
    assert project("{ leaves { __typename: int date } }", data) == (answer, [])


def test_error_has_the_path_of_the_client() -> None:
    errors = [FieldError(("_typename", "_typename"), "lost")]

    data, told = project("{ __typename: maker { __typename: country } }", {"_typename": {}}, errors)

    assert (data, told) == ({"__typename": {"__typename": None}}, [(("__typename", "__typename"), "lost")])


def test_stand_in_is_no_name_of_the_client() -> None:
    data = {"maker": {"_typename": "A", "_typename_": "B"}}

    query = "{ maker { _typename: name __typename: country } }"
    assert project(query, data) == ({"maker": {"_typename": "A", "__typename": "B"}}, [])


def test_nothing_is_deferred_in_such_an_operation() -> None:
    schema = build_schema(
        """directive @defer(if: Boolean! = true) on INLINE_FRAGMENT
        type Query { maker: Maker } type Maker { name: String country: String }"""
    )
    document = parse("{ maker { __typename: name ... @defer { country } } }")

    assert build_operation(schema, document).deferral_variables is None
