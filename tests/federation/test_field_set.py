"""Field sets are parsed and printed."""

from __future__ import annotations

import pytest

from router.federation.field_set import FieldSetError, parse_field_set, print_field_set


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("id", "id"),
        ("{ id }", "id"),
        ("id  org{id}", "id org { id }"),
        ('size(unit: "cm", in: [1, RED])', 'size(unit: "cm", in: [1, RED])'),
        ("item { ... on Book { isbn } }", "item { ... on Book { isbn } }"),
    ],
)
def test_a_field_set_is_printed_on_one_line(text: str, printed: str) -> None:
    assert print_field_set(parse_field_set(text)) == printed


@pytest.mark.parametrize("text", ["", "id {", "} {", "...F", "a { " * 5000])
def test_what_is_no_field_set_is_refused(text: str) -> None:
    with pytest.raises(FieldSetError):
        parse_field_set(text)
