"""Events that no handler can take: listed with the reason, and delivered once more when asked."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime

import nats
import pytest

from subgraphs.chassis.events.nats_bus import DEAD_STREAM, STREAM
from tests.faults.books import nats_url, open_databases
from tests.faults.ordeal import Report
from tests.mall import Json, RunningMall, await_condition

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(600), pytest.mark.usefixtures("report")]
"""After the ordeal, whose audit wants no dead letters."""


def cloud_event(order_id: str, data: Json) -> Json:
    return {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": "/orders",
        "type": "order.confirmed",
        "subject": order_id,
        "time": datetime.now(UTC).isoformat(),
        "data": data,
    }


def publish(mall: RunningMall, subject: str, event: Json, headers: Mapping[str, str] | None = None) -> None:
    async def send() -> None:
        client = await nats.connect(nats_url(mall))
        stream = DEAD_STREAM if subject.startswith("mall-dead.") else STREAM
        body = json.dumps(event).encode()
        await client.jetstream().publish(subject, body, stream=stream, headers=dict(headers or {}))
        await client.close()

    asyncio.run(send())


def mall_events(mall: RunningMall, *command: str) -> list[str]:
    """The lines that ``mall events COMMAND`` prints beside the running mall."""
    run = [sys.executable, "-m", "stack", "run", "mall", "events", *command]
    result = subprocess.run(run, env=mall.environment, capture_output=True, text=True, check=True, timeout=60)
    return result.stdout.splitlines()


def dead_letters(mall: RunningMall, words: str = "") -> dict[str, list[str]]:
    """The dead letters whose line holds ``words``: number -> consumer, type, when, why."""
    rows = [line.split("\t") for line in mall_events(mall, "dead") if words in line]
    return {row[0]: row[1:] for row in rows}


def test_what_no_handler_can_take_is_listed_and_comes_again_on_demand(ill_fated_mall: RunningMall) -> None:
    event = cloud_event("ord_misprint", {"orderId": "ord_misprint"})
    publish(ill_fated_mall, "mall.order.confirmed", event)

    def buried() -> dict[str, list[str]] | None:
        letters = dead_letters(ill_fated_mall, event["id"])
        return letters if {row[0] for row in letters.values()} >= {"recommendations", "shipping"} else None

    first = await_condition(buried, what="a dead letter of each consumer that could not read the event")
    assert {row[1] for row in first.values()} == {"order.confirmed"}
    assert all(row[3].endswith("Field required") for row in first.values()), first

    said = mall_events(ill_fated_mall, "retry", *first)
    assert said == [f"{len(first)} events are on their way again"]
    second = await_condition(buried, what="the return of the letters, which are as unreadable as before")
    assert not set(first) & set(second)
    assert len(first) == len(second), "a revived letter went to other consumers than the one that failed"


def test_a_letter_whose_cause_is_mended_is_handled_when_it_is_retried(
    ill_fated_mall: RunningMall, report: Report
) -> None:
    """A sound event lies among the dead letters, as after the release that fixes its handler."""
    order_id = f"ord_{uuid.uuid4().hex}"
    product_id = report.books.tallies[0]["_id"]
    confirmed = {
        "orderId": order_id,
        "number": "G-2026-MENDED",
        "customerId": "cus_mended",
        "lines": [{"productId": product_id, "quantity": 1, "weightGrams": 100}],
        "confirmedAt": datetime.now(UTC).isoformat(),
    }
    event = cloud_event(order_id, confirmed)
    headers = {"Reason": f"TypeError: {event['id']}", "Buried-At": datetime.now(UTC).isoformat()}
    publish(ill_fated_mall, "mall-dead.recommendations.order.confirmed", event, headers)

    [number] = dead_letters(ill_fated_mall, event["id"])
    assert mall_events(ill_fated_mall, "retry", number) == ["1 events are on their way again"]
    await_condition(lambda: is_settled(ill_fated_mall, order_id), what="the basket of the revived event")
    assert not dead_letters(ill_fated_mall, event["id"])


def is_settled(mall: RunningMall, order_id: str) -> bool:
    with open_databases(mall) as clients:
        found = clients["recommendations"]["recommendations"]["baskets"].find_one({"_id": order_id, "settled": True})
    return found is not None
