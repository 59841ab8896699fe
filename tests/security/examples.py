"""One harmless request for each row of the table: it asks for something of the owner, and changes nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from subgraphs.demo.model import DemoShop, Order
from tests.security.matrix import OWNER

Json = dict[str, Any]
UNKNOWN = "unknown-1"


@dataclass(frozen=True, slots=True)
class Example:
    """``variables`` name something of the owner; :data:`UNKNOWN` for ``id`` names nothing.

    ``witness`` is in the response where the request was answered; ``{subject}`` stands for who asks.
    """

    document: str
    witness: str
    variables: Json = field(default_factory=dict)

    def of_nothing(self) -> Json | None:
        """The variables with an id that nothing has; None where the request names no id."""
        return {**self.variables, "id": UNKNOWN} if "id" in self.variables else None


def entity(type_name: str, selection: str, key: str, witness: str) -> Example:
    """A lookup of one entity by its id, as the router sends it."""
    document = (
        f'query($id: ID!) {{ _entities(representations: [{{__typename: "{type_name}", id: $id}}])'
        f" {{ ... on {type_name} {{ {selection} }} }} }}"
    )
    return Example(document, witness, {"id": key})


def examples(shop: DemoShop) -> dict[tuple[str, str], Example]:
    """The requests by service and operation, about a delivered order of the owner's."""
    order = next(each for each in shop.orders if each.customer_id == OWNER and each.status == "DELIVERED")
    return {
        **_of_orders(order),
        **_of_payments(order),
        **_of_inventory(order),
        **_of_shipping(order),
        **_of_taste(order),
    }


def _of_orders(order: Order) -> dict[tuple[str, str], Example]:
    id_ = {"id": order.id}
    nothing = 'lines: [], paymentMethod: {token: "tok_x"}, idempotencyKey: "matrix-1"'
    nowhere = 'shippingAddress: {name: "A", line1: "B", city: "C", postalCode: "D", countryCode: "DE"}'
    errors = "userErrors { code }"
    return {
        ("orders", "Query.order"): Example("query($id: ID!) { order(id: $id) { number } }", order.number, id_),
        ("orders", "Query.orders"): Example(
            "{ orders(first: 100) { edges { node { customer { id } } } } }", f'"{OWNER}"'
        ),
        ("orders", "Query.me"): Example("{ me { id } }", "{subject}"),
        ("orders", "Mutation.placeOrder"): Example(
            f"mutation {{ placeOrder(input: {{{nothing}, {nowhere}}}) {{ {errors} }} }}", "ORDER_EMPTY"
        ),
        ("orders", "Mutation.cancelOrder"): Example(
            f'mutation($id: ID!) {{ cancelOrder(id: $id, reason: "matrix") {{ {errors} }} }}',
            "ORDER_ALREADY_DELIVERED",
            id_,
        ),
        ("orders", "Mutation.returnOrder"): Example(
            'mutation($id: ID!) { returnOrder(orderId: $id, reason: "matrix", idempotencyKey: "matrix-1",'
            f' lines: [{{productId: "NONE", quantity: 1}}]) {{ {errors} }} }}',
            "PRODUCT_NOT_IN_ORDER",
            id_,
        ),
        ("orders", "Subscription.orderUpdated"): Example(
            "subscription($id: ID!) { orderUpdated(id: $id) { number } }", order.number, id_
        ),
        ("orders", "entity Order"): entity("Order", "number", order.id, order.number),
        ("orders", "entity Customer"): entity("Customer", "orders { edges { node { id } } }", OWNER, '"ord_'),
    }


def _of_payments(order: Order) -> dict[tuple[str, str], Example]:
    payment = order.payment.id
    return {
        ("payments", "Query.payment"): Example(
            "query($id: ID!) { payment(id: $id) { order { id } } }", order.id, {"id": payment}
        ),
        ("payments", "Mutation.refundPayment"): Example(
            'mutation($id: ID!) { refundPayment(paymentId: $id, amount: {amount: "0"}, reason: "matrix",'
            ' idempotencyKey: "matrix-1") { userErrors { code } } }',
            '"code"',
            {"id": payment},
        ),
        ("payments", "entity Order"): entity("Order", "payment { status }", order.id, '"status"'),
        ("payments", "entity Payment"): entity("Payment", "order { id }", payment, order.id),
    }


