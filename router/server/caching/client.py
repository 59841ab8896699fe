"""A subgraph client that keeps answers: entities each by itself, root fetches as a whole.

Theory of operation. A query is taken apart (``parts.py``), and each part looked for in the store::

    part is                     served            and
    fresh                       from the store
    stale, within its window    from the store    asked for anew in the background, once for all who come
    being asked for             when it comes     where the answer to others may be the answer here
    none of these               when it comes     asked for, together with all others of the request that are missing

What comes without errors, and may be kept, is kept: under a key for all where the subgraph says that it is public, else
under one of who asks. A mutation passes by; what was asked for before one is answered, or before something is dropped,
is shared with nobody who comes after it, and what the same subgraph was asked for before a mutation is not kept.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from router.execution.answer import SubgraphAnswer, read_answer
from router.execution.errors import SUBGRAPH_TIMEOUT, SubgraphFailure
from router.execution.in_flight import Abandoned, InFlight
from router.execution.json_numbers import decode_exact, encode
from router.execution.subgraph_client import Headers, SubgraphClient, SubgraphRequest, SubgraphResponse
from router.server.caching.cache_control import NO_STORE, CachePolicy
from router.server.caching.entry import EVERYTHING, Entry, EntryStore
from router.server.caching.fetch_shape import FetchShapes
from router.server.caching.lifetime import Asker, Askers, Lifetimes
from router.server.caching.named_tags import named_tags
from router.server.caching.parts import Part, PartedRequest, part
from router.server.caching.pieces import Assembly, Piece, errors_in_place, served, values_of
from router.server.caching.selected import GraphFacts, Hint
from router.server.caching.tags import subgraph_tag, surrogate_tag
from router.server.config.entity_cache import EntityCacheSettings

logger = logging.getLogger("galleria.router")

MAX_REFRESHES = 100
HIT, STALE, MISS = "hit", "stale", "miss"
# In place of a type's name that the supergraph does not have: a subgraph must not choose the metrics' labels.
OTHER = "other"


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
    ) -> None:
        self.store = store
        self.facts = facts
        self.settings = settings
        self.drops = 0
        self._types = facts.graph.merged.keys()
        self.counts = Counter[tuple[str, str, str]]()
        self._inner = inner
        self._clock = clock
        self._shapes = FetchShapes(facts)
        self._askers = Askers(settings.private_by)
        self._lifetimes = Lifetimes(settings, self._askers)
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
        if len(there) == len(entries) and not stale:
            return served(parted, there, now)
        pieces = {index: Piece(one.value, one.policy(now)) for index, one in enumerate(entries) if one is not None}
        assembly = Assembly(parted, mark, self._mutations[request.subgraph], pieces)
        if stale:
            self._refresh_soon(assembly, stale)
        missing = assembly.missing()
        if missing:
            await self._complete(assembly, missing, asyncio.get_running_loop().time() + request.timeout_s)
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
        for_all = [one.for_all for one in parted.parts]
        own = [one.for_one for one in parted.parts if one.for_one is not None]
        if not own:
            return await self.store.read(for_all, now)
        mark, found = await self.store.read(own + for_all, now)
        return mark, [mine or everybodys for mine, everybodys in zip(found[: len(own)], found[len(own) :], strict=True)]

    def _count(self, parted: PartedRequest, entries: Sequence[Entry | None], now: float) -> list[int]:
        """Count what was found; the parts that are stale."""
        counts, subgraph = self.counts, parted.request.subgraph
        stale: list[int] = []
        for index, (one, entry) in enumerate(zip(parted.parts, entries, strict=True)):
            outcome = MISS
            if entry is not None:
                outcome = HIT if now < entry.fresh_until else STALE
                if outcome is STALE:
                    stale.append(index)
            counts[subgraph, one.type_name if one.type_name in self._types else OTHER, outcome] += 1
        return stale

    async def _complete(
        self, assembly: Assembly, missing: Sequence[int], deadline: float, *, may_follow: bool = True
    ) -> None:
        """Ask for what is missing, and wait for what others have asked for already."""
        keys = {index: self._flight_key(assembly.parted, index) for index in missing}
        followed = {
            index: self._in_flight.follow(key) for index, key in keys.items() if may_follow and key in self._in_flight
        }
        asked = {index: key for index, key in keys.items() if index not in followed}
        try:
            if asked:
                await self._ask(assembly, asked, self._begin(asked.values()), deadline)
            if not followed:
                return
            abandoned, useless = await self._take(assembly, followed, deadline)
        finally:
            for waiter in followed.values():
                waiter.cancel()
        if abandoned:
            await self._complete(assembly, abandoned, deadline)
        if useless:
            await self._complete(assembly, useless, deadline, may_follow=False)

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
                    assembly.pieces[index] = landed.piece
                else:
                    useless.append(index)
        return abandoned, useless

    async def _ask(
        self, assembly: Assembly, asked: Mapping[int, object], begun: Collection[object], deadline: float
    ) -> None:
        """Ask the subgraph for some parts, and tell whoever waits for the keys that have ``begun`` what came."""
        try:
            pieces = await self._fetch(assembly, list(asked), deadline)
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
        begun = {key for key in keys if key not in self._in_flight}
        for key in begun:
            self._in_flight.begin(key)
        return begun

    async def _fetch(self, assembly: Assembly, indexes: Sequence[int], deadline: float) -> Mapping[int, Piece]:
        """Ask, and take and keep what comes; the pieces that may be of use to others. SubgraphFailure."""
        parted = assembly.parted
        left_s = max(deadline - asyncio.get_running_loop().time(), 0)
        body = parted.body_of([parted.parts[index] for index in indexes])
        subgraph, _, headers, repeatable, _, files = parted.request
        response = await self._inner.send(SubgraphRequest(subgraph, body, headers, repeatable, left_s, files))
        answer = read_answer(subgraph, response, decode_exact)
        values = values_of(parted, indexes, answer)
        if len(indexes) == len(parted.parts):
            assembly.whole = response
        assembly.errors += errors_in_place(parted, indexes, answer.errors)
        policies = self._policies(parted, indexes, answer, response.headers)
        pieces = {
            index: Piece(encode(value), policy) for (index, value), policy in zip(values.items(), policies, strict=True)
        }
        assembly.pieces.update(pieces)
        if answer.errors:
            return {}
        parted.shape.is_shared = all(_is_for_all(piece.policy) for piece in pieces.values())
        await self._keep(assembly, values, pieces, response)
        return pieces

    def _policies(
        self, parted: PartedRequest, indexes: Sequence[int], answer: SubgraphAnswer, headers: Headers
    ) -> Sequence[CachePolicy]:
        """What each part may be used for: those of one type in one field for the same."""
        if answer.errors:
            return [NO_STORE] * len(indexes)
        parts = [parted.parts[index] for index in indexes]
        alike = {(one.type_name, one.field and one.field.alias): one for one in parts}
        found = {key: self._lifetimes.policy(headers, _hint(parted, one), parted.asker) for key, one in alike.items()}
        return [found[one.type_name, one.field and one.field.alias] for one in parts]

    async def _keep(
        self, assembly: Assembly, values: Mapping[int, Any], pieces: Mapping[int, Piece], response: SubgraphResponse
    ) -> None:
        parted, now = assembly.parted, self._clock()
        names = named_tags(response, len(pieces))
        if names is None:
            return
        if assembly.mutations != self._mutations[parted.request.subgraph]:
            return  # It may be from before the change, and come after what others have asked for since.
        given = (EVERYTHING, subgraph_tag(parted.request.subgraph))
        entries: dict[bytes, Entry] = {}
        for (index, piece), named in zip(pieces.items(), names, strict=True):
            policy, one = piece.policy, parted.parts[index]
            key = _key(one, policy, parted.asker)
            if key is None:
                continue
            fresh_until = now + policy.shared_max_age_s
            entries[key] = Entry(
                value=piece.value,
                began=assembly.mark,
                fresh_until=fresh_until,
                stale_until=fresh_until + policy.stale_s,
                kept_until=now + policy.max_age_s,
                is_private=policy.is_private,
                is_public=policy.is_public,
                tags=(*given, *map(surrogate_tag, named), *self._tags(parted, one, values[index])),
            )
        if entries:
            await self.store.write(entries, now)

    def _tags(self, parted: PartedRequest, one: Part, value: Any) -> Iterable[str]:
        if one.field is None or one.representation is None:
            return parted.shape.root.tags(value, self.facts) | set(parted.shape.root_fields)
        return one.field.selected.entity_tags(one.representation, value, self.facts)

    def _flight_key(self, parted: PartedRequest, index: int) -> object:
        """What requests have in common of which one may wait for the answer to the other."""
        everybody = b"" if parted.shape.is_shared else parted.asker.everything
        return parted.parts[index].for_all, everybody, self._epoch

    def _refresh_soon(self, assembly: Assembly, stale: Sequence[int]) -> None:
        """Ask anew for what is stale, unless that is under way, or too much is."""
        keys = {index: self._flight_key(assembly.parted, index) for index in stale}
        asked = {index: key for index, key in keys.items() if key not in self._in_flight}
        if not asked or len(self._refreshes) >= MAX_REFRESHES:
            return
        loop = asyncio.get_running_loop()
        refreshed = Assembly(assembly.parted, assembly.mark, assembly.mutations)
        deadline = loop.time() + assembly.parted.request.timeout_s
        task = loop.create_task(self._ask(refreshed, asked, self._begin(asked.values()), deadline))
        self._refreshes.add(task)
        task.add_done_callback(self._refreshed)

    def _refreshed(self, task: asyncio.Task[None]) -> None:
        self._refreshes.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logger.error("a stale entity could not be asked for anew", exc_info=task.exception())


def _hint(parted: PartedRequest, one: Part) -> Hint:
    if one.field is None:
        return parted.shape.root_hint
    return parted.shape.reader.entity_hint(one.type_name, one.field.selected)


def _key(one: Part, policy: CachePolicy, asker: Asker) -> bytes | None:
    """What a part is kept under; None where it is not kept."""
    if not policy.is_stored or policy.shared_max_age_s <= 0 or (policy.is_private and not asker.is_known):
        return None
    return one.for_all if policy.is_public else one.for_one


def _may_have(asker: Asker, landed: Landed) -> bool:
    """Whether what was asked for in somebody's name may be given to ``asker``."""
    return _is_for_all(landed.piece.policy) or landed.asker == asker


def _is_for_all(policy: CachePolicy) -> bool:
    return policy.is_stored and policy.is_public


def _late(request: SubgraphRequest) -> SubgraphFailure:
    message = f"Subgraph '{request.subgraph}' did not answer within {request.timeout_s:.3g} seconds."
    return SubgraphFailure(SUBGRAPH_TIMEOUT, message)
