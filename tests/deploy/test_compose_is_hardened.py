"""What production asks of compose.yaml: one door, no default password, no more rights than needed."""

from __future__ import annotations

from tests.deploy.compose import Json, variables

SERVICES = ("orders", "payments", "inventory", "shipping", "recommendations")


def test_nothing_but_the_router_is_published(containers: dict[str, Json]) -> None:
    published = {name: container["ports"] for name, container in containers.items() if "ports" in container}
    assert published == {"router": ["127.0.0.1:4000:4000"]}


def test_no_secret_has_a_default() -> None:
    assert {name for name, signs in variables().items() if signs != {"?"}} == {"SEED_DEMO"}


def test_every_password_comes_from_the_environment(containers: dict[str, Json], environment: dict[str, str]) -> None:
    passwords = [
        value
        for container in containers.values()
        for name, value in container["environment"].items()
        if name.endswith("PASSWORD")
    ]
    assert len(passwords) == 5 + 5 + 1
    assert {password.strip('"') for password in passwords} <= set(environment.values())


def test_containers_restart_are_checked_and_cannot_write_or_gain_rights(containers: dict[str, Json]) -> None:
    for container in containers.values():
        assert container["restart"] == "unless-stopped"
        assert container["healthcheck"]["test"][0] == "CMD"
        assert container["read_only"] is True
        assert container["cap_drop"] == ["ALL"]
        assert container["security_opt"] == ["no-new-privileges:true"]


def test_databases_keep_their_data_in_volumes_of_their_own(containers: dict[str, Json]) -> None:
    for service in SERVICES:
        assert containers[f"{service}-mongodb"]["volumes"][0] == f"{service}-data:/data/db"
        assert containers[f"{service}-mongodb"]["user"] == "999:999"
    assert containers["nats"]["volumes"] == ["events:/data"]


def test_a_service_finds_its_jwks_file_in_a_folder_that_it_cannot_write_to(
    containers: dict[str, Json], environment: dict[str, str]
) -> None:
    """Of a single file that is mounted, a container would go on seeing the one that was replaced."""
    for service in SERVICES:
        [mount] = containers[service]["volumes"]
        assert (mount["type"], mount["source"], mount["read_only"]) == ("bind", environment["JWKS_FOLDER"], True)
        assert mount["bind"] == {"create_host_path": False}
        assert containers[service]["environment"]["JWKS_FILE"] == f"{mount['target']}/jwks.json"


def test_a_database_is_reached_by_its_own_service_alone(containers: dict[str, Json]) -> None:
    for service in SERVICES:
        network = f"{service}-data"
        reached_by = {name for name, container in containers.items() if network in container["networks"]}
        assert reached_by == {service, f"{service}-mongodb"}


def test_the_router_reaches_the_services_and_neither_databases_nor_events(containers: dict[str, Json]) -> None:
    assert containers["router"]["networks"] == ["edge", "graph"]
    graph = {name for name, container in containers.items() if "graph" in container["networks"]}
    assert graph == {"router", *SERVICES}


def test_all_networks_but_the_routers_door_are_closed(compose: Json) -> None:
    assert {name for name, network in compose["networks"].items() if network != {"internal": True}} == {"edge"}


def test_all_run_as_production(containers: dict[str, Json]) -> None:
    for name in ("router", *SERVICES):
        assert containers[name]["environment"]["GALLERIA_ENV"] == "production"
