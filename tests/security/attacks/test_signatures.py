"""Signed requests of the router, recorded on their way to a service and sent again as something else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.chassis.identity.test_router_signature import ANSWERED, NOW, OLD, QUERY, Signed, service

pytestmark = pytest.mark.asyncio

ADA = "Bearer ada.of.the-recording"
RECORDED = Signed(token=ADA)
OTHER_BODY = b'{"query":"{ __typename  }"}'
FORGED = replace(RECORDED, body=OTHER_BODY, secret="a-secret-that-the-attacker-made-up-himself")
Lines = list[tuple[str, str]]


def lines(*several: dict[str, str]) -> Lines:
    return [line for headers in several for line in headers.items()]


def without(headers: dict[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in names}


def only(headers: dict[str, str], *names: str) -> dict[str, str]:
    return {name: headers[name] for name in names}


GOOD, BAD = RECORDED.headers(), FORGED.headers()
BOTH = ("signature-input", "signature")
ATTACKS: dict[str, tuple[bytes, Lines]] = {
    "another body": (OTHER_BODY, lines(GOOD)),
    "another body with its digest": (OTHER_BODY, lines(GOOD | only(BAD, "content-digest"))),
    "another body with both digests": (OTHER_BODY, lines(only(BAD, "content-digest"), GOOD)),
    "another body, its digest last": (OTHER_BODY, lines(GOOD, only(BAD, "content-digest"))),
    "a forged signature first": (OTHER_BODY, lines(only(BAD, *BOTH), GOOD)),
    "a forged signature last": (OTHER_BODY, lines(GOOD, only(BAD, *BOTH))),
    "the forged input of a recorded signature": (OTHER_BODY, lines(GOOD | only(BAD, "signature-input"))),
    "two inputs for one signature": (OTHER_BODY, lines(only(BAD, "signature-input"), GOOD)),
    "somebody else's token": (QUERY, lines(without(GOOD, "authorization"), {"authorization": "Bearer b.o.b"})),
    "two tokens": (QUERY, lines(GOOD, {"authorization": "Bearer b.o.b"})),
    "a token where none was signed": (QUERY, lines(Signed().headers(), {"authorization": "Bearer b.o.b"})),
    "no token where one was signed": (QUERY, lines(without(GOOD, "authorization"))),
    "an old key's id with another secret": (QUERY, lines(Signed(key_id="old").headers())),
    "a key that is none": (QUERY, lines(Signed(key_id="none", secret=OLD).headers())),
    "an empty signature": (QUERY, lines(GOOD | {"signature": "galleria=::"})),
    "no signature": (QUERY, lines(without(GOOD, "signature"))),
    "meant for another service": (QUERY, lines(replace(RECORDED, tag="payments").headers())),
    "of an hour ago": (QUERY, lines(replace(RECORDED, created=int((NOW - timedelta(hours=1)).timestamp())).headers())),
    "of an hour from now": (
        QUERY,
        lines(replace(RECORDED, created=int((NOW + timedelta(hours=1)).timestamp())).headers()),
    ),
}


@pytest.mark.parametrize("attack", ATTACKS)
async def test_a_recorded_request_is_no_other_request(tmp_path: Path, attack: str) -> None:
    body, headers = ATTACKS[attack]
    async with service(tmp_path) as client:
        sent = [("content-type", "application/json"), *headers]
        response = await client.http.post("/graphql", content=body, headers=sent)
    assert response.status_code == 401
    assert [error["extensions"]["code"] for error in response.json()["errors"]] == ["ROUTER_SIGNATURE_INVALID"]


async def test_it_is_answered_as_it_was_recorded(tmp_path: Path) -> None:
    async with service(tmp_path) as client:
        headers = {"content-type": "application/json", **Signed().headers()}
        response = await client.http.post("/graphql", content=QUERY, headers=headers)
    assert response.json() == ANSWERED
