"""Results as bytes."""

from __future__ import annotations

import pytest

from router.execution.json_numbers import ExactNumber, decode_exact, encode
from router.field_error import FieldError
from router.response.projection import ProjectedResult
from router.server.http.answer import result_answer
from router.server.request_error import RequestError


def test_errors_stand_before_data() -> None:
    error = FieldError(("a", 0), "down", {"code": "X"})
    answer = result_answer(ProjectedResult({"a": [None]}, [error]))
    expected = b'{"errors":[{"message":"down","path":["a",0],"extensions":{"code":"X"}}],"data":{"a":[null]}}'
    assert (answer.status, answer.body) == (200, expected)


def test_big_numbers_keep_their_digits() -> None:
    answer = result_answer(ProjectedResult({"n": ExactNumber("12345678901234567890123")}, []))
    assert answer.body == b'{"data":{"n":12345678901234567890123}}'


@pytest.mark.parametrize("number", ["8.000000000000001", "9007199254740993", "1.7976931348623157e-310"])
def test_a_number_that_a_double_cannot_hold_passes_as_it_was_written(number: str) -> None:
    """Sixteen digits are the fewest of which a double may lose some."""
    text = b'{"n":%b}' % number.encode()
    assert encode(decode_exact(text)) == text


def test_an_answer_that_is_too_deep_to_write_is_refused() -> None:
    deep: list[object] = []
    for _ in range(300):
        deep = [deep]
    with pytest.raises(RequestError) as caught:
        result_answer(ProjectedResult({"a": deep}, []))
    assert caught.value.code == "RESPONSE_TOO_DEEP"
