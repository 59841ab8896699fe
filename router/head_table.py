"""The heads of HTTP messages that were parsed before, found by their bytes: what a parser finds follows from these."""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

from router.generations import Generations, UsedOnce

END_OF_HEAD = b"\r\n\r\n"


class ParsedHead(Protocol):
    """What was found in a head: ``body_bytes`` is the length of the body behind it, which the head tells."""

    @property
    def body_bytes(self) -> int:
        """The length of the body behind it."""


Head = TypeVar("Head", bound=ParsedHead)


class HeadTable(Generic[Head]):
    """Heads that came twice of late: at most ``max_heads``, and ``max_bytes`` by their weights."""

    def __init__(self, max_heads: int, max_bytes: int) -> None:
        self._heads: Generations[bytes, Head] = Generations(max_heads, max_bytes)
        self._once = UsedOnce(max_heads)

    def __len__(self) -> int:
        return len(self._heads)

    def find(self, data: bytes) -> Head | None:
        """The head of the one message that ``data`` is; None where it is not known, or there is less or more."""
        end = data.find(END_OF_HEAD) + len(END_OF_HEAD)
        known = self._heads.get(data[:end])
        return known if known is not None and len(data) - end == known.body_bytes else None

    def came_before(self, head: bytes) -> bool:
        """Whether these bytes were asked about once before; they are noted for the next time otherwise."""
        return self._once.note(head)

    def keep(self, head: bytes, found: Head, weight: int) -> None:
        """Keep what was ``found`` in a head that is not known."""
        self._heads.put(head, found, weight)
