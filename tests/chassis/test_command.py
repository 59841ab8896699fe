"""The ``mall`` command as a user meets it: real processes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import httpx
import jwt
import pytest

from stack.daemon import accepts, free_port
from subgraphs.chassis.events.bus import Bus, DeadLetter
from tests.services import DEADLINE_S, bus_of, event

MALL = Path(sys.prefix) / "bin" / "mall"


def mall(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command with nothing but ``environment`` set."""
    command = [str(MALL), *arguments]
    return subprocess.run(
        command, env=_environment(environment), capture_output=True, text=True, timeout=60, check=False
    )


def _environment(environment: Mapping[str, str]) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], **environment}


def test_a_missing_setting_is_one_line_and_code_2() -> None:
    result = mall("serve", "inventory")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "mall: NATS_URL: is not set; MONGODB_URL: is not set\n"


def test_an_unknown_service_is_named_with_those_there_are() -> None:
    result = mall("sdl", "souvenirs")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("mall: there is no service 'souvenirs'; there are inventory")


def test_a_port_in_use_is_named(environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = mall("serve", "inventory", "--port", str(port), **environment)
    assert result.returncode == 2
    assert result.stderr.startswith(f"mall: PORT: cannot listen on 127.0.0.1:{port}: Address already in use")
    assert result.stderr.count("\n") == 1


def test_the_schema_is_printed_without_any_setting() -> None:
    result = mall("sdl", "inventory")
    assert result.returncode == 0
    assert "type Product @key" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "subject"),
    [
        (["--role", "customer"], "cus_ada"),
        (["--role", "staff"], "staff_grace"),
        (["--role", "customer", "--subject", "cus_bob"], "cus_bob"),
    ],
)
def test_a_token_alone_is_printed(tmp_path: Path, arguments: list[str], subject: str) -> None:
    result = mall("token", *arguments, GALLERIA_DATA=str(tmp_path))
    claims = jwt.decode(result.stdout.strip(), options={"verify_signature": False})
    assert (claims["sub"], claims["role"], claims["iss"], claims["aud"]) == (
        subject,
        arguments[1],
        "galleria",
        "galleria",
    )
    assert (result.stdout.count("\n"), result.stderr) == (1, "")


def test_staff_has_every_scope_unless_it_is_narrowed(tmp_path: Path) -> None:
    every = _claims(mall("token", "--role", "staff", GALLERIA_DATA=str(tmp_path)))
    narrow = _claims(mall("token", "--role", "staff", "--scope", "orders:read-all", GALLERIA_DATA=str(tmp_path)))
    none = _claims(mall("token", "--role", "staff", "--scope", "", GALLERIA_DATA=str(tmp_path)))
    assert every["scope"] == "inventory:write orders:read-all orders:write payments:refund shipping:write"
    assert (narrow["scope"], none["scope"]) == ("orders:read-all", "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--role", "staff", "--scope", "orders:burn"],
            "mall: --scope: there is no scope 'orders:burn'; there are inv",
        ),
        (["--role", "customer", "--scope", "orders:write"], "mall: --scope: only staff has scopes; use it with --role"),
    ],
)
def test_a_scope_that_is_none_is_refused(tmp_path: Path, arguments: list[str], message: str) -> None:
    result = mall("token", *arguments, GALLERIA_DATA=str(tmp_path))
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(message)


def test_production_has_no_development_token(tmp_path: Path) -> None:
    result = mall("token", "--role", "staff", GALLERIA_DATA=str(tmp_path), GALLERIA_ENV="production")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("mall: GALLERIA_ENV: production has no development key")
    assert list(tmp_path.iterdir()) == []


def test_a_service_ends_cleanly_on_sigterm_and_leaves_its_port(environment: dict[str, str]) -> None:
    port = free_port()
    settings = environment | {"LOG_FORMAT": "json", "SEED_DEMO": "1"}
    command = [str(MALL), "serve", "inventory", "--port", str(port)]
    with subprocess.Popen(command, env=_environment(settings), stderr=subprocess.PIPE, text=True) as process:
        _await_ready(process, f"http://127.0.0.1:{port}/health/ready")
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=30)
    assert process.returncode == 0
    lines = [json.loads(line) for line in log.splitlines()]
    assert [line["event"] for line in lines] == ["serving", "seeded"]
    assert {line["service"] for line in lines} == {"inventory"}
    assert not accepts(port)


