"""A request becomes an order: what is refused, what it costs, and which id and number it gets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from subgraphs.orders.checkout import (
    LineRequest,
    OrderRequest,
    check_request,
    fingerprint,
    order_id,
    order_number,
    place_order,
    price_lines,
)
from subgraphs.orders.domain import Address, Money, OrderLine, StatusChange
from subgraphs.orders.order_life import OrderStatus, Stage
from subgraphs.orders.refusal import RefusalError
from tests.subgraphs.orders.examples import ADDRESS, ANVIL, LAMP, MUG, NOW, OLD_POT, a_request


def problems_of(request: OrderRequest) -> list[tuple[str, str | None]]:
    with pytest.raises(RefusalError) as refused:
        check_request(request)
    return [(problem.code, problem.field) for problem in refused.value.problems]


def an_address(**changes: Any) -> Address:
    return replace(ADDRESS, **changes)


@pytest.mark.parametrize(
    ("request_", "problem"),
    [
        (a_request(lines=()), ("ORDER_EMPTY", "lines")),
        (a_request(lines=tuple(LineRequest(f"P-{n}", 1) for n in range(101))), ("TOO_MANY_LINES", "lines")),
        (a_request(lines=(LineRequest("MUG-001", 0),)), ("QUANTITY_INVALID", "lines.0.quantity")),
        (a_request(lines=(LineRequest("MUG-001", -1),)), ("QUANTITY_INVALID", "lines.0.quantity")),
        (a_request(lines=(LineRequest("MUG-001", 1000),)), ("QUANTITY_INVALID", "lines.0.quantity")),
        (a_request(lines=(LineRequest("MUG-001", 10**9),)), ("QUANTITY_INVALID", "lines.0.quantity")),
        (a_request(lines=(LineRequest("A", 1), LineRequest("A", 1))), ("PRODUCT_REPEATED", "lines.1.productId")),
        (a_request(lines=(LineRequest("", 1),)), ("PRODUCT_UNKNOWN", "lines.0.productId")),
        (a_request(lines=(LineRequest("\ud800", 1),)), ("PRODUCT_UNKNOWN", "lines.0.productId")),
        (a_request(lines=(LineRequest("A" * 65, 1),)), ("PRODUCT_UNKNOWN", "lines.0.productId")),
        (a_request(payment_token="4242 4242 4242 4242"), ("PAYMENT_METHOD_INVALID", "paymentMethod.token")),
        (a_request(payment_token="tok_4242424242424242"), ("PAYMENT_METHOD_INVALID", "paymentMethod.token")),
        (a_request(payment_token="tok_4242_4242_4242_4242"), ("PAYMENT_METHOD_INVALID", "paymentMethod.token")),
        (a_request(payment_token="tok_"), ("PAYMENT_METHOD_INVALID", "paymentMethod.token")),
        (a_request(payment_token="tok_approved\n"), ("PAYMENT_METHOD_INVALID", "paymentMethod.token")),
        (a_request(payment_token="tok_" + "a" * 65), ("PAYMENT_METHOD_INVALID", "paymentMethod.token")),
        (a_request(idempotency_key=""), ("IDEMPOTENCY_KEY_INVALID", "idempotencyKey")),
        (a_request(idempotency_key="k" * 201), ("IDEMPOTENCY_KEY_INVALID", "idempotencyKey")),
        (a_request(idempotency_key="k\x00"), ("IDEMPOTENCY_KEY_INVALID", "idempotencyKey")),
    ],
)
def test_a_wrong_request_is_refused_with_code_and_field(request_: OrderRequest, problem: tuple[str, str]) -> None:
    assert problems_of(request_) == [problem]


@pytest.mark.parametrize(
    ("field", "path", "value"),
    [
        ("name", "name", " "),
        ("name", "name", "n" * 101),
        ("line1", "line1", ""),
        ("line2", "line2", "\x07"),
        ("city", "city", "Lon\ndon"),
        ("postal_code", "postalCode", ""),
        ("postal_code", "postalCode", "1" * 17),
        ("postal_code", "postalCode", "<b>"),
        ("country_code", "countryCode", "GBR"),
        ("country_code", "countryCode", "G1"),
        ("country_code", "countryCode", ""),
    ],
)
def test_a_wrong_address_is_refused_with_the_field(field: str, path: str, value: str) -> None:
    request = a_request(shipping_address=an_address(**{field: value}))
    assert problems_of(request) == [("ADDRESS_INVALID", f"shippingAddress.{path}")]


def test_all_that_is_wrong_is_told_at_once() -> None:
    request = a_request(lines=(), payment_token="x", shipping_address=an_address(city="", country_code="?"))
    assert [code for code, _ in problems_of(request)] == [
        "ORDER_EMPTY",
        "ADDRESS_INVALID",
        "ADDRESS_INVALID",
        "PAYMENT_METHOD_INVALID",
    ]


def test_an_address_is_trimmed_and_its_country_is_in_capitals() -> None:
    given = Address(" Ada ", " Street 1 ", "  ", " Paris ", " 75001 ", "fr")
    checked = check_request(a_request(shipping_address=given))
    assert checked.shipping_address == Address("Ada", "Street 1", None, "Paris", "75001", "FR")


def test_the_limits_themselves_are_accepted() -> None:
    lines = tuple(LineRequest(f"P-{n}", 999) for n in range(100))
    assert check_request(a_request(lines=lines)).lines == lines


def test_lines_have_the_prices_of_the_products_and_never_of_the_client() -> None:
    lines = price_lines(
        a_request(lines=(LineRequest("LMP-001", 1), LineRequest("MUG-001", 3))), {"MUG-001": MUG, "LMP-001": LAMP}
    )
    assert lines == (OrderLine("LMP-001", 1, Money(8900), 2100), OrderLine("MUG-001", 3, Money(1250), 400))
    assert [line.total for line in lines] == [Money(8900), Money(3750)]


def test_products_that_cannot_be_sold_are_told_by_line() -> None:
    dollars = replace(LAMP, id="USD-001", price=Money(100, "USD"))
    requested = tuple(LineRequest(product_id, 1) for product_id in ("MUG-001", "NOPE", "POT-009", "USD-001", "ANV-001"))
    known = {"MUG-001": MUG, "POT-009": OLD_POT, "USD-001": dollars, "ANV-001": ANVIL}
    with pytest.raises(RefusalError) as refused:
        price_lines(a_request(lines=requested), known)
    assert [(problem.code, problem.message, problem.field) for problem in refused.value.problems] == [
        ("PRODUCT_UNKNOWN", "There is no such product.", "lines.1.productId"),
        ("PRODUCT_INACTIVE", "Old pot is no longer sold.", "lines.2.productId"),
        ("CURRENCY_NOT_SUPPORTED", "Desk lamp is priced in USD; this shop sells in EUR.", "lines.3.productId"),
        (
            "ITEM_TOO_HEAVY",
            "One piece of Anvil is heavier than the 30 kg that a parcel may weigh.",
            "lines.4.productId",
        ),
    ]


def test_a_placed_order_adds_up_and_begins_its_history() -> None:
    lines = (OrderLine("MUG-001", 2, Money(1250), 400),)
    order = place_order(a_request(), "cus_ada", lines, Money(990), "G-2026-000001", NOW)
    assert (order.subtotal, order.shipping_fee, order.total) == (Money(2500), Money(990), Money(3490))
    assert order.stage is Stage.PLACED
    assert order.history == (StatusChange(None, OrderStatus.PENDING, NOW, "Order placed."),)
    assert (order.placed_at, order.updated_at) == (NOW, NOW)


def test_the_id_is_that_of_customer_and_key_alone() -> None:
    assert order_id("cus_ada", "1") == order_id("cus_ada", "1")
    assert (
        len({order_id("cus_ada", "1"), order_id("cus_ada", "2"), order_id("cus_bob", "1"), order_id("cus_ada1", "")})
        == 4
    )
    assert order_id("cus_ada", "1").startswith("ord_")
    assert len(order_id("cus_ada", "1")) == 36


@pytest.mark.parametrize(
    "other",
    [
        a_request(lines=(LineRequest("MUG-001", 3),)),
        a_request(lines=(LineRequest("LMP-001", 2),)),
        a_request(payment_token="tok_slow"),
        a_request(shipping_address=an_address(line2="Flat 2")),
    ],
)
def test_another_request_has_another_fingerprint(other: OrderRequest) -> None:
    assert fingerprint(other) != fingerprint(a_request())


def test_the_key_is_no_part_of_the_fingerprint() -> None:
    assert fingerprint(a_request(idempotency_key="other")) == fingerprint(a_request())


@pytest.mark.parametrize(
    ("randomness", "number"), [(0, "G-2026-000000"), (1, "G-2026-100000"), (2**30 - 1, "G-2026-ZZZZZZ")]
)
def test_a_number_is_six_letters_and_digits_that_are_not_mistaken(randomness: int, number: str) -> None:
    assert order_number(2026, randomness) == number


def test_money_of_two_currencies_is_never_added() -> None:
    with pytest.raises(ValueError, match="cannot add USD to EUR"):
        Money(1) + Money(1, "USD")


@pytest.mark.parametrize(("minor", "text"), [(0, "0.00"), (5, "0.05"), (1250, "12.50"), (100_000, "1000.00")])
def test_an_amount_has_two_decimals(minor: int, text: str) -> None:
    assert str(Money(minor).amount) == text


EXPECTED = (LineRequest("LMP-001", 1, LAMP.price), LineRequest("MUG-001", 3, Money(1100)))
PRODUCTS = {"MUG-001": MUG, "LMP-001": LAMP}


def test_a_price_that_changed_since_it_was_shown_is_told_with_the_new_one() -> None:
    with pytest.raises(RefusalError) as refused:
        price_lines(a_request(lines=EXPECTED), PRODUCTS)
    [problem] = refused.value.problems
    assert (problem.code, problem.field) == ("PRICE_CHANGED", "lines.1.expectedUnitPrice")
    assert problem.message == (
        "Mug costs 12.50 EUR now, not 11.00 EUR: order again at that price, or accept price changes."
    )


def test_a_price_that_changed_is_taken_where_the_client_accepts_changes() -> None:
    lines = price_lines(a_request(lines=EXPECTED, accept_price_change=True), PRODUCTS)
    assert [line.unit_price for line in lines] == [LAMP.price, MUG.price]


def test_expected_prices_are_no_part_of_what_was_ordered() -> None:
    plain = tuple(LineRequest(line.product_id, line.quantity) for line in EXPECTED)
    assert fingerprint(a_request(lines=EXPECTED)) == fingerprint(a_request(lines=plain, accept_price_change=True))
