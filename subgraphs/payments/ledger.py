"""The ledger: double entry, so that the sum of all postings is zero at any time.

Each answer of the provider that moves money carries its postings within itself: they are written by the same atomic
update, and can be neither lost nor doubled on their own. A posting is positive where it debits its account.

::

    authorised 59.90 -> HOLD +59.90, CUSTOMER -59.90
    captured   20.00 -> CUSTOMER +20.00, HOLD -20.00, RECEIVABLE +20.00, REVENUE -20.00
    refunded   10.00 -> REFUNDS +10.00, RECEIVABLE -10.00
    voided     39.90 -> CUSTOMER +39.90, HOLD -39.90
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Account(StrEnum):
    """The accounts: what is held for us and on whose side, what the provider owes us, what was sold and given back."""

    CUSTOMER = "CUSTOMER"
    HOLD = "HOLD"
    RECEIVABLE = "RECEIVABLE"
    REVENUE = "REVENUE"
    REFUNDS = "REFUNDS"


@dataclass(frozen=True, slots=True)
class Posting:
    """An amount in minor units on one account: a debit where it is positive, else a credit."""

    account: Account
    amount_minor: int


Postings = tuple[Posting, ...]


def post_hold(amount_minor: int) -> Postings:
    """The customer's bank holds the amount for us."""
    return _transfer(Account.HOLD, Account.CUSTOMER, amount_minor)


def post_release(amount_minor: int) -> Postings:
    """The customer's bank holds the amount no longer."""
    return _transfer(Account.CUSTOMER, Account.HOLD, amount_minor)


def post_capture(amount_minor: int) -> Postings:
    """Some of what is held becomes revenue, which the provider owes us."""
    return post_release(amount_minor) + _transfer(Account.RECEIVABLE, Account.REVENUE, amount_minor)


def post_refund(amount_minor: int) -> Postings:
    """The provider gives some of what it owes us to the customer."""
    return _transfer(Account.REFUNDS, Account.RECEIVABLE, amount_minor)


def sum_by_account(postings: Iterable[Posting]) -> Mapping[Account, int]:
    """The balance of every account in minor units; their sum is zero."""
    balances = Counter(dict.fromkeys(Account, 0))
    for posting in postings:
        balances[posting.account] += posting.amount_minor
    return balances


def _transfer(debit: Account, credit: Account, amount_minor: int) -> Postings:
    return (Posting(debit, amount_minor), Posting(credit, -amount_minor)) if amount_minor else ()
