"""Ports, URLs and passwords of the development stack."""

from __future__ import annotations

import json
import socket
import stat
from pathlib import Path

import pytest

from stack.environment import DEFAULT_PORTS, SERVICES, process_environment, read_layout, read_pauses
from stack.errors import StackError
from stack.mongodb import service_url
from stack.ports import require_free_ports
from stack.secrets import passwords
from stack.supervisor import Pauses


def test_the_ports_are_those_of_the_contract() -> None:
    assert read_layout({}).ports == DEFAULT_PORTS == {
        "mongodb": 27117, "nats": 4322, "orders": 4001, "payments": 4002, "inventory": 4003, "shipping": 4004,
        "recommendations": 4005, "router": 4000,
    }  # fmt: skip


def test_a_port_can_be_moved_and_the_router_is_told() -> None:
    layout = read_layout({"ORDERS_PORT": "5001"})
    environment = process_environment(layout, {}, dict.fromkeys([*SERVICES, "nats", "router"], "x"), None)
    assert environment["ORDERS_URL"] == "http://127.0.0.1:5001/graphql"
    assert environment["ORDERS_PORT"] == "5001"


@pytest.mark.parametrize("text", ["0", "65536", "http", "-1"])
def test_a_port_that_is_none_is_refused_by_name(text: str) -> None:
    with pytest.raises(StackError, match=f"ROUTER_PORT='{text}' is not a port"):
        read_layout({"ROUTER_PORT": text})


def test_pauses_before_a_restart_can_be_set() -> None:
    assert read_pauses({}) == Pauses(first_s=1, longest_s=30)
    assert read_pauses({"GALLERIA_FIRST_PAUSE_S": "0.2", "GALLERIA_LONGEST_PAUSE_S": "2"}) == Pauses(0.2, 2)


@pytest.mark.parametrize("text", ["soon", "0", "-1", "nan", "3601"])
def test_a_pause_that_is_none_is_refused_by_name(text: str) -> None:
    with pytest.raises(StackError, match=f"^GALLERIA_FIRST_PAUSE_S='{text}' is not a pause: set seconds"):
        read_pauses({"GALLERIA_FIRST_PAUSE_S": text})


def test_a_port_in_use_is_told_by_name_with_who_has_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(StackError, match=rf"port in use: {port} \(shipping\) by .+; .+ e\.g\. SHIPPING_PORT="):
            require_free_ports({"shipping": port})


def test_each_service_gets_its_own_user_and_database() -> None:
    environment = process_environment(
        read_layout({}), {}, {name: f"pw-{name}" for name in [*SERVICES, "nats", "router"]}, None
    )
    assert environment["ORDERS_MONGODB_URL"] == "mongodb://orders:pw-orders@127.0.0.1:27117/orders"
    assert environment["PAYMENTS_MONGODB_URL"] == "mongodb://payments:pw-payments@127.0.0.1:27117/payments"


def test_router_and_services_share_a_key() -> None:
    environment = process_environment(
        read_layout({}), {}, {name: f"pw-{name}" for name in [*SERVICES, "nats", "router"]}, None
    )
    assert environment["ROUTER_KEYS"] == "galleria:pw-router"


def test_an_own_server_keeps_its_hosts_and_options() -> None:
    url = service_url("mongodb://admin:secret@a:1,b:2/?replicaSet=rs0", "orders", "p/w")
    assert url == "mongodb://orders:p%2Fw@a:1,b:2/orders?replicaSet=rs0"


def test_passwords_are_made_once_and_only_the_user_can_read_them(tmp_path: Path) -> None:
    file = tmp_path / "secrets.json"
    first = passwords(file, ["root", "orders"])
    assert passwords(file, ["root", "orders", "nats"]) == {**first, "nats": json.loads(file.read_text())["nats"]}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(set(first.values())) == 2