def _of_inventory(order: Order) -> dict[tuple[str, str], Example]:
    product = order.lines[0].product_id
    id_, errors = {"id": product}, "userErrors { code }"
    return {
        ("inventory", "Query.product"): Example("query($id: ID!) { product(id: $id) { name } }", '"name"', id_),
        ("inventory", "Query.products"): Example("{ products(first: 1) { edges { node { name } } } }", '"name"'),
        ("inventory", "Query.stockMovements"): Example(
            "query($id: ID!) { stockMovements(productId: $id) { edges { node { kind } } } }", '"kind"', id_
        ),
        ("inventory", "Mutation.createProduct"): Example(
            'mutation($id: ID!) { createProduct(input: {id: $id, name: "", category: "", price: {amount: "0"},'
            f" weightGrams: 0}}) {{ {errors} }} }}",
            '"code"',
            id_,
        ),
        ("inventory", "Mutation.updateProduct"): Example(
            f'mutation($id: ID!) {{ updateProduct(input: {{id: $id, price: {{amount: "0"}}}}) {{ {errors} }} }}',
            '"code"',
            id_,
        ),
        ("inventory", "Mutation.adjustStock"): Example(
            'mutation($id: ID!) { adjustStock(input: {productId: $id, warehouse: "NOWHERE", delta: 0, reason: "matrix",'
            f' idempotencyKey: "matrix-1"}}) {{ {errors} }} }}',
            '"code"',
            id_,
        ),
        ("inventory", "Subscription.stockChanged"): Example(
            "subscription($id: ID!) { stockChanged(productIds: [$id]) { name } }", '"name"', id_
        ),
        ("inventory", "entity Product"): entity("Product", "name", product, '"name"'),
        ("inventory", "entity Order"): entity("Order", "reservation { status }", order.id, '"status"'),
    }


def _of_shipping(order: Order) -> dict[tuple[str, str], Example]:
    parcel = order.shipments[0]
    id_, errors = {"id": parcel.id}, "userErrors { code }"
    track = "query($number: String!) {{ trackShipment(trackingNumber: $number) {{ {} }} }}"
    number = {"number": parcel.tracking_number}
    return {
        ("shipping", "Query.shipment"): Example(
            "query($id: ID!) { shipment(id: $id) { trackingNumber } }", parcel.tracking_number, id_
        ),
        ("shipping", "Query.trackShipment: where it is"): Example(track.format("status"), '"DELIVERED"', number),
        ("shipping", "Query.trackShipment: whose it is"): Example(track.format("order { id }"), order.id, number),
        ("shipping", "Mutation.dispatchShipment"): Example(
            f'mutation($id: ID!) {{ dispatchShipment(shipmentId: $id, idempotencyKey: "matrix-1") {{ {errors} }} }}',
            '"code"',
            id_,
        ),
        ("shipping", "Mutation.recordTrackingEvent"): Example(
            'mutation($id: ID!) { recordTrackingEvent(input: {shipmentId: $id, status: BOOKED, location: "x",'
            f' description: "matrix", idempotencyKey: "matrix-1"}}) {{ {errors} }} }}',
            '"code"',
            id_,
        ),
        ("shipping", "Subscription.shipmentUpdated"): Example(
            "subscription($id: ID!) { shipmentUpdated(id: $id) { trackingNumber } }", parcel.tracking_number, id_
        ),
        ("shipping", "entity Order"): entity("Order", "shipments { id }", order.id, parcel.id),
        ("shipping", "entity Product"): Example(
            '{ _entities(representations: [{__typename: "Product", id: "MUG-001", weightGrams: 350}])'
            ' { ... on Product { shippingQuote(countryCode: "DE", postalCode: "10115") { zone } } } }',
            '"zone"',
        ),
        ("shipping", "entity Shipment"): entity("Shipment", "trackingNumber", parcel.id, parcel.tracking_number),
    }


def _of_taste(order: Order) -> dict[tuple[str, str], Example]:
    product = order.lines[0].product_id
    return {
        ("recommendations", "Query.trending"): Example("{ trending { id } }", '"id"'),
        ("recommendations", "entity Product"): entity("Product", "boughtTogether { id }", product, '"id"'),
        ("recommendations", "entity Customer"): entity("Customer", "recommendations { id }", OWNER, '"id"'),
    }