def test_a_request_that_is_under_way_at_sigterm_is_answered(environment: dict[str, str]) -> None:
    port, body = free_port(), b'{"query": "{ __typename }"}'
    head = (
        f"POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
        "expect: 100-continue\r\n\r\n"
    )
    command = [str(MALL), "serve", "inventory", "--port", str(port)]
    with subprocess.Popen(command, env=_environment(environment), stderr=subprocess.PIPE, text=True) as process:
        _await_ready(process, f"http://127.0.0.1:{port}/health/ready")
        with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
            client.sendall(head.encode())
            assert client.recv(1000).startswith(b"HTTP/1.1 100 "), "the service reads the body"
            process.send_signal(signal.SIGTERM)
            _await_refusal(port)
            client.sendall(body)
            answer = b"".join(iter(lambda: client.recv(65_536), b""))
        process.communicate(timeout=30)
    assert process.returncode == 0
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b'{"data":{"__typename":"Query"}}')


def _await_refusal(port: int) -> None:
    """Return when ``port`` takes no connection any more."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except ConnectionResetError:  # came while the port was being closed; the next one is refused
            continue
        except ConnectionRefusedError:
            return
    pytest.fail(f"port {port} still takes connections")


def test_a_database_is_seeded_once_by_command(environment: dict[str, str]) -> None:
    own = {"NATS_URL": environment["NATS_URL"], "INVENTORY_MONGODB_URL": environment["MONGODB_URL"]}
    first, second = mall("seed", **own), mall("seed", **own)
    assert first.stdout.startswith("inventory: ")
    assert first.stdout.endswith(" documents\n")
    assert second.stdout == "inventory: not empty, left as it is\n"
    assert (first.returncode, second.returncode) == (0, 0)


def test_seeding_without_a_database_names_the_variable() -> None:
    result = mall("seed")
    assert result.returncode == 2
    assert result.stderr.startswith("mall: <SERVICE>_MONGODB_URL: is not set for any service")


def test_seeding_a_database_that_is_not_there_is_one_line_and_code_1() -> None:
    lost = {"MONGODB_URL": f"mongodb://127.0.0.1:{free_port()}/inventory", "MONGODB_TIMEOUT_MS": "100"}
    result = mall("seed", "inventory", NATS_URL="nats://unused", **lost)
    assert result.returncode == 1
    assert result.stderr.startswith("mall: inventory: the database cannot be seeded: ServerSelectionTimeoutError")
    assert result.stderr.count("\n") == 1


@pytest.mark.asyncio
async def test_dead_letters_are_listed_and_sent_again(nats_url: str) -> None:
    async with bus_of(nats_url) as bus:
        subscription = await bus.subscribe("reader", ["note.taken"])
        await bus.publish(event("note.taken", "n1", {}))
        (delivery,) = await subscription.fetch(1, 5)
        await bus.bury("reader", delivery, "ValueError: no such note")
        await delivery.acknowledge()
        (letter,) = await _dead(bus)
        listed = await asyncio.to_thread(mall, "events", "dead", NATS_URL=nats_url)
        nothing = await asyncio.to_thread(mall, "events", "retry", "99", NATS_URL=nats_url)
        assert len(await _dead(bus)) == 1
        sent = await asyncio.to_thread(mall, "events", "retry", NATS_URL=nats_url)
        assert await _dead(bus) == []
        none = await asyncio.to_thread(mall, "events", "dead", NATS_URL=nats_url)
        (again,) = await subscription.fetch(1, 5)
    when = letter.buried_at.isoformat(timespec="seconds")
    assert listed.stdout == f"1\treader\tnote.taken\t{when}\tValueError: no such note\n"
    assert nothing.stdout == "0 events are on their way again\n"
    assert sent.stdout == "1 events are on their way again\n"
    assert (none.stdout, none.stderr) == ("", "There are none: every event was taken.\n")
    assert again.body == delivery.body


def test_a_nats_that_is_not_there_is_one_line_and_code_1() -> None:
    result = mall("events", "dead", NATS_URL="nats://127.0.0.1:1")
    assert result.returncode == 1
    assert result.stderr.startswith("mall: NATS does not answer: ConnectionRefusedError")
    assert result.stderr.count("\n") == 1


def _claims(result: subprocess.CompletedProcess[str]) -> dict[str, str]:
    claims: dict[str, str] = jwt.decode(result.stdout.strip(), options={"verify_signature": False})
    return claims


async def _dead(bus: Bus) -> list[DeadLetter]:
    return list(await bus.dead_letters())


def _await_ready(process: subprocess.Popen[str], url: str) -> None:
    deadline = time.monotonic() + 2 * DEADLINE_S
    with httpx.Client(trust_env=False) as client:
        while True:
            assert process.poll() is None
            try:
                if client.get(url).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
            assert time.monotonic() < deadline, f"{url} is not ready"
