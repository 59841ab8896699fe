"""A payment provider with money: it knows a repeated call by its key, and notes the demands that no bank would meet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from subgraphs.payments.domain import Approved, Declined, InProgress, Outcome, Step, TransactionKind
from subgraphs.payments.provider import SandboxProvider


@dataclass(slots=True)
class Account:
    """What the bank holds, took and gave back for one payment, in minor units."""

    authorized: int = 0
    captured: int = 0
    refunded: int = 0
    voided: bool = False

    @property
    def held(self) -> int:
        """What is set aside and not taken."""
        return 0 if self.voided else self.authorized - self.captured


@dataclass(slots=True)
class Bank:
    """Implements :class:`subgraphs.payments.provider.PaymentProvider`; cards answer as the sandbox's do."""

    clock: Callable[[], datetime]
    accounts: dict[str, Account] = field(default_factory=dict)
    answers: dict[str, Outcome] = field(default_factory=dict)
    demands_refused: list[str] = field(default_factory=list)

    def describe_method(self, token: str) -> str:
        return SandboxProvider(self.clock).describe_method(token)

    async def perform(self, step: Step) -> Outcome:
        if step.key in self.answers:
            return self.answers[step.key]
        account = self.accounts.setdefault(step.payment_id, Account())
        outcome = await self._outcome(step, account)
        if not isinstance(outcome, InProgress):
            self.answers[step.key] = outcome
        return outcome

    async def _outcome(self, step: Step, account: Account) -> Outcome:
        amount = step.amount.amount_minor
        match step.kind:
            case TransactionKind.AUTHORIZATION if not account.voided:
                outcome = await SandboxProvider(self.clock).perform(step)
                account.authorized = amount if isinstance(outcome, Approved) else 0
                return outcome
            case TransactionKind.CAPTURE if amount <= account.held:
                account.captured += amount
                return Approved()
            case TransactionKind.VOID:
                account.voided = True
                return Approved()
            case TransactionKind.REFUND if amount <= account.captured - account.refunded:
                account.refunded += amount
                return Approved()
            case TransactionKind.AUTHORIZATION:
                return Declined("VOIDED", "This payment was voided before.")
            case _:
                self.demands_refused.append(f"{step.kind} of {amount} over {account}")
                return Declined("REFUSED", "No bank would do that.")
