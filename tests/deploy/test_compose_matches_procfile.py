"""compose.yaml and the Procfile run the same mall: processes, commands, ports and variables cannot drift apart."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

import pytest
import yaml
from honcho.environ import parse_procfile

from stack import mongodb, nats
from stack.environment import DEFAULT_PORTS, SERVICES, Layout, process_environment
from subgraphs.chassis.settings import ServiceSettings
from tests.deploy.compose import ROOT, Json

PASSWORDS = {name: f"{name}_mongodb_password" for name in SERVICES} | {
    "nats": "nats_password",
    "router": "a_secret_of_router_and_services",
}
LAYOUT = Layout(data=Path("/data"), ports=DEFAULT_PORTS)
EVERY_ADDRESS = "0.0.0.0"  # noqa: S104 - inside a container, whose networks are closed
PROCFILE = dict(parse_procfile((ROOT / "Procfile").read_text()).processes)
ROUTING_URLS = [
    subgraph["routing_url"] for subgraph in yaml.safe_load((ROOT / "supergraph.yaml").read_text())["subgraphs"].values()
]


def procfile_environment(name: str) -> dict[str, str]:
    """The variables that the process has of the stack, those of its own line included."""
    shared = process_environment(LAYOUT, {}, PASSWORDS, None)
    own = {key: Template(value).substitute(shared) for key, value in assignments(name).items()}
    return {**shared, **own}


def procfile_command(name: str) -> list[str]:
    words = shlex.split(Template(PROCFILE[name]).substitute(procfile_environment(name)))
    return [word for word in words[len(assignments(name)) :] if word != "exec"]


def assignments(name: str) -> dict[str, str]:
    """NAME=value before the command."""
    found = re.match(r"(?:[A-Z_]+=\S+\s+)*", PROCFILE[name])
    words = shlex.split(found.group()) if found else []
    return dict(word.split("=", 1) for word in words)


def test_both_run_the_same_processes_but_for_a_database_server_per_service(containers: dict[str, Json]) -> None:
    databases = {f"{service}-mongodb" for service in SERVICES}
    assert set(containers) == set(PROCFILE) - {"mongodb"} | databases


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_run_by_the_same_command_on_the_same_port(containers: dict[str, Json], service: str) -> None:
    assert containers[service]["command"] == procfile_command(service)


def test_the_router_is_run_by_the_same_command_but_listens_on_every_address(containers: dict[str, Json]) -> None:
    *command, port, number = procfile_command("router")
    assert containers["router"]["command"] == [*command, "--host", EVERY_ADDRESS, port, number]


@pytest.mark.parametrize("name", [*SERVICES, "router"])
def test_a_health_check_asks_the_port_that_is_served(containers: dict[str, Json], name: str) -> None:
    assert f"http://127.0.0.1:{DEFAULT_PORTS[name]}/health/ready" in containers[name]["healthcheck"]["test"][-1]


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_the_variables_that_the_stack_gives_and_those_of_production(
    containers: dict[str, Json], service: str
) -> None:
    given = {"MONGODB_URL", "NATS_URL", "ROUTER_KEYS", "SEED_DEMO"}
    assert given <= set(procfile_environment(service))
    production = {"GALLERIA_ENV", "HOST", "JWKS_FILE", "LOG_FORMAT"}
    assert set(containers[service]["environment"]) == given | production


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_knows_every_variable_that_it_is_given(containers: dict[str, Json], service: str) -> None:
    known = {field.upper() for field in ServiceSettings.model_fields}
    assert set(containers[service]["environment"]) <= known


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_logs_in_to_its_own_database_as_its_own_user(containers: dict[str, Json], service: str) -> None:
    url = mongodb.service_url(f"mongodb://{service}-mongodb:27017/", service, PASSWORDS[service])
    assert containers[service]["environment"]["MONGODB_URL"] == url
    database = containers[f"{service}-mongodb"]["environment"]
    assert (database["MONGO_INITDB_DATABASE"], database["SERVICE_PASSWORD"]) == (service, PASSWORDS[service])


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_logs_in_to_nats_as_in_the_procfile(containers: dict[str, Json], service: str) -> None:
    url = nats.server_url(4222, PASSWORDS["nats"]).replace("127.0.0.1", "nats")
    assert containers[service]["environment"]["NATS_URL"] == url


def test_the_router_is_told_every_address_that_the_supergraph_asks_for(containers: dict[str, Json]) -> None:
    asked = dict(re.findall(r"\$\{(\w+):-([^}]+)\}", " ".join(ROUTING_URLS)))
    told = {name: url for name, url in containers["router"]["environment"].items() if name.endswith("_URL")}
    assert set(told) == set(asked)
    for name, url in told.items():
        host, own = name.removesuffix("_URL").lower(), urlsplit(asked[name])
        assert url == f"http://{host}:{own.port}{own.path}"
        assert own.port == DEFAULT_PORTS[host]


def test_the_router_knows_every_variable_that_it_is_given(containers: dict[str, Json]) -> None:
    settings = "".join((ROOT / name).read_text() for name in ("router.yaml", "supergraph.yaml"))
    assert set(containers["router"]["environment"]) <= set(re.findall(r"\$\{(\w+):-", settings))
