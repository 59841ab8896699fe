"""Double entry: each answer of the provider adds postings that sum to zero, and the accounts say what happened."""

from __future__ import annotations

import pytest

from subgraphs.payments.domain import Declined, OrderFact
from subgraphs.payments.ledger import (
    Account,
    Posting,
    post_capture,
    post_hold,
    post_refund,
    post_release,
    sum_by_account,
)
from subgraphs.payments.refunds import ReturnReceived, ReturnRequested
from subgraphs.payments.steps import News
from tests.subgraphs.payments.examples import MUGS, REST, TOTAL, WHOLE, a_payment
from tests.subgraphs.payments.test_captures import told

A = Account


@pytest.mark.parametrize("post", [post_hold, post_release, post_capture, post_refund])
def test_every_kind_of_entry_sums_to_zero(post: object) -> None:
    assert callable(post)
    assert sum(posting.amount_minor for posting in post(5990)) == 0
    assert post(0) == ()


def test_a_capture_releases_the_hold_and_books_the_revenue() -> None:
    assert post_capture(2000) == (
        Posting(A.CUSTOMER, 2000),
        Posting(A.HOLD, -2000),
        Posting(A.RECEIVABLE, 2000),
        Posting(A.REVENUE, -2000),
    )


@pytest.mark.parametrize(
    ("news", "balances"),
    [
        ((), (0, 0, 0, 0, 0)),
        ((OrderFact.RESERVED,), (-5990, 5990, 0, 0, 0)),
        ((OrderFact.RESERVED, MUGS), (-3500, 3500, 2490, -2490, 0)),
        ((OrderFact.RESERVED, MUGS, REST), (0, 0, 5990, -5990, 0)),
        ((OrderFact.RESERVED, OrderFact.CANCELLED), (0, 0, 0, 0, 0)),
        ((OrderFact.RESERVED, MUGS, OrderFact.CANCELLED), (0, 0, 0, -2490, 2490)),
        (
            (OrderFact.RESERVED, WHOLE, ReturnRequested("ret_1", TOTAL, "Too small."), ReturnReceived("ret_1")),
            (0, 0, 0, -5990, 5990),
        ),
    ],
)
def test_the_accounts_of_a_payment(news: tuple[News, ...], balances: tuple[int, ...]) -> None:
    found = sum_by_account(told(a_payment(), *news).postings())
    assert tuple(found[account] for account in (A.CUSTOMER, A.HOLD, A.RECEIVABLE, A.REVENUE, A.REFUNDS)) == balances
    assert sum(found.values()) == 0


def test_a_refusal_of_the_provider_moves_nothing() -> None:
    payment = told(a_payment(), OrderFact.RESERVED, outcome=Declined("EXPIRED_CARD", "The card has expired."))
    assert len(payment.transactions) == 1
    assert list(payment.postings()) == []
