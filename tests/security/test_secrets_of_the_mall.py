"""Secrets are planted in what the mall is asked and in what its services are told, and looked for in what is written.

Logs have a line for each request and event; spans of all processes come to a collector.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from stack.daemon import free_port, running
from tests.chassis.collector import Collector, running_collector
from tests.e2e.test_place_order import PLACE_ORDER, order_input, product_in_stock
from tests.mall import RunningMall, await_condition, running_mall

pytestmark = [pytest.mark.xdist_group("secrets of the mall"), pytest.mark.timeout(300)]
SERVICES = ("orders", "payments", "inventory", "shipping", "recommendations")
PASSWORD = "p4ssword-of-the-service"
SOME_TOKEN = {"authorization": "Bearer eyJhbGciOiJFUzI1NiIsImtpZCI6IngifQ.e30.AA"}
MALL = str(Path(sys.prefix) / "bin" / "mall")
PLANTED = {
    "a name": "Ada Secret-1a2b3c",
    "a street": "7 Secret-4d5e6f Road",
    "a card in a variable": "4242 4242 4242 4242",
    "a token in a variable": "tok_secret-7a8b9c",
    "a literal": "literal-0d1e2f-of-ada",
    "a broken token": "broken-3a4b5c.of.ada",
    "a cookie": "cookie-6d7e8f-of-ada",
    "a header": "header-9a0b1c-of-ada",
    "a webhook's secret": "webhook-2d3e4f-of-32-characters-or-more",
    "a key of the collector": "otlp-5a6b7c-of-the-mall",
}


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with running_collector() as collector:
        yield collector


@pytest.fixture(scope="module")
def secret_mall(tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> Iterator[RunningMall]:
    """A mall whose processes write all that they can."""
    settings = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint,
        "OTEL_EXPORTER_OTLP_HEADERS": f"no header {PLANTED['a key of the collector']}",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "LOG_FORMAT": "json",
        "LOG_LEVEL": "debug",
        "PROVIDER_WEBHOOK_SECRET": PLANTED["a webhook's secret"],
        "CARRIER_WEBHOOK_SECRET": PLANTED["a webhook's secret"],
    }
    with running_mall(tmp_path_factory.mktemp("secrets"), **settings) as mall:
        yield mall


def ask_with_secrets(mall: RunningMall) -> None:
    """An order, and at the router and at each service what is wrong in each way."""
    placed = order_input(product_in_stock(mall), token=PLANTED["a token in a variable"])
    placed["shippingAddress"] |= {"name": PLANTED["a name"], "line1": PLANTED["a street"]}
    mall.ask(PLACE_ORDER, "customer", input=placed)
    placed["paymentMethod"] = {"token": PLANTED["a card in a variable"]}
    mall.ask(PLACE_ORDER, "customer", input=placed)
    headers = {"x-secret": PLANTED["a header"], "cookie": f"session={PLANTED['a cookie']}"}
    literal = f'{{ order(id: "{PLANTED["a literal"]}") {{ number }} }}'
    bodies = [{"query": literal}, {"query": literal + "}"}, {"query": "{ no }"}, {"variables": placed}]
    bad_variable = {"query": "query ($id: Int!) { order(id: $id) { number } }", "variables": {"id": placed}}
    for name in ("router", *SERVICES):
        for token in (mall.token("customer"), PLANTED["a broken token"]):
            for body in (*bodies, bad_variable):
                asked = {**headers, "authorization": f"Bearer {token}"}
                mall.client.post(mall.url(name), json=body, headers=asked)
    for name, path in (("payments", "/webhooks/provider"), ("shipping", "/webhooks/carrier")):
        mall.client.post(mall.url(name, path), content=PLANTED["a literal"], headers={"webhook-signature": "t=1,v1=00"})


def written(mall: RunningMall, collector: Collector) -> dict[str, str]:
    pages = {
        f"{name}{path}": mall.client.get(mall.url(name, path)).text
        for name in ("router", *SERVICES)
        for path in ("/metrics", "/health/ready", "/health/live")
    }
    status = mall.client.get(mall.url("router", "/status")).text
    return {"log": mall.log.read_text(), "spans": str(collector.spans), "status": status, **pages}


def secrets_of(mall: RunningMall) -> dict[str, str]:
    """Passwords and keys that the mall made for itself, and the tokens that were sent."""
    data = Path(mall.environment["GALLERIA_DATA"])
    made: dict[str, str] = json.loads((data / "secrets.json").read_text())
    token = mall.token("customer")
    (key,) = (data / "keys").glob("*.pem")
    passwords = {f"the password of {name}": password for name, password in made.items()}
    return {**PLANTED, **passwords, "a token": token, "a line of a key": key.read_text().splitlines()[1]}


def test_no_secret_is_written_anywhere(secret_mall: RunningMall, collector: Collector) -> None:
    secrets = secrets_of(secret_mall)
    ask_with_secrets(secret_mall)
    told = await_condition(lambda: {*SERVICES} <= {name for name, _ in collector.spans}, 30, "spans of all services")
    assert told
    places = written(secret_mall, collector)
    assert '"event":"answered"' in places["log"]
    assert "Header format invalid" in places["log"]
    found = [(name, place) for name, secret in secrets.items() for place, text in places.items() if secret in text]
    assert found == []


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_that_reaches_nobody_tells_no_password(tmp_path: Path, service: str) -> None:
    url = f"mongodb://ada:{PASSWORD}@127.0.0.1:{free_port()}/db?connectTimeoutMS=200"
    places = served_without(tmp_path, service, url, "mongodb", "jwks")
    assert [text for text in places if PASSWORD in text] == []


def test_a_service_that_reaches_its_database_alone_tells_no_password(tmp_path: Path, mongodb_url: str) -> None:
    places = served_without(tmp_path, "orders", mongodb_url, "nats", "jwks")
    of_the_database = urlsplit(mongodb_url).password
    assert of_the_database
    assert [text for text in places if PASSWORD in text or of_the_database in text] == []


def served_without(folder: Path, service: str, mongodb_url: str, *needs: str) -> list[str]:
    """Log, pages and an answer of a service that waits for ``needs``."""
    nobody, port = free_port(), free_port()
    environment = {
        "MONGODB_URL": mongodb_url,
        "NATS_URL": f"nats://ada:{PASSWORD}@127.0.0.1:{nobody}",
        "JWKS_URL": f"http://ada:{PASSWORD}@127.0.0.1:{nobody}/jwks?key={PASSWORD}",
        "ROUTER_KEYS": f"router:{PASSWORD}-of-32-characters",
        "MONGODB_TIMEOUT_MS": "500",
        "GALLERIA_DATA": str(folder),
    }
    command = ["/usr/bin/env", *(f"{name}={value}" for name, value in environment.items()), MALL, "serve", service]
    log, url = folder / "service.log", f"http://127.0.0.1:{port}"
    client = httpx.Client(base_url=url, trust_env=False, timeout=60)
    with running([*command, "--port", str(port)], port, log), client:
        await_condition(lambda: all(f"need={need}" in log.read_text() for need in needs), 20, "what is missing")
        ready = client.get("/health/ready")
        answer = client.post("/graphql", json={"query": "{ __typename }"}, headers=SOME_TOKEN)
        assert ready.status_code == 503
        assert answer.json()["errors"][0]["extensions"]["code"] == "SERVICE_UNAVAILABLE"
        return [log.read_text(), ready.text, client.get("/metrics").text, answer.text]
