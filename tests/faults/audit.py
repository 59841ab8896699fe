"""The audit: every order, cent and piece of what was placed, by the books of the five services.

Small checks, each a function from the books to what is wrong. The table :data:`AGREED` says what payment, reservation
and parcels of an order must be once nothing is on its way any more; the rest is counting.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tests.faults.books import Books, Document
from tests.faults.load import Placed, Scenario
from tests.faults.misprints import readers

ENDS = {
    Scenario.APPROVED: "CONFIRMED",
    Scenario.SLOW: "CONFIRMED",
    Scenario.DECLINED: "CANCELLED",
    Scenario.UNREACHABLE: "PENDING",
    Scenario.GIVEN_UP: "CANCELLED",
    Scenario.CANCELLED_AT_ONCE: "CANCELLED",
    Scenario.CANCELLED_LATER: "CANCELLED",
    Scenario.DISPATCHED: "DELIVERED",
    Scenario.RETURNED: "RETURNED",
}
"""Where an order of a scenario comes to rest, unless its goods were sold out: then it is cancelled."""


class Kind(StrEnum):
    """What a finding is about."""

    LOST = "lost"
    DOUBLED = "doubled"
    STUCK = "stuck"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that must not be: its kind, and a sentence that names the order, payment or product."""

    kind: Kind
    what: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """What the other services say of an order of one status: their statuses, and where its money and goods are."""

    payment: frozenset[str]
    reservation: frozenset[str]
    shipment: frozenset[str]
    holds_money: bool = False
    holds_stock: bool = False
    is_sold: bool = False
    came_back: bool = False


def _agreement(payment: str, reservation: str, shipment: str = "", **flags: bool) -> Agreement:
    return Agreement(frozenset(payment.split()), frozenset(reservation.split()), frozenset(shipment.split()), **flags)


AGREED: Mapping[str, Agreement] = {
    "PENDING": _agreement("PENDING", "HELD", holds_stock=True),
    "CONFIRMED": _agreement("AUTHORIZED", "HELD", "BOOKED", holds_money=True, holds_stock=True),
    "DELIVERED": _agreement("CAPTURED", "SOLD", "DELIVERED", is_sold=True),
    "RETURNED": _agreement("REFUNDED", "SOLD", "DELIVERED RETURNED", is_sold=True, came_back=True),
    "CANCELLED": _agreement("DECLINED VOIDED", "RELEASED REJECTED", "CANCELLED"),
}


def audit(
    books: Books, placed: Sequence[Placed], known_before: frozenset[str], misprints: Sequence[str] = ()
) -> list[Finding]:
    """Everything that is wrong, now that all is quiet.

    ``known_before`` are the ids of orders older than the load, ``misprints`` those of events that nobody can read.
    """
    return [
        *check_orders(books, placed, known_before),
        *unsettled(books, placed),
        *check_payments(books, placed),
        *check_invoices(books),
        *check_pieces(books, placed),
        *check_parcels(books, placed),
        *check_stock(books),
        *check_recommendations(books, known_before),
        *check_dead_letters(books, misprints),
    ]


def check_orders(books: Books, placed: Sequence[Placed], known_before: frozenset[str]) -> Iterator[Finding]:
    """Every acknowledged order exists exactly once, and no other one does."""
    acknowledged = Counter(each.order_id for each in placed)
    found = Counter(order["_id"] for order in books.orders if order["_id"] not in known_before)
    for order_id in acknowledged - found:
        yield Finding(Kind.LOST, f"{order_id} was acknowledged and is not there, or stands for two requests")
    for order_id in found - acknowledged:
        yield Finding(Kind.DOUBLED, f"{order_id} is there, and nobody placed it")


def unsettled(books: Books, placed: Sequence[Placed]) -> Iterator[Finding]:
    """Orders that are not where their scenario leads, and other services that do not agree with them."""
    orders = {order["_id"]: order for order in books.orders}
    payments, reservations = books.by_order(books.payments), books.by_order(books.reservations)
    shipments = books.by_order(books.shipments)
    for each in placed:
        order = orders.get(each.order_id)
        if order is None:
            continue
        name = f"{order['_id']} ({each.plan.scenario.name}, {order['status']})"
        if order["status"] != ENDS[each.plan.scenario] and not _was_sold_out(order):
            yield Finding(Kind.STUCK, f"{name} should be {ENDS[each.plan.scenario]}")
        agreed = AGREED.get(order["status"])
        if agreed:
            yield from _unlike(name, "payment", payments[order["_id"]], agreed.payment)
            yield from _unlike(name, "reservation", reservations[order["_id"]], agreed.reservation)
            yield from _unlike(name, "shipment", shipments[order["_id"]], agreed.shipment)


def _was_sold_out(order: Document) -> bool:
    codes = {entry["code"] for entry in order["history"]}
    return order["status"] == "CANCELLED" and "OUT_OF_STOCK" in codes


def _unlike(name: str, what: str, documents: Sequence[Document], agreed: frozenset[str]) -> Iterator[Finding]:
    for document in documents:
        if document["status"] not in agreed:
            wanted = " or ".join(sorted(agreed)) or "none"
            yield Finding(Kind.STUCK, f"{name}: its {what} is {document['status']}, not {wanted}")


