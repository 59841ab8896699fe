"""The GraphQL schema of payments: an order's payment, and refunds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Self, TypeAlias

import strawberry
from strawberry.dataloader import DataLoader

from subgraphs.chassis.graphql.graphql_schema import service_schema
from subgraphs.chassis.graphql.loading import batch_loader
from subgraphs.chassis.graphql.minor_units import to_hundredths
from subgraphs.chassis.graphql.request_context import RequestContext
from subgraphs.chassis.graphql.user_error import UserError, user_error
from subgraphs.chassis.identity.auth import require_scope, require_user
from subgraphs.payments import domain, ledger
from subgraphs.payments.enums import Account, PaymentStatus, SettlementStatus, TransactionKind, TransactionStatus
from subgraphs.payments.refunds import RefundRequest
from subgraphs.payments.service import Payments

READ_ALL = "orders:read-all"
REFUND = "payments:refund"


@dataclass(frozen=True, slots=True)
class Loaders:
    """The loaders of one request."""

    payments: DataLoader[str, domain.Payment | None]
    payments_of_orders: DataLoader[str, domain.Payment | None]


def make_loaders(payments: Payments) -> Loaders:
    """Fresh loaders: what one request has seen is not remembered for the next."""
    return Loaders(batch_loader(payments.store.payments), batch_loader(payments.store.payments_of_orders))


Info: TypeAlias = strawberry.Info[RequestContext[Payments, Loaders], None]
PaymentId: TypeAlias = Annotated[strawberry.ID, strawberry.argument(description="The payment's id.")]


@strawberry.federation.type(shareable=True, description="An amount in an ISO 4217 currency.")
class Money:
    """An amount in an ISO 4217 currency."""

    amount: Decimal = strawberry.field(description="In the major unit, with two decimals, such as 12.50.")
    currency_code: str = strawberry.field(description="ISO 4217, such as EUR.")

    @classmethod
    def of(cls, money: domain.Money) -> Self:
        """The GraphQL form: 1250 EUR cents are ``12.50``."""
        return cls(amount=Decimal(money.amount_minor).scaleb(-2), currency_code=money.currency_code)


@strawberry.input(description="An amount in an ISO 4217 currency, with at most two decimals.")
class MoneyInput:
    """An amount in an ISO 4217 currency."""

    amount: Decimal = strawberry.field(description="In the major unit, with at most two decimals, such as 12.50.")
    currency_code: str = strawberry.field(default=domain.CURRENCY, description="ISO 4217, such as EUR.")

    def to_domain(self) -> domain.Money:
        """The amount in minor units; raises PaymentError(AMOUNT_INVALID) for fractions of a cent."""
        minor = to_hundredths(self.amount)
        if minor is None:
            message = "Give an amount with at most two decimals, such as 12.50."
            raise domain.PaymentError("AMOUNT_INVALID", message, "amount.amount")
        return domain.Money(minor, self.currency_code)


@strawberry.type(description="One answer of the payment provider.")
class Transaction:
    """One answer of the payment provider."""

    id: strawberry.ID = strawberry.field(description="Begins with txn_.")
    kind: TransactionKind = strawberry.field(description="What was asked.")
    amount: Money = strawberry.field(description="How much it was asked for.")
    at: datetime = strawberry.field(description="When it answered.")
    status: TransactionStatus = strawberry.field(description="What it answered.")
    reason: str | None = strawberry.field(description="Why it failed; null where it did not.")

    @classmethod
    def of(cls, transaction: domain.Transaction) -> Self:
        """The GraphQL form."""
        return cls(
            id=strawberry.ID(transaction.id),
            kind=transaction.kind,
            amount=Money.of(transaction.amount),
            at=transaction.at,
            status=transaction.status,
            reason=transaction.reason,
        )


@strawberry.type(description="Money that is given back.")
class Refund:
    """Money that is given back."""

    id: strawberry.ID = strawberry.field(description="Begins with ref_.")
    amount: Money = strawberry.field(description="How much is given back.")
    reason: str = strawberry.field(description="Why, for people.")
    status: SettlementStatus = strawberry.field(description="Whether the provider has given it back.")
    at: datetime = strawberry.field(description="When it was asked for.")

    @classmethod
    def of(cls, refund: domain.Refund) -> Self:
        """The GraphQL form."""
        return cls(
            id=strawberry.ID(refund.id),
            amount=Money.of(refund.amount),
            reason=refund.reason,
            status=refund.status,
            at=refund.at,
        )


@strawberry.type(description="The bill of a parcel, issued when its money is captured.")
class Invoice:
    """The bill."""

    number: str = strawberry.field(description="Without gaps within a year, such as INV-2026-000042.")
    issued_at: datetime = strawberry.field(description="When the money was captured.")
    total: Money = strawberry.field(description="What the parcel cost.")

    @classmethod
    def of(cls, invoice: domain.Invoice) -> Self:
        """The GraphQL form."""
        return cls(number=invoice.number, issued_at=invoice.issued_at, total=Money.of(invoice.total))


@strawberry.type(description="One posting of the ledger: a debit where its amount is positive, else a credit.")
class LedgerEntry:
    """One posting of the ledger."""

    transaction_id: strawberry.ID = strawberry.field(description="The transaction that it belongs to.")
    at: datetime = strawberry.field(description="When the provider answered.")
    account: Account = strawberry.field(description="Where it is posted.")
    amount: Money = strawberry.field(description="A debit where it is positive, else a credit.")

    @classmethod
    def of(cls, transaction: domain.Transaction, posting: ledger.Posting) -> Self:
        """The GraphQL form."""
        return cls(
            transaction_id=strawberry.ID(transaction.id),
            at=transaction.at,
            account=posting.account,
            amount=Money.of(domain.Money(posting.amount_minor, transaction.amount.currency_code)),
        )


@strawberry.type(description="What the postings on one account add up to.")
class LedgerBalance:
    """What the postings on one account add up to."""

    account: Account = strawberry.field(description="Whose balance it is.")
    amount: Money = strawberry.field(description="A debit where it is positive, else a credit.")


@strawberry.type(description="The double-entry ledger of a payment: its entries, and its balances, add up to zero.")
class Ledger:
    """The double-entry ledger of a payment."""

    entries: list[LedgerEntry] = strawberry.field(description="Every posting, the oldest first.")
    balances: list[LedgerBalance] = strawberry.field(description="What each account comes to.")

    @classmethod
    def of(cls, payment: domain.Payment) -> Self:
        """The GraphQL form."""
        currency = payment.amount.currency_code
        balances = ledger.sum_by_account(payment.postings())
        return cls(
            entries=[LedgerEntry.of(each, posting) for each in payment.transactions for posting in each.postings],
            balances=[
                LedgerBalance(account=account, amount=Money.of(domain.Money(minor, currency)))
                for account, minor in balances.items()
            ],
        )


@strawberry.federation.type(keys=["id"], description="An order; only its customer and staff see it.")
class Order:
    """What payments knows of an order: its payment."""

    id: strawberry.ID = strawberry.field(description="Begins with ord_; the same in all services.")

    @classmethod
    def resolve_reference(cls, info: Info, id: strawberry.ID) -> Self:  # noqa: A002 - the key's name
        """Any order: whether it has a payment is the field's to say."""
        return cls(id=id)

    @strawberry.field
    async def payment(self, info: Info) -> Payment | None:
        """The payment of this order; null until the order has reached payments, or where it is somebody else's."""
        require_user(info.context.auth)
        return Payment.visible(info, await info.context.loaders.payments_of_orders.load(self.id))


