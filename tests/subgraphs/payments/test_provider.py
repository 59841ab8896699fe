"""The sandbox provider gives each outcome that its test tokens name, and the same one for a repeated call."""

from datetime import UTC, datetime, timedelta

import pytest

from subgraphs.payments.domain import Approved, Declined, InProgress, Money, Step, TransactionKind
from subgraphs.payments.provider import TEST_CARDS, ProviderUnavailableError, SandboxProvider

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def authorization(token: str, first_at: datetime | None = None) -> Step:
    return Step(TransactionKind.AUTHORIZATION, "pay_1:authorization", "pay_1", Money(100, "EUR"), token, first_at)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("token", "outcome"),
    [
        ("tok_approved", Approved()),
        (
            "tok_declined_insufficient_funds",
            Declined("INSUFFICIENT_FUNDS", "The account does not cover the amount."),
        ),
        ("tok_declined_expired_card", Declined("EXPIRED_CARD", "The card has expired.")),
        ("tok_declined_fraud", Declined("FRAUD_SUSPECTED", "The payment provider suspects fraud.")),
        (
            "tok_nobody_knows",
            Declined("UNKNOWN_PAYMENT_TOKEN", "The payment provider does not know this payment token."),
        ),
    ],
)
async def test_each_token_has_its_outcome(token: str, outcome: Approved | Declined) -> None:
    provider = SandboxProvider(lambda: NOW)
    assert await provider.perform(authorization(token)) == outcome
    assert await provider.perform(authorization(token, NOW)) == outcome


@pytest.mark.asyncio
async def test_a_slow_answer_comes_after_some_seconds() -> None:
    moments = iter([NOW, NOW, NOW + timedelta(seconds=2.9), NOW + timedelta(seconds=3)])
    provider = SandboxProvider(lambda: next(moments))
    assert await provider.perform(authorization("tok_slow")) == InProgress(1.0)
    assert await provider.perform(authorization("tok_slow", NOW)) == InProgress(1.0)
    assert await provider.perform(authorization("tok_slow", NOW)) == Approved()


@pytest.mark.asyncio
async def test_an_unreachable_provider_gives_no_answer() -> None:
    with pytest.raises(ProviderUnavailableError, match="the payment provider cannot be reached"):
        await SandboxProvider(lambda: NOW).perform(authorization("tok_unreachable"))


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", [TransactionKind.CAPTURE, TransactionKind.VOID, TransactionKind.REFUND])
async def test_calls_after_the_authorisation_are_approved(kind: TransactionKind) -> None:
    step = Step(kind, "pay_1:step", "pay_1", Money(100, "EUR"), "tok_unreachable")
    assert await SandboxProvider(lambda: NOW).perform(step) == Approved()


@pytest.mark.parametrize("token", [*TEST_CARDS, "tok_nobody_knows"])
def test_a_method_shows_four_digits_at_most(token: str) -> None:
    method = SandboxProvider(lambda: NOW).describe_method(token)
    assert sum(character.isdigit() for character in method) <= 4