def check_payments(books: Books, placed: Sequence[Placed]) -> Iterator[Finding]:
    """One payment an order, of the order's total; what is held and captured follows from the order's status."""
    payments = books.by_order(books.payments)
    for order in _placed_orders(books, placed):
        found = payments[order["_id"]]
        yield from _exactly_one(order["_id"], "payment", found)
        for payment in found[:1]:
            yield from _check_money(order, payment)
    for payment in books.payments:
        postings = [posting["amountMinor"] for each in payment["transactions"] for posting in each["postings"]]
        if sum(postings):
            yield Finding(Kind.WRONG, f"{payment['_id']}: its ledger adds up to {sum(postings)}, not to 0")


def _check_money(order: Document, payment: Document) -> Iterator[Finding]:
    name = f"{payment['_id']} of {order['_id']} ({order['status']})"
    amount, captured, refunded = (payment[field]["amountMinor"] for field in ("amount", "captured", "refunded"))
    if amount != _total_minor(order):
        yield Finding(Kind.WRONG, f"{name}: {amount} is not the order's total of {_total_minor(order)}")
    if not 0 <= refunded <= captured <= amount:
        yield Finding(Kind.WRONG, f"{name}: 0 <= {refunded} <= {captured} <= {amount} does not hold")
    agreed = AGREED.get(order["status"])
    if agreed is None:
        return
    yield from _counted(f"{name} captured", captured, amount if agreed.is_sold else 0)
    yield from _counted(f"{name} refunded", refunded, amount if agreed.came_back else 0)
    held = amount if agreed.holds_money else 0
    for account, balance in (("HOLD", held), ("REVENUE", -captured), ("REFUNDS", refunded)):
        if _balance(payment, account) != balance:
            yield Finding(Kind.WRONG, f"{name}: {account} is {_balance(payment, account)}, not {balance}")


def check_invoices(books: Books) -> Iterator[Finding]:
    """Numbers without gaps in each series, each for one capture."""
    series: dict[str, list[int]] = {}
    for place in books.invoices:
        series.setdefault(place["series"], []).append(place["sequence"])
    for name, sequences in series.items():
        if sorted(sequences) != list(range(1, len(sequences) + 1)):
            yield Finding(Kind.LOST, f"the invoices {name} have gaps: {len(sequences)} up to {max(sequences)}")
    numbers = Counter(each["invoice"]["number"] for payment in books.payments for each in _invoiced(payment))
    for number, count in numbers.items():
        if count > 1:
            yield Finding(Kind.DOUBLED, f"invoice {number} stands for {count} captures")
    if len(numbers) != len(books.invoices):
        yield Finding(Kind.LOST, f"{len(books.invoices)} invoices have numbers, {len(numbers)} captures have invoices")


def check_pieces(books: Books, placed: Sequence[Placed]) -> Iterator[Finding]:
    """One reservation an order; by the journal, it holds or has sold exactly what was ordered, or nothing."""
    reservations = books.by_order(books.reservations)
    held, sold = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for line in books.movements:
        if line["reference"]:
            held[line["reference"], line["productId"]] += line["reserved"]
            sold[line["reference"], line["productId"]] -= line["onHand"]
    for order in _placed_orders(books, placed):
        found, agreed = reservations[order["_id"]], AGREED.get(order["status"])
        yield from _exactly_one(order["_id"], "reservation", found)
        if not found or agreed is None:
            continue
        for product_id, quantity in _pieces([order]).items():
            key = (found[0]["_id"], product_id)
            name = f"{order['_id']} ({order['status']}): {product_id}"
            yield from _counted(f"{name} held", held[key], quantity if agreed.holds_stock else 0)
            with_customer = agreed.is_sold and not agreed.came_back
            yield from _counted(f"{name} sold", sold[key], quantity if with_customer else 0)


def check_parcels(books: Books, placed: Sequence[Placed]) -> Iterator[Finding]:
    """The parcels of an order hold together what was ordered, once, and its returns what came back, once.

    A cancelled order may have had parcels or not.
    """
    shipments = books.by_order(books.shipments)
    for order in _placed_orders(books, placed):
        sent, back, ordered = _sent(shipments[order["_id"]]), _came_back(shipments[order["_id"]]), _pieces([order])
        if order["status"] == "CANCELLED" and not sent:
            continue
        for product_id in sent | back | ordered:
            name, quantity = f"{order['_id']} ({order['status']}): {product_id}", ordered[product_id]
            yield from _counted(f"{name} in parcels", sent[product_id], quantity if order["status"] != "PENDING" else 0)
            yield from _counted(f"{name} back", back[product_id], quantity if order["status"] == "RETURNED" else 0)


