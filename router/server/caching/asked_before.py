"""Which keys were asked for before: what is asked for once in a long while need not be kept.

Theory of operation. A table has a place for each key by its hash, and holds the hash of the key that was there last.
Who finds another one there comes first, and takes the place. So what was noted is forgotten after about as many other
keys as there are places, and nothing grows. Two keys of one hash, and a place that was taken away, cost a fetch, no
more.

The idea is the first stage of TinyLFU (Einziger, Friedman, Manes: "TinyLFU: A Highly Efficient Cache Admission Policy",
ACM Transactions on Storage 13, 2017), and the second-hit rule of content delivery networks (Maggs, Sitaraman:
"Algorithmic Nuggets in Content Delivery", ACM SIGCOMM Computer Communication Review 45, 2015).
"""

from __future__ import annotations

from array import array

MOST_PLACES = 2**20


class AskedBefore:
    """Remembers at least the last ``keys`` that were asked for, roughly, in eight bytes for each place."""

    def __init__(self, keys: int) -> None:
        places = min(1 << (2 * keys - 1).bit_length(), MOST_PLACES)
        self._hashes = array("q", [0]) * places
        self._mask = places - 1

    def note(self, key: bytes) -> bool:
        """Whether ``key`` was asked for before; it was from now on."""
        # Of Python's own, which is made anew for each process, so that nobody can choose who takes whose place.
        hashed = hash(key)
        place = hashed & self._mask
        if self._hashes[place] == hashed:
            return True
        self._hashes[place] = hashed
        return False
