"""Signed webhooks: who knows the secret and sends now is believed, nobody else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from subgraphs.chassis.errors import CodedError
from subgraphs.chassis.identity.webhooks import check_secret, sign, verify

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECRET = SecretStr("a-secret-of-at-least-32-characters")
OTHER = SecretStr("another-one-of-at-least-32-characters")
BODY = b'{"id":"evt_1"}'
SIGNED = sign(SECRET, BODY, NOW)


@pytest.mark.parametrize("late_s", [-300, 0, 300])
def test_a_signature_is_good_for_some_minutes(late_s: int) -> None:
    verify(SECRET, SIGNED, BODY, NOW + timedelta(seconds=late_s))


def test_two_signatures_stand_side_by_side_while_the_secret_is_rotated() -> None:
    verify(SECRET, f"{sign(OTHER, BODY, NOW)},{SIGNED.partition(',')[2]}", BODY, NOW)


@pytest.mark.parametrize(
    ("header", "body", "now"),
    [
        (None, BODY, NOW),
        ("", BODY, NOW),
        ("nonsense", BODY, NOW),
        ("t=,v1=", BODY, NOW),
        (f"t={'9' * 400},v1=00", BODY, NOW),
        ("t=1772366400,v1=\u00e9", BODY, NOW),
        (sign(OTHER, BODY, NOW), BODY, NOW),
        (SIGNED.replace("t=1", "t=2"), BODY, NOW),
        (SIGNED, b'{"id":"evt_2"}', NOW),
        (SIGNED, BODY, NOW + timedelta(seconds=301)),
        (SIGNED, BODY, NOW - timedelta(seconds=301)),
    ],
)
def test_anything_else_is_refused_with_one_sentence(header: str | None, body: bytes, now: datetime) -> None:
    with pytest.raises(CodedError) as refused:
        verify(SECRET, header, body, now)
    assert refused.value.code == "SIGNATURE_INVALID"
    assert refused.value.message == (
        "Sign `<seconds>.<body>` with the shared secret, and send it within 300 s in webhook-signature."
    )


def test_a_secret_that_can_be_guessed_is_refused() -> None:
    with pytest.raises(ValueError, match="must have at least 32 characters"):
        check_secret(SecretStr("short"))
    assert check_secret(SECRET) is SECRET
    assert check_secret(None) is None
