"""The payment provider: what this service needs of one, and a sandbox that answers by test tokens.

A provider keeps these promises: a call repeated under its key has one effect and the same answer; a void ends whatever
is held for the payment (nothing, too), and an authorisation that reaches it afterwards is declined. Card numbers stay
with the provider: this service sees a token, and of the card its brand and last four digits.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from subgraphs.payments.domain import Approved, Declined, InProgress, Outcome, Step, TransactionKind

SLOW_ANSWER_S = 3.0
"""How long the sandbox thinks about ``tok_slow``."""


class ProviderUnavailableError(Exception):
    """The provider gave no answer: whether the call had an effect is unknown, and it must be repeated under its key."""


class PaymentProvider(Protocol):
    """A payment provider."""

    async def perform(self, step: Step) -> Outcome:
        """Make the call; raises ProviderUnavailableError where there is no answer."""

    def describe_method(self, token: str) -> str:
        """What to show of the card behind ``token``, such as "Visa •••• 4242"; never its number."""


@dataclass(frozen=True, slots=True)
class TestCard:
    """What the sandbox does when a card is authorised."""

    __test__ = False  # not for pytest, in spite of its name

    method: str
    decline: Declined | None = None
    slow: bool = False
    unreachable: bool = False


TEST_CARDS: Mapping[str, TestCard] = {
    "tok_approved": TestCard("Visa •••• 4242"),
    "tok_declined_insufficient_funds": TestCard(
        "Visa •••• 9995", Declined("INSUFFICIENT_FUNDS", "The account does not cover the amount.")
    ),
    "tok_declined_expired_card": TestCard("Mastercard •••• 0069", Declined("EXPIRED_CARD", "The card has expired.")),
    "tok_declined_fraud": TestCard(
        "Visa •••• 0019", Declined("FRAUD_SUSPECTED", "The payment provider suspects fraud.")
    ),
    "tok_slow": TestCard("Mastercard •••• 4444", slow=True),
    "tok_unreachable": TestCard("Visa •••• 0341", unreachable=True),
}


class SandboxProvider:
    """A provider without money: authorisations go as ``TEST_CARDS`` says, everything else is approved.

    It keeps nothing, so its answer to a repeated call is the same in any process at any time.
    """

    def __init__(self, clock: Callable[[], datetime], slow_answer_s: float = SLOW_ANSWER_S) -> None:
        self._clock = clock
        self._slow_answer_s = slow_answer_s

    async def perform(self, step: Step) -> Outcome:
        """See :class:`PaymentProvider`."""
        if step.kind is not TransactionKind.AUTHORIZATION:
            return Approved()
        card = TEST_CARDS.get(step.token)
        if card is None:
            return Declined("UNKNOWN_PAYMENT_TOKEN", "The payment provider does not know this payment token.")
        if card.unreachable:
            raise ProviderUnavailableError("the payment provider cannot be reached")
        if card.slow and not self._has_decided(step):
            return InProgress(retry_after_s=1.0)
        return card.decline or Approved()

    def describe_method(self, token: str) -> str:
        """See :class:`PaymentProvider`."""
        card = TEST_CARDS.get(token)
        return card.method if card else "Unknown card"

    def _has_decided(self, step: Step) -> bool:
        asked_at = step.first_at or self._clock()
        return self._clock() >= asked_at + timedelta(seconds=self._slow_answer_s)
