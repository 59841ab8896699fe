"""Learn everything anew from the stream, while replicas serve and learn on.

The stream is replayed from its beginning into a store beside the one in use, which then takes its place. Orders that
were confirmed meanwhile are in the store that was dropped, so what the stream got since is replayed once more into the
one that is in place now. Learning an order twice is learning it once, so it does not matter who else learns it at the
same time, and after a crash the whole is simply done again.
"""

from __future__ import annotations

import structlog

from subgraphs.chassis.database.seeding import seeded_at
from subgraphs.chassis.errors import InvalidEvent
from subgraphs.chassis.events.bus import Bus
from subgraphs.chassis.service import Runtime
from subgraphs.chassis.settings import ServiceSettings
from subgraphs.recommendations.events import HANDLERS
from subgraphs.recommendations.seed import seed
from subgraphs.recommendations.service import Recommendations
from subgraphs.recommendations.store import MongoStore, store_beside

LOG = structlog.get_logger()


async def rebuild(runtime: Runtime[ServiceSettings], bus: Bus) -> int:
    """Replace all that was learned by what the stream tells, and the demo shop where it was put in; the events learned.

    Raises Unavailable, with everything as it was, where the bus does not answer.
    """
    async with store_beside(runtime.database) as (beside, put_in_place):
        fresh = Recommendations(beside, runtime.clock)
        demo_at = await seeded_at(runtime.database)
        if demo_at is not None:
            await seed(fresh, demo_at)
        position, count = await _learn(fresh, bus, after=0)
        await put_in_place()
    _, late = await _learn(Recommendations(MongoStore(runtime.database), runtime.clock), bus, after=position)
    return count + late


async def _learn(recommendations: Recommendations, bus: Bus, after: int) -> tuple[int, int]:
    """Handle the events behind ``after``; the position of the last one, and how many there were."""
    position, count = after, 0
    async for at, event in bus.replay(sorted(HANDLERS), after):
        position = at
        try:
            await HANDLERS[event.type](recommendations, event)
        except InvalidEvent as error:  # it is among the dead letters already
            LOG.warning("not_learned", event_id=event.id, reason=str(error))
        else:
            count += 1
    return position, count
