"""The enums of the schema of payments, and what each of their values means."""

from __future__ import annotations

from subgraphs.chassis.graphql.descriptions import describe_enum
from subgraphs.payments.domain import PaymentStatus, SettlementStatus, TransactionKind, TransactionStatus
from subgraphs.payments.ledger import Account

__all__ = ["Account", "PaymentStatus", "SettlementStatus", "TransactionKind", "TransactionStatus"]

describe_enum(
    PaymentStatus,
    "Where a payment stands.",
    {
        PaymentStatus.PENDING: "Nothing is held yet.",
        PaymentStatus.AUTHORIZED: "The customer's bank holds the amount for us.",
        PaymentStatus.DECLINED: "The payment provider refused; nothing is held.",
        PaymentStatus.PARTIALLY_CAPTURED: "Taken for some parcels, the rest is still held.",
        PaymentStatus.CAPTURED: "Taken, and nothing is held any more.",
        PaymentStatus.PARTIALLY_REFUNDED: "Some of what was taken was given back.",
        PaymentStatus.REFUNDED: "All that was taken was given back.",
        PaymentStatus.VOIDED: "Let go before anything was taken.",
    },
)
describe_enum(
    TransactionKind,
    "What the payment provider was asked.",
    {
        TransactionKind.AUTHORIZATION: "To hold the amount.",
        TransactionKind.CAPTURE: "To take what a parcel costs of what is held.",
        TransactionKind.VOID: "To let go of what is held.",
        TransactionKind.REFUND: "To give back some of what was taken.",
    },
)
describe_enum(
    TransactionStatus,
    "What the payment provider answered.",
    {
        TransactionStatus.SUCCEEDED: "It was done.",
        TransactionStatus.FAILED: "It will not be done.",
    },
)
describe_enum(
    SettlementStatus,
    "PENDING until the payment provider has answered; it is asked again.",
    {
        SettlementStatus.PENDING: "The payment provider has not answered yet.",
        SettlementStatus.SUCCEEDED: "The money was given back.",
        SettlementStatus.FAILED: "The payment provider refused; the amount can be refunded anew.",
    },
    name="RefundStatus",
)
describe_enum(
    Account,
    "An account of the ledger.",
    {
        Account.CUSTOMER: "What customers' banks hold for us, on their side.",
        Account.HOLD: "What customers' banks hold for us, on our side.",
        Account.RECEIVABLE: "What the payment provider owes us.",
        Account.REVENUE: "What was sold.",
        Account.REFUNDS: "What was given back.",
    },
    name="LedgerAccount",
)
