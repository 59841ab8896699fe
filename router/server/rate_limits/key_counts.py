"""What was counted of each key of one rule, in a sliding window, within a bound of memory.

Theory of operation. Time is cut into windows, at the same moments for all replicas (of the wall clock). Of each key the
count of this window and of the one before are kept. Half way into this window, half of the one before is still within
the last ``window_s``; so the count of the sliding window is taken to be ``current + previous * (1 - elapsed)``, which
is exact where what came before came evenly. Counts only grow within a window, so those of several replicas add up,
whenever and however often they are told.

A key is the digest of what it stands for: its length is bounded, and nobody's name or address is kept or told.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections import OrderedDict, defaultdict
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import NamedTuple

# Number of the window, count in it, and count in the window before.
Count = tuple[int, float, float]
Counts = Mapping[str, Count]


class Used(NamedTuple):
    """Of one key now: its counts in this window and the one before, and how much of this one has passed (0 to 1)."""

    current: float
    previous: float
    elapsed: float


class KeyCounts:
    """The counts of one rule. Beyond ``max_keys`` those are forgotten that were counted longest ago."""

    def __init__(self, window_s: float, max_keys: int) -> None:
        self.window_s = window_s
        self.max_keys = max_keys
        # The shards that others have not been told of yet; the first letter of a key is its shard.
        self.changed: set[str] = set()
        self._own: OrderedDict[str, Count] = OrderedDict()
        self._by_shard: defaultdict[str, set[str]] = defaultdict(set)
        self._others: defaultdict[str, dict[str, Counts]] = defaultdict(dict)

    def __len__(self) -> int:
        return len(self._own)

    def used(self, key: str, now: float) -> Used:
        """What is counted of ``key``, here and by others, at the time ``now``."""
        passed = now / self.window_s
        window = int(passed)
        current, previous = _at(self._own.get(key), window)
        if self._others and key[0] in self._others:
            for counts in self._others[key[0]].values():
                more, before = _at(counts.get(key), window)
                current += more
                previous += before
        return Used(current, previous, passed - window)

    def add(self, key: str, amount: float, now: float) -> None:
        """Count ``amount`` for ``key``."""
        window = int(now / self.window_s)
        current, previous = _at(self._own.get(key), window)
        self._keep(key, (window, current + amount, previous))

    def take(self, key: str, amount: float, limit: float, now: float) -> float | None:
        """Count ``amount`` for ``key`` if that is within ``limit``: 0 then, else what ``wait_s`` says.

        Most keys have counted something in this window here, and nothing elsewhere: those are looked up once.
        """
        count = self._own.get(key)
        passed = now / self.window_s
        window = int(passed)
        if count is None or count[0] != window or self._others:
            wait_s = self.wait_s(key, amount, limit, now)
            if wait_s == 0:
                self.add(key, amount, now)
            return wait_s
        _, current, previous = count
        current += amount
        if current + previous * (1 - (passed - window)) > limit:
            return self.wait_s(key, amount, limit, now)
        self._own[key] = window, current, previous
        self._own.move_to_end(key)
        self.changed.add(key[0])
        return 0.0

    def _keep(self, key: str, count: Count) -> None:
        own, shard = self._own, key[0]
        is_new = key not in own
        own[key] = count
        own.move_to_end(key)
        self.changed.add(shard)
        if is_new:
            self._by_shard[shard].add(key)
            while len(own) > self.max_keys:
                forgotten, _ = own.popitem(last=False)
                self._by_shard[forgotten[0]].discard(forgotten)

    def wait_s(self, key: str, amount: float, limit: float, now: float) -> float | None:
        """How long until ``amount`` more is within ``limit``: 0 where it is now, None where it never is."""
        left = limit - amount
        if left < 0:
            return None
        used = self.used(key, now)
        if used.current + used.previous * (1 - used.elapsed) <= left:
            return 0.0
        if used.current <= left:
            at = 1 - (left - used.current) / used.previous
            return (at - used.elapsed) * self.window_s
        # Not in this window any more; in the next one, what is counted in this one fades.
        return (1 - used.elapsed + max(1 - left / used.current, 0.0)) * self.window_s

    def tell_all(self) -> None:
        """Others are to be told of everything anew."""
        self.changed.update(self._by_shard)

    def told(self, shard: str, now: float) -> dict[str, Count]:
        """What others are to be told of a shard: the counts that still matter."""
        oldest = int(now / self.window_s) - 1
        counts = {key: self._own[key] for key in self._by_shard[shard]}
        return {key: count for key, count in counts.items() if count[0] >= oldest}

    def hear(self, replica: str, shard: str, counts: Counts) -> None:
        """Take in what a replica tells of a shard, in place of what it told before."""
        self._others[shard][replica] = counts

    def forget_old(self, now: float) -> None:
        """Forget replicas that have told nothing which still matters."""
        oldest = int(now / self.window_s) - 1
        for replicas in self._others.values():
            for replica in [name for name, counts in replicas.items() if not _matters(counts, oldest)]:
                del replicas[replica]

    def replicas(self) -> Iterator[str]:
        """The other replicas that were heard of, as often as they told something."""
        for replicas in self._others.values():
            yield from replicas


def digest(value: str) -> str:
    """The key that stands for ``value``: 22 letters, whatever its length."""
    return urlsafe_b64encode(blake2b(value.encode("utf-8", "surrogatepass"), digest_size=16).digest())[:22].decode()


def _at(count: Count | None, window: int) -> tuple[float, float]:
    """The counts of ``window`` and of the one before. A replica whose clock is ahead may be in the next one already."""
    if count is None or count[0] < window - 1:
        return 0.0, 0.0
    return (0.0, count[1]) if count[0] == window - 1 else (count[1], count[2])


def _matters(counts: Counts, oldest: int) -> bool:
    return any(count[0] >= oldest for count in counts.values())
