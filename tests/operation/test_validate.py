"""Comparing the fields of a document with each other is work that is bounded."""

from __future__ import annotations

import time

import pytest
from graphql import build_schema

from router.errors import OperationError
from router.operation.document import parse_document
from router.operation.validate import validate_document

SCHEMA = build_schema("type Query { a: Query b(n: Int): Int }")


def refusal(text: str) -> OperationError:
    with pytest.raises(OperationError) as caught:
        validate_document(SCHEMA, parse_document(text), hide_suggestions=True)
    return caught.value


def test_a_field_named_a_thousand_times_is_refused_in_bounded_time() -> None:
    began = time.process_time()
    error = refusal("{ " + "a { a { b } } " * 1000 + "}")
    assert time.process_time() - began < 5
    message = "The operation names the same fields and fragments too often: name each once where it can be."
    assert (error.code, error.message) == ("OPERATION_TOO_LARGE", message)


def test_a_field_named_a_hundred_times_is_valid() -> None:
    validate_document(SCHEMA, parse_document("{ " + "a { b } " * 100 + "}"), hide_suggestions=True)


def test_fields_that_cannot_be_merged_are_still_found() -> None:
    error = refusal("{ x: b x: __typename }")
    assert (error.code, error.message.split(" because")[0]) == ("GRAPHQL_VALIDATION_FAILED", "Fields 'x' conflict")


def test_more_errors_than_are_told_are_no_bound_of_work() -> None:
    error = refusal("{ " + " ".join(f"no{number}" for number in range(200)) + " }")
    assert (error.code, len(error.errors)) == ("GRAPHQL_VALIDATION_FAILED", 101)


def test_a_number_that_python_cannot_read_is_told_without_its_words() -> None:
    assert refusal("{ b(n: " + "9" * 5000 + ") }").message == "Expected value of type 'Int'."