def check_stock(books: Books) -> Iterator[Finding]:
    """onHand - reserved = available >= 0, the journal's sum, and held by reservations that are HELD."""
    open_reservations = {each["_id"] for each in books.reservations if each["status"] == "HELD"}
    on_hand, reserved = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for line in books.movements:
        on_hand[line["productId"], line["warehouse"]] += line["onHand"]
        reserved[line["productId"], line["warehouse"]] += line["reserved"]
    for product in books.products:
        warehouses, name = product["stock"]["warehouses"], product["_id"]
        for warehouse, level in warehouses.items():
            if not level["onHand"] - level["reserved"] == level["available"] >= 0:
                yield Finding(Kind.WRONG, f"{name} in {warehouse}: {level} does not add up")
            journal = (on_hand[name, warehouse], reserved[name, warehouse])
            if journal != (level["onHand"], level["reserved"]):
                yield Finding(Kind.WRONG, f"{name} in {warehouse}: {level} is not the journal's sum {journal}")
            holds = sum(hold["quantity"] for hold in product["holds"] if hold["warehouse"] == warehouse)
            yield from _counted(f"{name} in {warehouse} held", holds, level["reserved"])
        if product["stock"]["available"] != sum(level["available"] for level in warehouses.values()):
            yield Finding(Kind.WRONG, f"{name}: {product['stock']} does not add up")
        for hold in product["holds"]:
            if hold["reservation"] not in open_reservations:
                yield Finding(Kind.STUCK, f"{name}: {hold} belongs to no reservation that is HELD")


def check_recommendations(books: Books, known_before: frozenset[str]) -> Iterator[Finding]:
    """Every order that was ever confirmed is one basket, and every basket is counted once, whatever it touches."""
    confirmed = {order["_id"] for order in books.orders if _was_confirmed(order)} - known_before
    baskets = {basket["_id"] for basket in books.baskets} - known_before
    for order_id in confirmed - baskets:
        yield Finding(Kind.LOST, f"{order_id} was confirmed, and is no basket")
    for order_id in baskets - confirmed:
        yield Finding(Kind.WRONG, f"{order_id} is a basket, and was not confirmed")
    for basket in books.baskets:
        if not basket["settled"]:
            yield Finding(Kind.STUCK, f"the basket {basket['_id']} is not settled")
    sold = Counter(product_id for basket in books.baskets for product_id in basket["productIds"])
    bought = Counter((basket["customerId"], each) for basket in books.baskets for each in basket["productIds"])
    for tally in books.tallies:
        yield from _counted(f"orders of {tally['_id']} in its tally", tally["orders"], sold[tally["_id"]])
    for history in books.histories:
        for product_id, purchases in history["bought"].items():
            name = f"purchases of {product_id} by {history['_id']}"
            yield from _counted(name, purchases["times"], bought[history["_id"], product_id])


def check_dead_letters(books: Books, misprints: Sequence[str]) -> Iterator[Finding]:
    """Each misprint was given up once by each of its readers, and no other event was."""
    expected = Counter((reader, event_id) for event_id in misprints for reader in readers())
    found = Counter(books.dead_letters)
    for consumer, event_id in expected - found:
        yield Finding(Kind.LOST, f"the misprint {event_id} is no dead letter of {consumer}")
    for consumer, event_id in found - expected:
        kind = Kind.DOUBLED if (consumer, event_id) in expected else Kind.LOST
        yield Finding(kind, f"{event_id} is a dead letter of {consumer}{' once more' if kind is Kind.DOUBLED else ''}")


def _placed_orders(books: Books, placed: Sequence[Placed]) -> list[Document]:
    ids = {each.order_id for each in placed}
    return [order for order in books.orders if order["_id"] in ids]


def _exactly_one(order_id: str, what: str, found: Sequence[Document]) -> Iterator[Finding]:
    if not found:
        yield Finding(Kind.LOST, f"{order_id} has no {what}")
    if len(found) > 1:
        yield Finding(Kind.DOUBLED, f"{order_id} has {len(found)} {what}s")


def _counted(what: str, count: int, wanted: int) -> Iterator[Finding]:
    if count != wanted:
        kind = Kind.LOST if count < wanted else Kind.DOUBLED
        yield Finding(kind, f"{what}: {count}, not {wanted}")


def _pieces(documents: Sequence[Document]) -> Counter[str]:
    """The quantities of all lines of ``documents`` by product."""
    pieces = Counter[str]()
    for document in documents:
        for line in document["lines"]:
            pieces[line["productId"]] += line["quantity"]
    return pieces


def _sent(shipments: Sequence[Document]) -> Counter[str]:
    return _pieces([each for each in shipments if not each["returnId"]])


def _came_back(shipments: Sequence[Document]) -> Counter[str]:
    return _pieces([each for each in shipments if each["returnId"]])


def _total_minor(order: Document) -> int:
    lines: int = sum(line["quantity"] * line["unitPrice"]["amountMinor"] for line in order["lines"])
    fee: int = order["shippingFee"]["amountMinor"]
    return lines + fee


def _balance(payment: Document, account: str) -> int:
    postings = [posting for each in payment["transactions"] for posting in each["postings"]]
    return sum(posting["amountMinor"] for posting in postings if posting["account"] == account)


def _invoiced(payment: Document) -> list[Document]:
    return [capture for capture in payment["captures"] if capture["invoice"]]


def _was_confirmed(order: Document) -> bool:
    return any(entry["to"] == "CONFIRMED" for entry in order["history"])
