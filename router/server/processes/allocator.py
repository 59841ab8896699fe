"""How the C library keeps memory, so that what an attack took is given back when it ends.

glibc learns from large blocks that are freed: it takes the next ones of that size, up to 32 MB, from its heap, where
one small block behind them keeps all of it resident. Few requests need such blocks, but attacks do: bodies that never
end, documents of hundreds of kilobytes. So the bound stays where it is, and what is above it goes back to the system.
"""

from __future__ import annotations

import ctypes

# More than a socket gives at once, so that ordinary requests take no page from the system.
LARGE_BLOCK_BYTES = 256 * 1024
# From glibc's malloc.h.
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8


def give_large_blocks_back() -> None:
    """Give blocks of LARGE_BLOCK_BYTES and more back when they are freed, in threads too; nothing without glibc."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return
    mallopt(_M_MMAP_THRESHOLD, LARGE_BLOCK_BYTES)
    # Threads compile, one or two at once, and hold the interpreter's lock: heaps of their own would serve nothing.
    mallopt(_M_ARENA_MAX, 1)


def give_free_pages_back() -> None:
    """Give back what is free between blocks that stay; takes some milliseconds, and does nothing without glibc."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
