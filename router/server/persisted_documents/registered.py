"""Documents that clients have registered by hash (automatic persisted queries), in memory, up to a size."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

# What an entry takes beside its text: hash, both strings' heads, and its place in the dictionary.
ENTRY_BYTES = 400


class RegisteredDocuments:
    """The least recently used are forgotten beyond ``max_bytes``, whoever registered them.

    ``on_registered`` is told of each that a client has registered newly, where somebody wants to know.
    """

    def __init__(self, max_bytes: int) -> None:
        self.on_registered: Callable[[str, str], None] | None = None
        self.max_bytes = max_bytes
        self._texts: OrderedDict[str, tuple[str, int]] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._texts)

    def get(self, hash_: str) -> str | None:
        """The document with this SHA-256, if it is remembered."""
        found = self._texts.get(hash_)
        if found is None:
            return None
        self._texts.move_to_end(hash_)
        return found[0]

    def add(self, hash_: str, text: str) -> None:
        """Remember what a client has registered by its SHA-256, which the caller has checked."""
        if self.get(hash_) is None:
            self.remember(hash_, text)
            if self.on_registered is not None:
                self.on_registered(hash_, text)

    def remember(self, hash_: str, text: str) -> None:
        """Remember ``text`` by its SHA-256, which the caller has checked."""
        if hash_ in self._texts:
            return
        # Four bytes for each character: as much as Python takes for the widest.
        size = ENTRY_BYTES + (len(text) if text.isascii() else 4 * len(text))
        if size > self.max_bytes:
            return
        self._texts[hash_] = text, size
        self._bytes += size
        while self._bytes > self.max_bytes:
            _, (_, forgotten) = self._texts.popitem(last=False)
            self._bytes -= forgotten
