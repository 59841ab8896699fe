"""The load: shoppers who place orders of all kinds, and do not give up before they have an answer.

A shopper repeats a request, under the same idempotency key, until the mall has answered it: whatever was acknowledged
is then known here, and nothing else may be found in the databases.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from random import Random

import httpx

from tests.mall import Json, RunningMall

OPERATIONS = Path(__file__).parent.parent / "contract" / "operations"
PLACE_ORDER = (OPERATIONS / "place-order.graphql").read_text()
CANCEL_ORDER = (OPERATIONS / "cancel-order.graphql").read_text()
READ_ORDER = "query ($id: ID!) { order(id: $id) { status shipments { id status } } }"
DISPATCH = """
mutation ($id: ID!, $key: String!) {
  dispatchShipment(shipmentId: $id, idempotencyKey: $key) { shipment { id status } userErrors { code } }
}
"""
ADDRESS = {"name": "Ada Lovelace", "line1": "12 St James's Square", "city": "Berlin", "postalCode": "10115"}
COUNTRIES = ("DE", "FR", "GB", "US")
RETURN_ORDER = """
mutation ($id: ID!, $key: String!) {
  returnOrder(orderId: $id, reason: "scenario RETURNED", idempotencyKey: $key) { return { id } userErrors { code } }
}
"""
PATIENCE_S = 300.0
ASK_AGAIN_S = 0.7


class Scenario(Enum):
    """How a shopper goes about an order: the payment token, and what is done afterwards."""

    APPROVED = "tok_approved"
    SLOW = "tok_slow"
    DECLINED = "tok_declined_insufficient_funds"
    UNREACHABLE = "tok_unreachable"
    GIVEN_UP = "tok_unreachable, cancelled"
    CANCELLED_AT_ONCE = "tok_approved, cancelled at once"
    CANCELLED_LATER = "tok_approved, cancelled when confirmed"
    DISPATCHED = "tok_approved, dispatched when booked"
    RETURNED = "tok_approved, dispatched when booked, returned when delivered"

    @property
    def token(self) -> str:
        """The token that pays."""
        return self.value.partition(",")[0]


WEIGHTS = {
    Scenario.APPROVED: 4,
    Scenario.SLOW: 2,
    Scenario.DECLINED: 2,
    Scenario.UNREACHABLE: 1,
    Scenario.GIVEN_UP: 1,
    Scenario.CANCELLED_AT_ONCE: 2,
    Scenario.CANCELLED_LATER: 2,
    Scenario.DISPATCHED: 3,
    Scenario.RETURNED: 2,
}


@dataclass(frozen=True, slots=True)
class Plan:
    """An order that will be placed: quantities by product id, and what becomes of it."""

    key: str
    scenario: Scenario
    country: str
    quantities: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Placed:
    """An order that the mall acknowledged."""

    plan: Plan
    order_id: str


def plans(seed: int, products: list[str]) -> Iterator[Plan]:
    """Orders without end, as ``seed`` says. One in eight goes for the first product of the list."""
    dice = Random(seed)  # noqa: S311 - repeatable on purpose
    number = 0
    while True:
        number += 1
        [scenario] = dice.choices(list(WEIGHTS), list(WEIGHTS.values()))
        chosen = dice.sample(products, dice.randint(1, 3))
        if dice.random() < 1 / 8 and products[0] not in chosen:
            chosen[0] = products[0]
        lines = tuple((product, dice.randint(1, 3)) for product in chosen)
        yield Plan(f"faults-{seed}-{number}", scenario, dice.choice(COUNTRIES), lines)


class Load:
    """``shoppers`` who work through ``plans`` side by side, and pause for ``pause_s`` after each order."""

    def __init__(self, mall: RunningMall, plans: Iterator[Plan], shoppers: int, pause_s: float = 0.5) -> None:
        self._mall = mall
        self._plans = plans
        self._pause_s = pause_s
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._deadline = math.inf  # as long as processes are killed, nobody knows when an answer is due
        for role in ("customer", "staff"):
            mall.token(role)  # now, while everything works
        self._pool = ThreadPoolExecutor(shoppers, "shopper")
        self._shoppers: list[Future[list[Placed]]] = [self._pool.submit(self._shop) for _ in range(shoppers)]

    def finish(self) -> list[Placed]:
        """All orders that were placed, when every shopper has finished or given up the one at hand."""
        self._deadline = time.monotonic() + PATIENCE_S
        self._closing.set()
        with self._pool:
            return [placed for shopper in self._shoppers for placed in shopper.result()]

    def _shop(self) -> list[Placed]:
        placed = []
        while not self._closing.is_set():
            with self._lock:
                plan = next(self._plans)
            placed.append(self._follow(plan))
            self._closing.wait(self._pause_s)
        return placed

    def _follow(self, plan: Plan) -> Placed:
        placed = Placed(plan, self._place(plan))
        match plan.scenario:
            case Scenario.CANCELLED_AT_ONCE | Scenario.GIVEN_UP:
                self._cancel(placed)
            case Scenario.CANCELLED_LATER:
                self._await(placed, lambda order: order["status"] != "PENDING")
                self._cancel(placed)
            case Scenario.DISPATCHED:
                self._await(placed, self._send)
            case Scenario.RETURNED:
                order = self._await(placed, self._send)
                if order["status"] == "DELIVERED":
                    self._return(placed)
        return placed

    def _place(self, plan: Plan) -> str:
        wanted = {
            "lines": [{"productId": product, "quantity": quantity} for product, quantity in plan.quantities],
            "shippingAddress": {**ADDRESS, "countryCode": plan.country},
            "paymentMethod": {"token": plan.scenario.token},
            "idempotencyKey": plan.key,
        }
        payload = self._insist(PLACE_ORDER, "customer", input=wanted)["placeOrder"]
        assert payload["order"], f"{plan} was refused: {payload['userErrors']}"
        return str(payload["order"]["id"])

    def _cancel(self, placed: Placed) -> None:
        reason = f"scenario {placed.plan.scenario.name}"
        payload = self._insist(CANCEL_ORDER, "customer", id=placed.order_id, reason=reason)["cancelOrder"]
        codes = {error["code"] for error in payload["userErrors"]}  # the shop may have cancelled it before
        assert codes <= {"ORDER_ALREADY_CANCELLED"}, f"{placed} was not cancelled: {payload['userErrors']}"

    def _return(self, placed: Placed) -> None:
        payload = self._insist(RETURN_ORDER, "customer", id=placed.order_id, key=placed.plan.key)["returnOrder"]
        assert payload["return"], f"{placed} cannot be returned: {payload['userErrors']}"
        self._await(placed, lambda order: self._send(order) and order["status"] == "RETURNED")

    def _send(self, order: Json) -> bool:
        """Give the parcels that are booked by now to the carrier; True when the order has come to an end."""
        for shipment in order["shipments"]:
            if shipment["status"] == "BOOKED":
                self._insist(DISPATCH, "staff", id=shipment["id"], key=f"dispatch-{shipment['id']}")
        return order["status"] in ("DELIVERED", "CANCELLED", "RETURNED")

    def _await(self, placed: Placed, reached: Callable[[Json], bool]) -> Json:
        while True:
            order: Json = self._insist(READ_ORDER, "customer", id=placed.order_id)["order"]
            assert order, f"{placed} was acknowledged and is not there"
            if reached(order) or time.monotonic() > self._deadline:  # the audit will tell of one that got no further
                return order
            time.sleep(ASK_AGAIN_S)

    def _insist(self, query: str, role: str, **variables: object) -> Json:
        """The data of the first answer without errors: outages are waited out, and busy orders asked again."""
        while True:
            answer = self._try(query, role, variables)
            if "errors" not in answer and not _is_busy(answer):
                data: Json = answer["data"]
                return data
            assert time.monotonic() < self._deadline, f"no answer to {variables}: {answer}"
            time.sleep(ASK_AGAIN_S)

    def _try(self, query: str, role: str, variables: Json) -> Json:
        try:
            return self._mall.ask(query, role, **variables)
        except (httpx.HTTPError, ValueError) as error:  # the router is down, or died in the middle of its answer
            return {"errors": [{"message": f"{type(error).__name__}: {error}"}]}


def _is_busy(answer: Json) -> bool:
    payloads = [payload for payload in answer["data"].values() if isinstance(payload, dict)]
    return any(error["code"].endswith("BUSY") for payload in payloads for error in payload.get("userErrors", ()))
