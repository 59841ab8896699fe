"""Relay connections: ``{edges {cursor node} pageInfo}`` with opaque cursors and a hard maximum.

A cursor is the sort key of its node. A resolver does three things: ``page = read_page(first, after)``, one query for
``page.limit`` rows after ``page.after``, and ``connect(page, rows, node, key)``.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, TypeAlias, TypeVar

import orjson
import strawberry

from subgraphs.chassis.errors import CodedError

DEFAULT_PAGE = 20
MAXIMUM_PAGE = 100

T = TypeVar("T")
R = TypeVar("R")
SortKey = tuple[str | int, ...]
First: TypeAlias = Annotated[int, strawberry.argument(description=f"How many at most: 0 to {MAXIMUM_PAGE}.")]
After: TypeAlias = Annotated[
    str | None, strawberry.argument(description="The cursor of the node to go on behind; null for the first page.")
]


@strawberry.federation.type(shareable=True, description="Where a page lies in its list.")
class PageInfo:
    """Where a page lies in its list."""

    has_next_page: bool = strawberry.field(description="Whether there is more after this page.")
    has_previous_page: bool = strawberry.field(description="Whether there is something before it.")
    start_cursor: str | None = strawberry.field(description="The cursor of its first node; null for an empty page.")
    end_cursor: str | None = strawberry.field(description="The cursor of its last node; null for an empty page.")


@strawberry.federation.type(shareable=True, description="One node of a page, and where it stands.")
class Edge(Generic[T]):
    """One node of a page, and the cursor to go on after it."""

    cursor: str = strawberry.field(description="Where the node stands: give it as `after` to go on behind it.")
    node: T = strawberry.field(description="What the list is of.")


@strawberry.federation.type(shareable=True, description="One page of a list.")
class Connection(Generic[T]):
    """One page of a list."""

    edges: list[Edge[T]] = strawberry.field(description="The nodes in the order of the list.")
    page_info: PageInfo = strawberry.field(description="Whether there is more, and where to go on.")


@dataclass(frozen=True, slots=True)
class Page:
    """Which rows to read: ``limit`` (one more than the client wants, to know if there is more) after ``after``."""

    first: int
    after: SortKey | None

    @property
    def limit(self) -> int:
        """How many rows to ask the database for."""
        return self.first + 1


def read_page(first: int, after: str | None, shape: Sequence[type] = (str,)) -> Page:
    """The page that a client asks for; ``shape`` is the types of the sort key's parts.

    Raises CodedError PAGE_SIZE_NEGATIVE, PAGE_SIZE_TOO_LARGE or INVALID_CURSOR.
    """
    if first < 0:
        raise CodedError("PAGE_SIZE_NEGATIVE", f"first: {first} is negative.")
    if first > MAXIMUM_PAGE:
        raise CodedError("PAGE_SIZE_TOO_LARGE", f"first: {first} is more than the maximum of {MAXIMUM_PAGE}.")
    return Page(first, None if after is None else decode_cursor(after, shape))


def connect(page: Page, rows: Sequence[R], node: Callable[[R], T], key: Callable[[R], SortKey]) -> Connection[T]:
    """The connection for ``rows``, which are up to ``page.limit`` rows after ``page.after``."""
    edges = [Edge(cursor=encode_cursor(key(row)), node=node(row)) for row in rows[: page.first]]
    info = PageInfo(
        has_next_page=len(rows) > page.first,
        has_previous_page=page.after is not None,
        start_cursor=edges[0].cursor if edges else None,
        end_cursor=edges[-1].cursor if edges else None,
    )
    return Connection(edges=edges, page_info=info)


def encode_cursor(key: SortKey) -> str:
    """An opaque text for ``key``."""
    return base64.urlsafe_b64encode(orjson.dumps(key)).decode().rstrip("=")


def decode_cursor(cursor: str, shape: Sequence[type]) -> SortKey:
    """The sort key in ``cursor``; raises CodedError(INVALID_CURSOR) where its parts are not of ``shape``."""
    try:
        key = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error):
        key = None
    if not isinstance(key, list) or [type(part) for part in key] != list(shape):
        raise CodedError("INVALID_CURSOR", "after: this cursor is not one of this list; use a cursor of a page of it.")
    return tuple(key)
