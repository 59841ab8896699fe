"""Clients that would be counted as somebody else, or have the counter forget them."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

import pytest

from tests.security.attacks.target import ORDINARY, Target, public_settings, running_target
from tests.server.access.issuer import IssuerNow

pytestmark = pytest.mark.xdist_group("attacks")

LIMIT = 20
ATTACKED_FOR_S = 60.0
HOUR_S = 3600
SPOOFED = (
    "X-Forwarded-For: {ip}",
    "X-Forwarded-For: {ip}, 10.0.0.1\r\nX-Forwarded-For: {ip}",
    "X-Real-IP: {ip}",
    "X-Client-IP: {ip}",
    "CF-Connecting-IP: {ip}",
    "True-Client-IP: {ip}",
    "Forwarded: for={ip}",
    "X-Forwarded-Host: {ip}",
    "Via: 1.1 {ip}",
)


@contextmanager
def limited(folder: Path, **rate_limits: object) -> Iterator[Target]:
    jwks, issuer = folder / "jwks.json", IssuerNow()
    jwks.write_bytes(issuer.jwks())
    settings = {**public_settings(jwks), "rate_limits": rate_limits}
    with running_target(folder, settings, issuer) as target:
        yield target


def test_no_header_gives_a_client_another_address(tmp_path: Path) -> None:
    rule = {"name": "address", "limit": LIMIT, "window_s": HOUR_S}
    with limited(tmp_path, rules=[rule]) as target:
        answered = 0
        for number, spoofed in zip(range(LIMIT * 3), cycle(SPOOFED), strict=False):
            name_and_value = spoofed.format(ip=f"203.0.113.{number}")
            said = target.raw(
                b"GET /graphql?query=%7Bheaders%7D HTTP/1.1\r\nHost: shop.test\r\nApollo-Require-Preflight: 1\r\n"
                + f"{name_and_value}\r\nConnection: close\r\n\r\n".encode()
            )
            answered += said.startswith(b"HTTP/1.1 200 ")
            assert said.startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 429 "))
        assert answered == LIMIT


def test_behind_a_trusted_proxy_only_what_it_added_itself_counts(tmp_path: Path) -> None:
    rule = {"name": "address", "limit": LIMIT, "window_s": HOUR_S}
    with limited(tmp_path, rules=[rule], trusted_proxies=["127.0.0.0/8"]) as target:
        statuses = []
        for number in range(LIMIT * 2):
            # The client's own lines come first, in one header or in two; the proxy adds the address that it sees.
            own = f"198.51.100.{number}"
            lines = [("x-forwarded-for", f"{own}, 203.0.113.7")]
            if number % 2:
                lines = [("x-forwarded-for", own), ("x-forwarded-for", "203.0.113.7")]
            statuses.append(target.client.post(target.url, json=ORDINARY, headers=lines).status_code)
        assert statuses.count(200) == LIMIT
        assert statuses.count(429) == LIMIT


def test_a_flood_of_keys_takes_bounded_memory_and_leaves_who_was_refused_refused(tmp_path: Path) -> None:
    rule = {"name": "key", "header": "x-key", "limit": 3, "window_s": HOUR_S}
    with limited(tmp_path, rules=[rule], max_keys=2000) as target:
        statuses = [target.post(ORDINARY, headers={"x-key": "mine"}).status_code for _ in range(4)]
        assert statuses == [200, 200, 200, 429]
        before = target.resident_bytes()
        for number in range(1500):
            key = f"{number}" + "x" * 20_000
            assert target.post({"query": "{ __typename }"}, headers={"x-key": key}).status_code == 200
        assert target.resident_bytes() - before < 10_000_000
        assert target.post(ORDINARY, headers={"x-key": "mine"}).status_code == 429


def test_a_key_with_space_around_it_is_no_other_and_an_empty_one_is_the_address(tmp_path: Path) -> None:
    rules = [{"name": "key", "header": "x-key", "limit": 2, "window_s": HOUR_S}]
    with limited(tmp_path, rules=rules) as target:
        for keys in (("mine", "mine ", " mine", "\tmine\t"), ("", " ", "\t", "")):
            said = [
                target.raw(
                    b"GET /graphql?query=%7Bheaders%7D HTTP/1.1\r\nHost: shop.test\r\nApollo-Require-Preflight: 1\r\n"
                    + f"X-Key: {key}\r\nConnection: close\r\n\r\n".encode()
                )
                for key in keys
            ]
            assert [one.split(b" ")[1] for one in said] == [b"200", b"200", b"429", b"429"]


def test_metrics_in_a_loop_are_not_rendered_each_time_and_soon_tell_of_now_again(target: Target) -> None:
    def answered() -> float:
        text = target.client.get(f"http://127.0.0.1:{target.port}/metrics").text
        return sum(map(float, re.findall(r'^galleria_requests_total\{status="200"\} (\S+)$', text, re.MULTILINE)))

    def ask_and_look() -> tuple[float, float]:
        before = answered()
        for _ in range(2):
            target.assert_answers()  # The first is counted at the latest when the second is answered.
        return before, answered()

    # In a row on one connection: the router is never waiting for who asks, however busy the machine is.
    ask = f"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:{target.port}\r\n".encode()
    flood = (ask + b"\r\n") * 15 + ask + b"Connection: close\r\n\r\n"
    deadline, is_kept = time.monotonic() + ATTACKED_FOR_S, False
    while not is_kept and time.monotonic() < deadline:
        for _ in range(20):
            assert target.raw(flood).count(b"HTTP/1.1 200 OK") == 16
        before, after = ask_and_look()
        is_kept = after == before
    assert is_kept
    deadline = time.monotonic() + ATTACKED_FOR_S
    while answered() == before:
        assert time.monotonic() < deadline
