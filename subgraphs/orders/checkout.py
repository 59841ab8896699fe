"""Checkout: a customer's request becomes an order: checked, priced by us, sent for a fee, and given an id and a number.

::

    check_request(request) -> price_lines(request, products) -> shipping_fee(lines, country)
    -> place_order(request, customer, lines, fee, ...) -> Order
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from subgraphs.orders.domain import (
    PLACED_REASON,
    SHOP_CURRENCY,
    Address,
    Money,
    Order,
    OrderLine,
    Product,
    StatusChange,
    digest,
)
from subgraphs.orders.order_life import OrderStatus, Stage
from subgraphs.orders.refusal import Problem, RefusalError, find_key_problem, is_text

MAX_LINES = 100
MAX_QUANTITY = 999
MAX_PRODUCT_ID_LENGTH = 64
HEAVIEST_PIECE_GRAMS = 30_000
"""What a parcel may weigh: shipping has the same limit, which a contract test holds to this one."""
_TOKEN = re.compile(r"tok_(?!.*\d(?:_?\d){11})[a-z0-9_]{1,64}")  # twelve digits in a row may be a card's number
_COUNTRY = re.compile(r"[A-Z]{2}")
_POSTAL_CODE = re.compile(r"[A-Z0-9][A-Z0-9 -]{0,14}[A-Z0-9]", re.IGNORECASE)
_NUMBER_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no letter that is mistaken for a digit
_NUMBER_LENGTH = 6
NUMBER_BITS = 5 * _NUMBER_LENGTH


@dataclass(frozen=True, slots=True)
class LineRequest:
    """So many of a product, as a customer asks for them; ``expected_unit_price`` is the price that they were shown."""

    product_id: str
    quantity: int
    expected_unit_price: Money | None = None


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """What a customer asks for; ``payment_token`` stands for a payment method and is none itself.

    With ``accept_price_change`` it does not matter what prices they were shown.
    """

    lines: tuple[LineRequest, ...]
    shipping_address: Address
    payment_token: str
    idempotency_key: str
    accept_price_change: bool = False


def check_request(request: OrderRequest) -> OrderRequest:
    """``request`` with its texts trimmed and its country in capitals.

    Raises RefusalError with ORDER_EMPTY, TOO_MANY_LINES, QUANTITY_INVALID, PRODUCT_REPEATED, PRODUCT_UNKNOWN (an id
    that can be none), ADDRESS_INVALID, PAYMENT_METHOD_INVALID and IDEMPOTENCY_KEY_INVALID: all that is wrong, at once.
    """
    address = _trim_address(request.shipping_address)
    problems = [*_line_problems(request.lines), *_address_problems(address)]
    if not _TOKEN.fullmatch(request.payment_token):
        message = "This is not a payment token; tokens look like tok_approved. Never send card data."
        problems.append(Problem("PAYMENT_METHOD_INVALID", message, "paymentMethod.token"))
    if problem := find_key_problem(request.idempotency_key):
        problems.append(problem)
    if problems:
        raise RefusalError(*problems)
    return replace(request, shipping_address=address)


def _line_problems(lines: Sequence[LineRequest]) -> Iterable[Problem]:
    if not lines:
        yield Problem("ORDER_EMPTY", "An order needs at least one line.", "lines")
    if len(lines) > MAX_LINES:
        yield Problem("TOO_MANY_LINES", f"{len(lines)} lines are more than the maximum of {MAX_LINES}.", "lines")
        return
    seen = set[str]()
    for index, line in enumerate(lines):
        if not 1 <= line.quantity <= MAX_QUANTITY:
            message = f"The quantity must be 1 to {MAX_QUANTITY}."
            yield Problem("QUANTITY_INVALID", message, f"lines.{index}.quantity")
        if not is_text(line.product_id, MAX_PRODUCT_ID_LENGTH):
            yield Problem("PRODUCT_UNKNOWN", "There is no such product.", f"lines.{index}.productId")
        elif line.product_id in seen:
            # Not merged: a client that repeats a product may mean to correct the first line as well as to add to it.
            message = f"{line.product_id} has a line already; put the whole quantity there."
            yield Problem("PRODUCT_REPEATED", message, f"lines.{index}.productId")
        seen.add(line.product_id)


def _trim_address(address: Address) -> Address:
    return Address(
        name=address.name.strip(),
        line1=address.line1.strip(),
        line2=(address.line2 or "").strip() or None,
        city=address.city.strip(),
        postal_code=address.postal_code.strip(),
        country_code=address.country_code.strip().upper(),
    )


def _address_problems(address: Address) -> Iterable[Problem]:
    texts = {"name": address.name, "line1": address.line1, "line2": address.line2 or "-", "city": address.city}
    for field, text in texts.items():
        if not is_text(text, 100):
            yield _address_problem(field, "must be 1 to 100 printable characters")
    if not _POSTAL_CODE.fullmatch(address.postal_code):
        yield _address_problem("postalCode", "must be 2 to 16 letters, digits, spaces and hyphens")
    if not _COUNTRY.fullmatch(address.country_code):
        yield _address_problem("countryCode", "must be the two letters of a country, such as DE")


def _address_problem(field: str, rule: str) -> Problem:
    return Problem("ADDRESS_INVALID", f"{field} {rule}.", f"shippingAddress.{field}")


def price_lines(request: OrderRequest, products: Mapping[str, Product]) -> tuple[OrderLine, ...]:
    """The lines of ``request`` at today's prices.

    Raises RefusalError with PRODUCT_UNKNOWN, PRODUCT_INACTIVE, CURRENCY_NOT_SUPPORTED, ITEM_TOO_HEAVY, PRICE_CHANGED.
    """
    problems = []
    priced = []
    for index, line in enumerate(request.lines):
        product = products.get(line.product_id)
        problem = _product_problem(product, f"lines.{index}.productId")
        if product and not problem and not request.accept_price_change:
            problem = _price_problem(product, line.expected_unit_price, f"lines.{index}.expectedUnitPrice")
        if problem:
            problems.append(problem)
        elif product:
            priced.append(OrderLine(product.id, line.quantity, product.price, product.weight_grams))
    if problems:
        raise RefusalError(*problems)
    return tuple(priced)


def _price_problem(product: Product, expected: Money | None, field: str) -> Problem | None:
    if expected is None or expected == product.price:
        return None
    now = f"{product.name} costs {product.price} now, not {expected}"
    message = f"{now}: order again at that price, or accept price changes."
    return Problem("PRICE_CHANGED", message, field)


def _product_problem(product: Product | None, field: str) -> Problem | None:
    if product is None:
        return Problem("PRODUCT_UNKNOWN", "There is no such product.", field)
    if not product.active:
        return Problem("PRODUCT_INACTIVE", f"{product.name} is no longer sold.", field)
    if product.price.currency_code != SHOP_CURRENCY:
        message = f"{product.name} is priced in {product.price.currency_code}; this shop sells in {SHOP_CURRENCY}."
        return Problem("CURRENCY_NOT_SUPPORTED", message, field)
    if product.weight_grams > HEAVIEST_PIECE_GRAMS:
        limit = f"the {HEAVIEST_PIECE_GRAMS // 1000} kg that a parcel may weigh"
        return Problem("ITEM_TOO_HEAVY", f"One piece of {product.name} is heavier than {limit}.", field)
    return None


def place_order(
    request: OrderRequest, customer_id: str, lines: tuple[OrderLine, ...], fee: Money, number: str, at: datetime
) -> Order:
    """The order that a checked ``request`` with priced ``lines``, sent for ``fee``, makes."""
    placed = StatusChange(None, OrderStatus.PENDING, at, PLACED_REASON)
    return Order(
        id=order_id(customer_id, request.idempotency_key),
        number=number,
        customer_id=customer_id,
        stage=Stage.PLACED,
        lines=lines,
        shipping_fee=fee,
        shipping_address=request.shipping_address,
        placed_at=at,
        updated_at=at,
        history=(placed,),
        fingerprint=fingerprint(request),
    )


def order_id(customer_id: str, idempotency_key: str) -> str:
    """The id of the order that ``customer_id`` places under ``idempotency_key``.

    Derived, so that the uniqueness of ids is what makes placing idempotent: that holds across shards, without an index.
    """
    return f"ord_{digest([customer_id, idempotency_key])}"


def fingerprint(request: OrderRequest) -> str:
    """What tells a repeat of a checked request from another one under the same key.

    The key is not part of it, nor are the prices that were expected: they say whether to order, not what.
    """
    address = request.shipping_address
    place = [address.name, address.line1, address.line2, address.city, address.postal_code, address.country_code]
    return digest([[[line.product_id, line.quantity] for line in request.lines], place, request.payment_token])


def order_number(year: int, randomness: int) -> str:
    """A readable number such as ``G-2026-7K3F9Q`` from NUMBER_BITS random bits.

    Random rather than counted: no counter that all replicas wait at, and no one can read the shop's sales from it. Two
    orders may draw the same one; the store refuses the second, which then draws again.
    """
    letters = [_NUMBER_ALPHABET[randomness >> (5 * place) & 31] for place in range(_NUMBER_LENGTH)]
    return f"G-{year}-{''.join(letters)}"
