"""What a document may cost is measured before it is validated, with fragments inlined."""

from __future__ import annotations

import time

import pytest

from router.errors import OperationError
from router.operation.document import parse_document
from router.operation.limits import OperationLimits, check_limits


def refusal(text: str, **limits: int | bool) -> str:
    with pytest.raises(OperationError) as caught:
        check_limits(parse_document(text), OperationLimits(**limits))  # type: ignore[arg-type]
    return caught.value.message


@pytest.mark.parametrize(
    ("text", "limit", "what"),
    [
        ("{ a { b { c } } }", "max_depth", "levels of fields"),
        (
            "{ a { ...F } } fragment F on A { b { c } }",
            "max_depth",
            "levels of fields",
        ),
        ("{ a b c }", "max_root_fields", "fields of its root"),
        (
            "{ ...F c } fragment F on Q { a b }",
            "max_root_fields",
            "fields of its root",
        ),
        ("{ x: a y: a { z: b } }", "max_aliases", "aliases"),
        (
            "{ a { ...F ...F ...F } } fragment F on A { x: b }",
            "max_aliases",
            "aliases",
        ),
        ("query @d { a @d ... @d { b } }", "max_directives", "directives"),
        ("{ a { ... { ... { ... { b } } } } }", "max_fragments", "fragments"),
    ],
)
def test_each_limit_counts_with_fragments_inlined(text: str, limit: str, what: str) -> None:
    assert refusal(text, **{limit: 2}) == f"The operation has 3 {what}: 2 are allowed."
    check_limits(parse_document(text), OperationLimits(**{limit: 3}))  # type: ignore[arg-type]


def test_fragments_that_double_at_each_level_cost_one_reading() -> None:
    """Forty fragments, each of which spreads the next one twice: a million millions of aliases in 2 kB."""
    fragments = " ".join(f"fragment F{n} on A {{ ...F{n + 1} ...F{n + 1} }}" for n in range(40))
    started = time.process_time()
    message = refusal(f"{{ a {{ ...F0 }} }} {fragments} fragment F40 on A {{ x: b }}", max_aliases=100)
    assert time.process_time() - started < 1
    assert message == "The operation has more than 100 aliases: 100 are allowed."


def test_a_fragment_that_spreads_itself_is_left_to_validation() -> None:
    check_limits(parse_document("{ ...F } fragment F on Q { a ...F }"), OperationLimits(max_depth=1))


@pytest.mark.parametrize("value", ["1", '"x"', "[$v, 2]", "{a: {b: RED}}", "null", "true"])
def test_values_can_be_had_to_come_as_variables(value: str) -> None:
    message = refusal(f"query($v: Int) {{ a(b: {value}) }}", forbid_literals=True)
    assert message == "The arguments of 'a' hold a value: send values as variables."
    check_limits(parse_document("query($v: Int = 1) { a(b: [$v], c: {d: $v}) }"), OperationLimits(forbid_literals=True))
