"""Files without number, files for places that are none, and forms that any page could send."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from tests.security.attacks.target import Target

pytestmark = pytest.mark.xdist_group("attacks")

STORE = "mutation ($file: Upload!) { store(file: $file) }"
PREFLIGHT = {"apollo-require-preflight": "1"}


def upload(
    target: Target,
    places: object,
    files: dict[str, bytes],
    variables: object = None,
    headers: dict[str, str] | None = None,
) -> dict[str, Any]:
    operations = {"query": STORE, "variables": {"file": None} if variables is None else variables}
    form = {"operations": json.dumps(operations), "map": json.dumps(places)}
    named = {name: (f"{name}.bin", content) for name, content in files.items()}
    response = target.post(data=form, files=named, headers=PREFLIGHT if headers is None else headers)
    answer: dict[str, Any] = response.json()
    return answer


def codes(answer: dict[str, Any]) -> list[str]:
    return [error["extensions"]["code"] for error in answer["errors"]]


def test_a_file_is_stored(target: Target) -> None:
    assert upload(target, {"0": ["variables.file"]}, {"0": b"x" * 100}) == {"data": {"store": 100}}


def test_a_form_without_a_header_that_needs_a_preflight_is_refused(target: Target) -> None:
    assert codes(upload(target, {"0": ["variables.file"]}, {"0": b"x"}, headers={})) == ["PREFLIGHT_REQUIRED"]


@pytest.mark.parametrize(
    "places",
    [
        {"0": ["variables.__proto__.polluted"]},
        {"0": ["variables.constructor.prototype.x"]},
        {"0": ["variables.__class__.__init__"]},
        {"0": ["variables.file.x.y.z"]},
        {"0": ["variables.nothing"]},
        {"0": ["variables"]},
        {"0": ["query"]},
        {"0": ["extensions.x"]},
        {"0": ["operationName"]},
        {"0": ["0.variables.file"]},
        {"0": ["variables.file." + "0." * 10_000]},
        {"0": ["variables.file", "variables.file"]},
        {"0": [7]},
        {"0": "variables.file"},
        {"1": ["variables.file"]},
        {"operations": ["variables.file"]},
        [],
        7,
        None,
    ],
    ids=str,
)
def test_a_file_for_a_place_that_is_none_is_refused(target: Target, places: object) -> None:
    assert codes(upload(target, places, {"0": b"x"})) == ["INVALID_REQUEST"]


def test_a_thousand_files_are_refused(target: Target) -> None:
    files = {str(number): b"x" for number in range(1000)}
    assert codes(upload(target, {"0": ["variables.file"]}, files)) == ["INVALID_REQUEST"]


def test_one_file_in_ten_thousand_places_is_refused(target: Target) -> None:
    variables = {"file": [None] * 60_000}
    places = {"0": [f"variables.file.{number}" for number in range(60_000)]}
    assert codes(upload(target, places, {"0": b"x"}, variables)) == ["INVALID_REQUEST"]


def test_a_file_that_is_too_large_is_refused(target: Target) -> None:
    assert codes(upload(target, {"0": ["variables.file"]}, {"0": b"x" * 10_000_001})) == ["REQUEST_TOO_LARGE"]


def test_a_file_that_would_grow_is_passed_on_as_it_is(target: Target) -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    assert upload(target, {"0": ["variables.file"]}, {"0": bomb}) == {"data": {"store": len(bomb)}}


@pytest.mark.parametrize(
    "content",
    [
        b"--x",
        b"--x\r\n\r\n\r\n--x--\r\n",
        b"--x\r\nContent-Disposition: form-data; name=operations\r\n\r\n{\r\n--x--\r\n",
        b"--x\r\n" + b"X-A: b\r\n" * 5000 + b"\r\n\r\n--x--\r\n",
        b'--x\r\nContent-Disposition: form-data; name="operations"\r\n\r\n' + b"[" * 500_000 + b"\r\n--x--\r\n",
        b'--x\r\nContent-Disposition: form-data; name="operations"\r\n\r\n' + b"x" * 2_000_000 + b"\r\n--x--\r\n",
        b'--x\r\nContent-Disposition: form-data; name="../../a"; filename="../../../etc/passwd"\r\n\r\nx\r\n--x--\r\n',
    ],
    ids=["cut off", "empty", "no JSON", "headers without number", "nested", "a large field", "a path"],
)
def test_a_form_that_is_none_is_refused(target: Target, content: bytes) -> None:
    headers = {**PREFLIGHT, "content-type": "multipart/form-data; boundary=x"}
    response = target.post(content=content, headers=headers)
    assert response.status_code in (400, 413)
