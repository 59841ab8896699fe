r"""Reading ``text/event-stream`` (HTML standard, section 9.2.6) as its bytes come in.

``EventStreamReader(1000).feed(b"event: next\ndata: {}\n\n")`` gives ``[(b"next", b"{}")]``.
"""

from __future__ import annotations


class EventStreamError(Exception):
    """An event is larger than the limit."""


class EventStreamReader:
    """Takes chunks that end anywhere; holds at most ``max_bytes`` of an event that is not complete."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        # Of a line that is not complete: to it is added without copying what is there.
        self._rest = bytearray()
        self._kind = b""
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> list[tuple[bytes, bytes]]:
        """The events that ``chunk`` completes: kind (``message`` where none is named) and data. EventStreamError."""
        has_ends = b"\n" in chunk or b"\r" in chunk or self._rest.endswith(b"\r")
        self._rest += chunk
        lines = self._take_lines() if has_ends else []
        if len(self._rest) + self._size > self._max_bytes:
            raise EventStreamError
        return [event for line in lines if (event := self._take(line)) is not None]

    def _take_lines(self) -> list[bytes]:
        """The complete lines of what came, which is no longer held then."""
        text = bytes(self._rest)
        # A CR at the end may be the first half of a CRLF, whose other half is still to come.
        held = b"\r" if text.endswith(b"\r") else b""
        lines = text.removesuffix(held).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self._rest = bytearray(lines.pop() + held)
        return lines

    def _take(self, line: bytes) -> tuple[bytes, bytes] | None:
        if not line:
            return self._complete()
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"event":
            self._kind = value
        elif name == b"data":
            self._data.append(value)
            self._size += len(value) + 1  # Lines without content are held too.
            if self._size > self._max_bytes:
                raise EventStreamError
        return None

    def _complete(self) -> tuple[bytes, bytes] | None:
        """An event without data is none by the standard; ``complete`` of graphql-sse may come without all the same."""
        kind, data = self._kind or b"message", b"\n".join(self._data)
        is_event = bool(self._data) or kind == b"complete"
        self._kind, self._data, self._size = b"", [], 0
        return (kind, data) if is_event else None