@strawberry.federation.type(keys=["id"], description="The payment of an order.")
class Payment:
    """The payment of an order."""

    id: strawberry.ID = strawberry.field(description="Begins with pay_.")
    order: Order = strawberry.field(description="What is paid.")
    status: PaymentStatus = strawberry.field(description="Where it stands.")
    amount: Money = strawberry.field(description="What the order costs.")
    captured: Money = strawberry.field(description="What was taken so far.")
    refunded: Money = strawberry.field(description="What was given back so far.")
    method: str = strawberry.field(description="The card, masked.")
    transactions: list[Transaction] = strawberry.field(description="The provider's answers, the oldest first.")
    refunds: list[Refund] = strawberry.field(description="What was given back or is to be, the oldest first.")
    invoice: Invoice | None = strawberry.field(description="The first one; null until money is captured.")
    invoices: list[Invoice] = strawberry.field(description="One for each parcel that was captured, the oldest first.")
    source: strawberry.Private[domain.Payment]

    @strawberry.field
    def ledger(self, info: Info) -> Ledger:
        """The ledger; an error FORBIDDEN for whoever may not read all payments."""
        require_scope(info.context.auth, READ_ALL)
        return Ledger.of(self.source)

    @classmethod
    def of(cls, payment: domain.Payment) -> Self:
        """The GraphQL form."""
        return cls(
            id=strawberry.ID(payment.id),
            order=Order(id=strawberry.ID(payment.order_id)),
            status=payment.status,
            amount=Money.of(payment.amount),
            captured=Money.of(payment.captured),
            refunded=Money.of(payment.refunded),
            method=payment.method,
            transactions=[Transaction.of(transaction) for transaction in payment.transactions],
            refunds=[Refund.of(refund) for refund in payment.refunds],
            invoice=Invoice.of(payment.invoices[0]) if payment.invoices else None,
            invoices=[Invoice.of(invoice) for invoice in payment.invoices],
            source=payment,
        )

    @classmethod
    def visible(cls, info: Info, payment: domain.Payment | None) -> Self | None:
        """The GraphQL form of a payment that the client may see; None for any other."""
        if payment is None or not info.context.auth.may_see(payment.customer_id, READ_ALL):
            return None
        return cls.of(payment)

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> Self | None:  # noqa: A002 - the key's name
        """The payment of that id; None where there is none that the client may see."""
        require_user(info.context.auth)
        return cls.visible(info, await info.context.loaders.payments.load(id))


