"""What clients send to orders, and the domain's form of it."""

from __future__ import annotations

from decimal import Decimal

import strawberry

from subgraphs.chassis.graphql.minor_units import to_hundredths
from subgraphs.orders import checkout, domain, returns
from subgraphs.orders.refusal import Problem, RefusalError


@strawberry.input(description="An amount in an ISO 4217 currency, with at most two decimals.")
class MoneyInput:
    """An amount in an ISO 4217 currency."""

    amount: Decimal = strawberry.field(description="In the major unit, with at most two decimals, such as 12.50.")
    currency_code: str = strawberry.field(default=domain.SHOP_CURRENCY, description="ISO 4217, such as EUR.")

    def to_domain(self, field: str) -> domain.Money:
        """The amount in minor units; raises RefusalError(AMOUNT_INVALID) at ``field`` for fractions of a cent."""
        minor = to_hundredths(self.amount)
        if minor is None:
            message = "Give an amount with at most two decimals, such as 12.50."
            raise RefusalError(Problem("AMOUNT_INVALID", message, f"{field}.amount"))
        return domain.Money(minor, self.currency_code)


@strawberry.input(description="So many of a product; each product has one line.")
class OrderLineInput:
    """So many of a product."""

    product_id: strawberry.ID = strawberry.field(description="The SKU.")
    quantity: int = strawberry.field(description=f"1 to {checkout.MAX_QUANTITY}.")
    expected_unit_price: MoneyInput | None = strawberry.field(
        default=None, description="The price that the customer was shown; where it is another one now: PRICE_CHANGED."
    )

    def request(self, index: int) -> checkout.LineRequest:
        """The domain's form of the line at ``index``; raises RefusalError(AMOUNT_INVALID)."""
        expected = self.expected_unit_price
        price = expected.to_domain(f"lines.{index}.expectedUnitPrice") if expected else None
        return checkout.LineRequest(self.product_id, self.quantity, price)


@strawberry.input(description="Where the parcel goes.")
class ShippingAddressInput:
    """Where the parcel goes."""

    name: str = strawberry.field(description="Who receives the parcel.")
    line1: str = strawberry.field(description="Street and number.")
    line2: str | None = strawberry.field(default=None, description="What else the carrier needs, such as the floor.")
    city: str = strawberry.field(description="The city or town.")
    postal_code: str = strawberry.field(description="As that country writes it; 2 to 16 characters.")
    country_code: str = strawberry.field(
        description="ISO 3166-1 alpha-2, such as DE; one that no carrier takes parcels to: COUNTRY_NOT_SERVED."
    )


@strawberry.input(description="How to pay.")
class PaymentMethodInput:
    """How to pay."""

    token: str = strawberry.field(description="A token of the payment provider, such as tok_approved; never card data.")


@strawberry.input(description="What to order. Prices are not part of it: the shop knows them.")
class PlaceOrderInput:
    """What to order."""

    lines: list[OrderLineInput] = strawberry.field(description="What to order; 1 to 100 lines.")
    shipping_address: ShippingAddressInput = strawberry.field(description="Where to send it.")
    payment_method: PaymentMethodInput = strawberry.field(description="How to pay for it.")
    idempotency_key: str = strawberry.field(
        description="Chosen by the client, such as a UUID: a repeat with the same input returns the first order."
    )
    accept_price_change: bool = strawberry.field(
        default=False, description="Order at today's prices, whatever the customer was shown."
    )

    def request(self) -> checkout.OrderRequest:
        """The domain's form; raises RefusalError(AMOUNT_INVALID)."""
        address = self.shipping_address
        return checkout.OrderRequest(
            lines=tuple(line.request(index) for index, line in enumerate(self.lines)),
            shipping_address=domain.Address(
                name=address.name,
                line1=address.line1,
                line2=address.line2,
                city=address.city,
                postal_code=address.postal_code,
                country_code=address.country_code,
            ),
            payment_token=self.payment_method.token,
            idempotency_key=self.idempotency_key,
            accept_price_change=self.accept_price_change,
        )


@strawberry.input(description="So many pieces of a product to send back; each product has one line.")
class ReturnLineInput:
    """So many pieces of a product to send back."""

    product_id: strawberry.ID = strawberry.field(description="The SKU.")
    quantity: int = strawberry.field(description="How many pieces, up to those that the customer still has.")


def return_request(lines: list[ReturnLineInput] | None, reason: str, idempotency_key: str) -> returns.ReturnRequest:
    """The domain's form of a wish to send ``lines`` back, or all there is where it is None."""
    named = None if lines is None else tuple(domain.ReturnLine(line.product_id, line.quantity) for line in lines)
    return returns.ReturnRequest(named, reason, idempotency_key)
