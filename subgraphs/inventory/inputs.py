"""What clients send to inventory, and the domain's form of it."""

from __future__ import annotations

from decimal import Decimal

import strawberry

from subgraphs.chassis.graphql.minor_units import to_hundredths
from subgraphs.inventory import domain


@strawberry.input(description="An amount in an ISO 4217 currency, with at most two decimals.")
class MoneyInput:
    """An amount in an ISO 4217 currency."""

    amount: Decimal = strawberry.field(description="In the major unit, with at most two decimals, such as 12.50.")
    currency_code: str = strawberry.field(default=domain.CURRENCY, description="ISO 4217, such as EUR.")

    def to_domain(self) -> domain.Money:
        """The amount in minor units; raises InventoryError(PRICE_INVALID) for fractions of a cent."""
        minor = to_hundredths(self.amount)
        if minor is None:
            raise domain.InventoryError("PRICE_INVALID", domain.PRICE_RANGE, "price.amount")
        return domain.Money(minor, self.currency_code)


@strawberry.input(description="A new product; it begins without stock.")
class CreateProductInput:
    """A new product; it begins without stock."""

    id: strawberry.ID = strawberry.field(description="The SKU: 2 to 32 of A-Z, 0-9 and `-`, such as MUG-001.")
    name: str = strawberry.field(description="1 to 200 characters.")
    category: str = strawberry.field(description="1 to 60 characters.")
    price: MoneyInput = strawberry.field(description="What one piece costs, in EUR.")
    weight_grams: int = strawberry.field(description="The weight of a piece in grams: 1 to 1000000.")
    description: str = strawberry.field(default="", description="Up to 5000 characters.")
    image_url: str = strawberry.field(
        default="/images/placeholder.svg", description="An http(s) URL, or a path from `/`."
    )
    active: bool = strawberry.field(default=True, description="Whether it can be ordered at once.")

    def facts(self) -> domain.ProductFacts:
        """The facts that it states."""
        return domain.ProductFacts(
            self.name,
            self.description,
            self.category,
            self.image_url,
            self.price.to_domain(),
            self.weight_grams,
            self.active,
        )


@strawberry.input(description="The facts to change; what is left out stays.")
class UpdateProductInput:
    """The facts to change; what is left out stays."""

    id: strawberry.ID = strawberry.field(description="The SKU of the product to change.")
    name: str | None = strawberry.field(default=None, description="1 to 200 characters.")
    category: str | None = strawberry.field(default=None, description="1 to 60 characters.")
    price: MoneyInput | None = strawberry.field(default=None, description="What one piece costs from now on, in EUR.")
    weight_grams: int | None = strawberry.field(
        default=None, description="The weight of a piece in grams: 1 to 1000000."
    )
    description: str | None = strawberry.field(default=None, description="Up to 5000 characters.")
    image_url: str | None = strawberry.field(default=None, description="An http(s) URL, or a path from `/`.")
    active: bool | None = strawberry.field(default=None, description="Whether it can be ordered.")

    def changes(self) -> dict[str, object]:
        """The facts that it states, by name."""
        plain = ("name", "category", "weight_grams", "description", "image_url", "active")
        changes = {name: getattr(self, name) for name in plain if getattr(self, name) is not None}
        return changes | ({"price": self.price.to_domain()} if self.price else {})


@strawberry.input(description="A change of what one warehouse holds; the same idempotencyKey changes it once.")
class AdjustStockInput:
    """A change of what one warehouse holds; the same idempotencyKey changes it once."""

    product_id: strawberry.ID = strawberry.field(description="The SKU.")
    warehouse: str = strawberry.field(description="Its code: 1 to 16 of A-Z, 0-9 and `-`, such as BER.")
    delta: int = strawberry.field(description="Pieces more, or less where negative: up to 1000000, not 0.")
    reason: str = strawberry.field(description="Why, for the journal: 1 to 200 characters.")
    idempotency_key: str = strawberry.field(description="Such as a UUID: a repeat returns the first result.")
