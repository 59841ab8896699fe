"""JSON in and out without loss of numbers: integers beyond 64 bits and decimals beyond a double stay as written.

Only custom scalars can hold such numbers (Int is 32 bits, Float a double, by the GraphQL specification), and they pass
through the router untouched. ``decode_exact(b'{"big": 123456789012345678901}')`` holds an :class:`ExactNumber` that
``encode`` writes as the same digits.
"""

from __future__ import annotations

import json
from typing import Any

import orjson

from router.execution.uploads import UploadedFile

_LONGEST_SAFE_DIGITS = 15
_DIGITS_OF_64_BITS = 18
_ALL_DIGITS_ZERO = bytes.maketrans(b"123456789", b"000000000")
_LONG_RUN = b"0" * (_LONGEST_SAFE_DIGITS + 1)


class ExactNumber(float):
    """A JSON number with the text it came in; to arithmetic it is the nearest double."""

    text: str

    def __new__(cls, text: str) -> ExactNumber:
        """The number that ``text`` writes."""
        number = super().__new__(cls, text)
        number.text = text
        return number


def decode(body: bytes) -> Any:
    """The JSON value of ``body``; numbers beyond a double lose digits. Raises ValueError."""
    return orjson.loads(body)


def decode_exact(body: bytes) -> Any:
    """The JSON value of ``body``, numbers that a double or 64 bits cannot hold as ExactNumber. Raises ValueError."""
    if _LONG_RUN not in body.translate(_ALL_DIGITS_ZERO, b"."):
        return orjson.loads(body)
    # What is JSON is decided by one decoder: Python's takes lone surrogates and UTF-16 too, which nothing can encode.
    orjson.loads(body)
    try:
        return json.loads(body, parse_int=_exact_integer, parse_float=_exact_decimal, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def encode(value: object) -> bytes:
    """``value`` as JSON, an UploadedFile as null. Raises TypeError for what is not JSON."""
    return orjson.dumps(value, default=_write_exact)


def encode_sorted(value: object) -> bytes:
    """As encode, with the members of objects by name: equal values are equal bytes."""
    return orjson.dumps(value, default=_write_exact, option=orjson.OPT_SORT_KEYS)


def _exact_integer(text: str) -> int | ExactNumber:
    return int(text) if len(text) <= _DIGITS_OF_64_BITS else ExactNumber(text)


def _exact_decimal(text: str) -> float:
    number = float(text)
    return number if repr(number) == text else ExactNumber(text)


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _write_exact(value: object) -> orjson.Fragment:
    if isinstance(value, ExactNumber):
        return orjson.Fragment(value.text.encode())
    if isinstance(value, UploadedFile):
        return orjson.Fragment(b"null")
    raise TypeError(f"{type(value).__name__} is not JSON")
