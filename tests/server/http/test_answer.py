"""Results as bytes."""

from __future__ import annotations

import pytest

from router.execution.json_numbers import ExactNumber
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


def test_an_answer_that_is_too_deep_to_write_is_refused() -> None:
    deep: list[object] = []
    for _ in range(300):
        deep = [deep]
    with pytest.raises(RequestError) as caught:
        result_answer(ProjectedResult({"a": deep}, []))
    assert caught.value.code == "RESPONSE_TOO_DEEP"