@strawberry.type(description="The payment after the refund, or why it was refused.")
class RefundPaymentPayload:
    """The payment after the refund, or why it was refused."""

    payment: Payment | None = strawberry.field(default=None, description="The payment; null where it was refused.")
    refund: Refund | None = strawberry.field(default=None, description="The refund; null where it was refused.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why it was refused; else empty.")


@strawberry.type
class Query:
    """Payments: a customer's own, all for staff."""

    @strawberry.field
    async def payment(self, info: Info, id: PaymentId) -> Payment | None:  # noqa: A002 - the contract's name
        """The payment of that id; null where there is none that you may see."""
        return await Payment.resolve_reference(info, id)


@strawberry.type
class Mutation:
    """For staff."""

    @strawberry.mutation
    async def refund_payment(
        self,
        info: Info,
        payment_id: PaymentId,
        amount: Annotated[MoneyInput, strawberry.argument(description="How much, up to what is left of the captured.")],
        reason: Annotated[str, strawberry.argument(description="Why, for people: 1 to 500 characters.")],
        idempotency_key: Annotated[
            str,
            strawberry.argument(description="Such as a UUID: a repeat returns the first result."),
        ],
    ) -> RefundPaymentPayload:
        """Give back captured money, all or part of it, once per idempotency key."""
        require_scope(info.context.auth, REFUND)
        try:
            request = RefundRequest(amount.to_domain(), reason, idempotency_key)
            result = await info.context.service.refund(payment_id, request)
        except domain.PaymentError as error:
            return RefundPaymentPayload(user_errors=[user_error(error)])
        return RefundPaymentPayload(payment=Payment.of(result.payment), refund=Refund.of(result.refund))


schema = service_schema(Query, Mutation, [Order, Payment])
