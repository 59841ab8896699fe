"""Relay connections: pages, cursors, limits."""

from __future__ import annotations

import pytest

from subgraphs.chassis.errors import CodedError
from subgraphs.chassis.graphql.connection import Page, connect, decode_cursor, encode_cursor, read_page


def letters(page: Page, rows: str) -> tuple[list[str], bool, bool]:
    connection = connect(page, list(rows), str.upper, lambda row: (row,))
    info = connection.page_info
    return [edge.node for edge in connection.edges], info.has_next_page, info.has_previous_page


def test_a_page_has_a_next_one_if_there_is_one_row_more() -> None:
    assert letters(Page(2, None), "abc") == (["A", "B"], True, False)
    assert letters(Page(2, ("a",)), "bc") == (["B", "C"], False, True)


def test_an_empty_page_has_no_cursors() -> None:
    info = connect(Page(2, None), [], str, lambda row: (row,)).page_info
    assert (info.has_next_page, info.start_cursor, info.end_cursor) == (False, None, None)


def test_first_may_be_zero() -> None:
    assert letters(read_page(0, None), "a") == ([], True, False)


def test_a_cursor_leads_back_to_its_sort_key() -> None:
    key = ("Crème", 12)
    cursor = encode_cursor(key)
    assert decode_cursor(cursor, (str, int)) == key
    assert read_page(5, cursor, (str, int)) == Page(5, key)


@pytest.mark.parametrize("cursor", ["", "garbage", "%%%", encode_cursor((1,)), encode_cursor(("a", "b")), "eyJhIjoxfQ"])
def test_a_cursor_of_another_shape_is_refused(cursor: str) -> None:
    with pytest.raises(CodedError) as refusal:
        read_page(5, cursor)
    assert refusal.value.code == "INVALID_CURSOR"


@pytest.mark.parametrize(("first", "code"), [(101, "PAGE_SIZE_TOO_LARGE"), (-1, "PAGE_SIZE_NEGATIVE")])
def test_a_page_has_a_hard_maximum(first: int, code: str) -> None:
    with pytest.raises(CodedError) as refusal:
        read_page(first, None)
    assert refusal.value.code == code
