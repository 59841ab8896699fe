"""A subgraph client that keeps answers: entities each by itself, root fetches as a whole.

Theory of operation. A query is taken apart (``parts.py``), and each part looked for in the store::

    part is                     served            and
    fresh                       from the store
    stale, within its window    from the store    asked for anew in the background, once for all who come
    being asked for             when it comes     where the answer to others may be the answer here
    none of these               when it comes     asked for, together with all others of the request that are missing

What comes without errors, and may be kept, is kept where it was asked for before, or always where the settings say so:
under a key for all where the subgraph says that it is public, else under one of who asks. An answer of which nothing is
kept, and for which nobody else waits, is passed on as it came. A mutation passes by; what was asked for before one is
answered, or before something is dropped, is shared with nobody who comes after it, and what the same subgraph was asked
for before a mutation is not kept.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from router.execution.answer import read_answer
from router.execution.errors import SUBGRAPH_TIMEOUT, SubgraphFailure
from router.execution.in_flight import Abandoned, InFlight
from router.execution.json_numbers import decode_exact, encode
from router.execution.subgraph_client import Headers, SubgraphClient, SubgraphRequest, SubgraphResponse
from router.server.caching.asked_before import AskedBefore
from router.server.caching.cache_control import CachePolicy
from router.server.caching.entry import EVERYTHING, Entry, EntryStore, entry_of, policy_of
from router.server.caching.fetch_shape import FetchShapes
from router.server.caching.kind import HIT, MISS, STALE, Kind
from router.server.caching.lifetime import Asker, Askers, Lifetimes
from router.server.caching.named_tags import named_tags
from router.server.caching.parts import PartedRequest, part
from router.server.caching.pieces import Assembly, Piece, errors_in_place, served, values_of
from router.server.caching.selected import GraphFacts
from router.server.caching.tags import subgraph_tag, surrogate_tag
from router.server.config.entity_cache import EntityCacheSettings

logger = logging.getLogger("galleria.router")

MAX_REFRESHES = 100
MAX_POLICIES = 256


@dataclass(frozen=True, slots=True)
class Landed:
    """What came for a part, and for whom it was asked."""

    piece: Piece
    asker: Asker


class CachingClient:
    """A SubgraphClient over ``inner``; ``counts`` is how many parts were found, by subgraph, type and outcome.

    ``clock`` gives seconds since 1970. The ``store`` outlives the client: closing gives up its connections alone.
    """

    def __init__(
        self,
        inner: SubgraphClient,
        store: EntryStore,
        facts: GraphFacts,
        settings: EntityCacheSettings,
        clock: Callable[[], float] = time.time,
        asked_before: AskedBefore | None = None,
    ) -> None:
        self.store = store
        self.facts = facts
        self.settings = settings
        self.drops = 0
        self.asked_before = asked_before
        self.counts = Counter[tuple[str, str, str]]()
        self._inner = inner
        self._clock = clock
        self._shapes = FetchShapes(facts)
        self._askers = Askers(settings.private_by)
        self._lifetimes = Lifetimes(settings, self._askers)
        # A subgraph says the same few things again and again.
        self._policy_of = lru_cache(maxsize=MAX_POLICIES)(self._policy_read)
        self._in_flight: InFlight[Landed | None] = InFlight()
        self._epoch = 0
        self._mutations = Counter[str]()
        self._refreshes: set[asyncio.Task[None]] = set()

    async def send(self, request: SubgraphRequest) -> SubgraphResponse:
        """As the protocol says; ``timeout_s`` covers waiting for the answers to others, too."""
        if not request.repeatable or request.files:
            try:
                return await self._inner.send(request)
            finally:
                self._epoch += 1
                self._mutations[request.subgraph] += 1
        parted = part(request, self._shapes, self._askers.of(request.headers))
        if parted is None:
            return await self._inner.send(request)
        now = self._clock()
        mark, entries = await self._look_up(parted, now)
        stale = self._count(parted, entries, now)
        there = [one for one in entries if one is not None]
        if there:
            parted.shape.note_found()
        if len(there) == len(entries) and not stale:
            return served(parted, there, now)
        assembly = Assembly(parted, mark, self._mutations[request.subgraph])
        if there:
            assembly.values = {index: one.value for index, one in enumerate(entries) if one is not None}
            assembly.policy = policy_of(there, now)
        if stale:
            self._refresh_soon(assembly, stale)
        missing = assembly.missing()
        if missing:
            await self._complete(assembly, missing, request.timeout_s)
        return assembly.response()

    async def drop(self, tags: Collection[str]) -> None:
        """Have no part any more that has one of ``tags``; what is asked for at this moment is not kept, nor shared."""
        self._epoch += 1
        self.drops += 1
        await self.store.drop(tags)

    async def close(self) -> None:
        """As the protocol says."""
        for task in self._refreshes:
            task.cancel()
        await asyncio.gather(*self._refreshes, return_exceptions=True)
        await self._inner.close()
        await self.store.close()

    async def _look_up(self, parted: PartedRequest, now: float) -> tuple[int, Sequence[Entry | None]]:
        """The store's mark, and what it has of each part: what is for who asks goes before what is for all."""
        if parted.for_one is None:
            return await self.store.read(parted.for_all, now)
        mark, found = await self.store.read([*parted.for_one, *parted.for_all], now)
        count = len(parted.for_one)
        return mark, [mine or everybodys for mine, everybodys in zip(found[:count], found[count:], strict=True)]

    def _count(self, parted: PartedRequest, entries: Sequence[Entry | None], now: float) -> list[int]:
        """Count what was found; the parts that are stale."""
        counts = self.counts
        stale: list[int] = []
        for index, (kind, entry) in enumerate(zip(parted.kinds, entries, strict=True)):
            outcome = MISS
            if entry is not None:
                outcome = HIT if now < entry.fresh_until else STALE
                if outcome is STALE:
                    stale.append(index)
            counts[kind.labels[outcome]] += 1
        return stale

    async def _complete(
        self, assembly: Assembly, missing: Sequence[int], timeout_s: float, *, may_follow: bool = True
    ) -> None:
        """Ask for what is missing, and wait for what others have asked for already."""
        asked = self._flight_keys(assembly.parted, missing)
        followed = {
            index: self._in_flight.follow(key) for index, key in asked.items() if may_follow and key in self._in_flight
        }
        if not followed:
            await self._ask(assembly, asked, self._begin(asked.values()), timeout_s)
            return
        asked = {index: key for index, key in asked.items() if index not in followed}
        deadline = asyncio.get_running_loop().time() + timeout_s
        try:
            if asked:
                await self._ask(assembly, asked, self._begin(asked.values()), timeout_s)
            abandoned, useless = await self._take(assembly, followed, deadline)
        finally:
            for waiter in followed.values():
                waiter.cancel()
        if abandoned:
            await self._complete(assembly, abandoned, _left_s(deadline))
        if useless:
            await self._complete(assembly, useless, _left_s(deadline), may_follow=False)

    async def _take(
        self, assembly: Assembly, followed: Mapping[int, asyncio.Future[Landed | None]], deadline: float
    ) -> tuple[list[int], list[int]]:
        """Take what came for others; the parts for which nothing came, and those for which nothing of use here did."""
        abandoned: list[int] = []
        useless: list[int] = []
        for index, waiter in followed.items():
            try:
                async with asyncio.timeout_at(deadline):
                    landed = await waiter
            except Abandoned:
                abandoned.append(index)
            except TimeoutError:
                assembly.fail([index], _late(assembly.parted.request))
            except SubgraphFailure as failure:
                if failure.code == SUBGRAPH_TIMEOUT:  # who asked may have had less time
                    useless.append(index)
                else:
                    assembly.fail([index], failure)
            else:
                if landed is not None and _may_have(assembly.parted.asker, landed):
                    assembly.values[index] = landed.piece.value
                    assembly.narrow(landed.piece.policy)
                else:
                    useless.append(index)
        return abandoned, useless

    async def _ask(
        self, assembly: Assembly, asked: Mapping[int, object], begun: Collection[object], timeout_s: float
    ) -> None:
        """Ask the subgraph for some parts, and tell whoever waits for the keys that have ``begun`` what came."""
        try:
            pieces = await self._fetch(assembly, asked, timeout_s)
        except SubgraphFailure as failure:
            assembly.fail(asked, failure)
            for key in begun:
                self._in_flight.fail(key, failure)
            return
        except BaseException:
            for key in begun:
                self._in_flight.fail(key, Abandoned())
            raise
        landed = {asked[index]: Landed(piece, assembly.parted.asker) for index, piece in pieces.items()}
        for key in begun:
            self._in_flight.land(key, landed.get(key))

    def _begin(self, keys: Iterable[object]) -> Collection[object]:
        """Those of ``keys`` that nobody asks for yet; others may wait for them from now on."""
        in_flight = self._in_flight
        begun: list[object] = []
        for key in keys:
            if key not in in_flight:
                in_flight.begin(key)
                begun.append(key)
        return begun

    async def _fetch(self, assembly: Assembly, asked: Mapping[int, object], timeout_s: float) -> Mapping[int, Piece]:
        """Ask, and take and keep what comes; the pieces that may be of use to others. SubgraphFailure."""
        parted, indexes = assembly.parted, list(asked)
        response = await self._inner.send(parted.asking(indexes, timeout_s))
        policies = self._policies(parted, indexes, response.headers)
        if 200 <= response.status < 300:
            parted.shape.note_answer(policies.values())
        wanted = self._wanted(assembly, asked, policies)
        is_whole = len(indexes) == len(parted.kinds)
        if is_whole and not wanted:
            assembly.pass_on(response, policies.values())
            return {}
        answer = read_answer(parted.request.subgraph, response, decode_exact)
        values = values_of(parted, indexes, answer)
        if is_whole:
            assembly.whole = response
        taken = wanted if is_whole else values
        assembly.values.update({index: encode(values[index]) for index in taken})
        if answer.errors:
            assembly.errors += errors_in_place(parted, indexes, answer.errors)
            return {}
        for policy in policies.values():
            assembly.narrow(policy)
        pieces = {index: Piece(assembly.values[index], policies[parted.kinds[index]]) for index in wanted}
        await self._keep(assembly, response, values, wanted, pieces)
        return pieces

    def _policies(self, parted: PartedRequest, indexes: Sequence[int], headers: Headers) -> Mapping[Kind, CachePolicy]:
        """What parts may be used for, by their kinds."""
        found: dict[Kind, CachePolicy] = {}
        for index in indexes:
            kind = parted.kinds[index]
            if kind not in found:
                found[kind] = self._policy_of(kind, headers, parted.asker.is_anonymous)
        return found

    def _policy_read(self, kind: Kind, headers: Headers, is_anonymous: bool) -> CachePolicy:
        return self._lifetimes.policy(headers, kind.hint, is_anonymous=is_anonymous)

    def _wanted(
        self, assembly: Assembly, asked: Mapping[int, object], policies: Mapping[Kind, CachePolicy]
    ) -> Mapping[int, bytes | None]:
        """The parts that are kept, by the keys that they are kept under, and those that somebody else waits for."""
        parted, before, in_flight = assembly.parted, self.asked_before, self._in_flight
        wanted: dict[int, bytes | None] = {}
        for index, flight in asked.items():
            key = _key(parted, index, policies[parted.kinds[index]])
            is_kept = key is not None and (before is None or before.note(key) or assembly.is_anew)
            if is_kept or in_flight.is_followed(flight):
                wanted[index] = key
        return wanted

    async def _keep(
        self,
        assembly: Assembly,
        response: SubgraphResponse,
        values: Mapping[int, Any],
        wanted: Mapping[int, bytes | None],
        pieces: Mapping[int, Piece],
    ) -> None:
        parted, now = assembly.parted, self._clock()
        names = named_tags(response, len(values))
        if names is None:
            return
        if assembly.mutations != self._mutations[parted.request.subgraph]:
            return  # It may be from before the change, and come after what others have asked for since.
        given = (EVERYTHING, subgraph_tag(parted.request.subgraph))
        entries: dict[bytes, Entry] = {}
        for (index, value), named in zip(values.items(), names, strict=True):
            key = wanted.get(index)
            if key is not None:
                tags = (*given, *map(surrogate_tag, named), *self._tags(parted, index, value))
                entries[key] = entry_of(*pieces[index], began=assembly.mark, now=now, tags=tags)
        if entries:
            await self.store.write(entries, now)

    def _tags(self, parted: PartedRequest, index: int, value: Any) -> Iterable[str]:
        field = parted.kinds[index].field
        if field is None:
            return parted.shape.root.tags(value, self.facts) | set(parted.shape.root_fields)
        return field.selected.entity_tags(parted.representations[index], value, self.facts)

    def _flight_keys(self, parted: PartedRequest, indexes: Iterable[int]) -> dict[int, object]:
        """What requests have in common of which one may wait for the answer to the other, by part."""
        everybody = b"" if parted.shape.is_shared else parted.asker.everything
        keys, epoch = parted.for_all, self._epoch
        return {index: (keys[index], everybody, epoch) for index in indexes}

    def _refresh_soon(self, assembly: Assembly, stale: Sequence[int]) -> None:
        """Ask anew for what is stale, unless that is under way, or too much is."""
        keys = self._flight_keys(assembly.parted, stale)
        asked = {index: key for index, key in keys.items() if key not in self._in_flight}
        if not asked or len(self._refreshes) >= MAX_REFRESHES:
            return
        refreshed = Assembly(assembly.parted, assembly.mark, assembly.mutations, is_anew=True)
        begun = self._begin(asked.values())
        work = self._ask(refreshed, asked, begun, assembly.parted.request.timeout_s)
        task = asyncio.get_running_loop().create_task(work)
        self._refreshes.add(task)
        task.add_done_callback(self._refreshed)

    def _refreshed(self, task: asyncio.Task[None]) -> None:
        self._refreshes.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logger.error("a stale entity could not be asked for anew", exc_info=task.exception())


def _key(parted: PartedRequest, index: int, policy: CachePolicy) -> bytes | None:
    """What a part is kept under; None where it is not kept."""
    if not policy.is_stored or policy.shared_max_age_s <= 0:
        return None
    if policy.is_public:
        return parted.for_all[index]
    if parted.for_one is None or (policy.is_private and not parted.asker.is_known):
        return None
    return parted.for_one[index]


def _may_have(asker: Asker, landed: Landed) -> bool:
    """Whether what was asked for in somebody's name may be given to ``asker``."""
    return _is_for_all(landed.piece.policy) or landed.asker == asker


def _is_for_all(policy: CachePolicy) -> bool:
    return policy.is_stored and policy.is_public


def _left_s(deadline: float) -> float:
    return max(deadline - asyncio.get_running_loop().time(), 0)


def _late(request: SubgraphRequest) -> SubgraphFailure:
    message = f"Subgraph '{request.subgraph}' did not answer within {request.timeout_s:.3g} seconds."
    return SubgraphFailure(SUBGRAPH_TIMEOUT, message)
