"""The audit: what must be true of every order, cent and piece, at any moment and when all has come to rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from subgraphs.inventory.domain import StockChanged
from subgraphs.orders.domain import Order, ReturnStatus
from subgraphs.orders.order_life import OrderStatus
from subgraphs.shipping.domain import Direction, ShipmentStatus
from tests.life.mall_in_memory import PRICES, STOCK, Mall, run

FINAL = {OrderStatus.DELIVERED, OrderStatus.RETURNED, OrderStatus.CANCELLED}
OVER = {"SOLD", "RELEASED", "REJECTED"}


def faults(mall: Mall) -> list[str]:
    """What is wrong at this moment, whatever is still on its way."""
    return [*_stock_faults(mall), *_stock_news_faults(mall), *_money_faults(mall), *_order_faults(mall)]


def _stock_news_faults(mall: Mall) -> Iterator[str]:
    """What is told of stock alternates, without a gap, and ends with what is true."""
    for product in run(mall.inventory_store.products(list(STOCK))).values():
        stock = product.stock
        told = [e for e in mall.inventory_store.events if isinstance(e, StockChanged) and e.product_id == product.id]
        expected = [(bool(version % 2), version) for version in range(1, stock.version + 1)]
        if [(each.in_stock, each.version) for each in told] != expected:
            yield f"{product.id}: it was told of its stock {told}"
        if (stock.available > 0) != bool(stock.version % 2):
            yield f"{product.id}: {stock} is not what was told of it"


def faults_at_rest(mall: Mall) -> list[str]:
    """What is wrong although nothing is left to do."""
    orders = mall.orders_store.known.values()
    waiting = [f"{event.type} waits at {each.name} for ever" for each in mall.members for event in each.inbox]
    unsettled = [fault for order in orders for fault in _unsettled(mall, order)]
    return [*faults(mall), *waiting, *unsettled, *_pieces_faults(mall)]


def _stock_faults(mall: Mall) -> Iterator[str]:
    for product in run(mall.inventory_store.products(list(STOCK))).values():
        journal = run(mall.inventory_store.movements(product.id, 10_000))
        for level in product.stock.levels:
            told = [each for each in journal if each.warehouse == level.warehouse]
            sums = (sum(each.on_hand for each in told), sum(each.reserved for each in told))
            if level.available < 0 or level.reserved < 0:
                yield f"{product.id}: {level} is overdrawn"
            if sums != (level.on_hand, level.reserved):
                yield f"{product.id}: {level} is not the sum of its journal {sums}"


def _money_faults(mall: Mall) -> Iterator[str]:
    yield from mall.bank.demands_refused
    for payment in mall.payments_store.kept.values():
        order = mall.orders_store.known[payment.order_id]
        captured, refunded = payment.captured.amount_minor, payment.refunded.amount_minor
        if not 0 <= refunded <= captured <= payment.amount.amount_minor == order.total.amount_minor:
            yield f"{payment.id}: 0 <= {refunded} <= {captured} <= {payment.amount.amount_minor} does not hold"
    for payment_id, account in mall.bank.accounts.items():
        payment = mall.payments_store.kept[payment_id]
        if payment.captured.amount_minor > account.captured or payment.refunded.amount_minor > account.refunded:
            yield f"{payment_id} claims more than the bank did: {account}"


def _order_faults(mall: Mall) -> Iterator[str]:
    for order in mall.orders_store.known.values():
        back = Counter[str]()
        for each in order.returns:
            back.update({line.product_id: line.quantity for line in each.lines})
        if any(back[line.product_id] > line.quantity for line in order.lines):
            yield f"{order.id}: more is returned than was ordered"
        if sum(each.refund.amount_minor for each in order.returns) > order.total.amount_minor:
            yield f"{order.id}: more is refunded than was paid"


def _unsettled(mall: Mall, order: Order) -> Iterator[str]:
    name = f"{order.id} ({order.stage})"
    if order.status not in FINAL:
        yield f"{name} never came to its end"
        return
    if any(each.status is not ReturnStatus.RECEIVED for each in order.returns):
        yield f"{name}: a return never came to its end"
    yield from _unsettled_money(mall, order, name)
    reservation = run(mall.inventory_store.reservations([order.id])).get(order.id)
    if reservation is None or reservation.status.value not in OVER:
        yield f"{name}: its reservation is {reservation and reservation.status}"
    elif order.status is not OrderStatus.CANCELLED and reservation.status.value != "SOLD":
        yield f"{name}: its reservation is {reservation.status}"


def _unsettled_money(mall: Mall, order: Order, name: str) -> Iterator[str]:
    payment = next(each for each in mall.payments_store.kept.values() if each.order_id == order.id)
    captured, refunded = payment.captured.amount_minor, payment.refunded.amount_minor
    account = mall.bank.accounts.get(payment.id)
    if account and (account.captured, account.refunded, account.held) != (captured, refunded, 0):
        yield f"{name}: the bank knows {account}, we {captured} captured and {refunded} refunded"
    if order.status is OrderStatus.CANCELLED:
        if captured != refunded:
            yield f"{name}: {captured} captured, {refunded} refunded"
    else:
        due = sum(each.refund.amount_minor for each in order.returns)
        if (captured, refunded) != (order.total.amount_minor, due):
            yield f"{name}: {captured} of {order.total} captured, {refunded} of {due} refunded"


def _pieces_faults(mall: Mall) -> Iterator[str]:
    """What left the warehouses and did not come back is with customers; everything else lies in stock, unreserved."""
    outside = Counter[str]()
    for order in mall.orders_store.known.values():
        outside.update(_kept_by_customer(mall, order))
    products = run(mall.inventory_store.products(list(STOCK)))
    for product_id in PRICES:
        stock, expected = products[product_id].stock, sum(STOCK[product_id].values()) - outside[product_id]
        if (stock.on_hand, stock.reserved) != (expected, 0):
            yield f"{product_id}: {stock.on_hand} on hand, {stock.reserved} reserved; {expected} should lie there"


def _kept_by_customer(mall: Mall, order: Order) -> Counter[str]:
    if order.status is OrderStatus.CANCELLED:
        # The customer cancelled at the very moment of delivery: the carrier could not call that parcel back any more.
        return _sent(mall, order, ShipmentStatus.DELIVERED)
    kept = Counter({line.product_id: line.quantity for line in order.lines})
    # The carrier could not deliver some of the parcels.
    kept.subtract(_sent(mall, order, ShipmentStatus.RETURNED))
    for each in order.returns:
        kept.subtract({line.product_id: line.quantity for line in each.lines})
    # Customers may return, and be paid, what never reached them: it comes back once.
    return +kept


def _sent(mall: Mall, order: Order, status: ShipmentStatus) -> Counter[str]:
    """The pieces in those parcels to the customer that stand so."""
    sent = Counter[str]()
    for shipment in mall.shipping_store.kept.values():
        outbound = shipment.order_id == order.id and shipment.direction is Direction.OUTBOUND
        if outbound and shipment.status is status:
            sent.update({line.product_id: line.quantity for line in shipment.parcel.lines})
    return sent
