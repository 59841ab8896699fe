"""The profile ``observe`` reads what is served, shows the dashboard of deploy/grafana, and opens nothing else."""

from __future__ import annotations

from pathlib import PurePosixPath

import yaml

from stack.environment import DEFAULT_PORTS, SERVICES
from tests.deploy.compose import ROOT, Json


def read(path: str) -> Json:
    document: Json = yaml.safe_load((ROOT / "deploy" / path).read_text())
    return document


def mounts(container: Json) -> dict[str, str]:
    """The files of this repository by their place in the container."""
    volumes = [volume.split(":") for volume in container["volumes"]]
    assert all(rest == ["ro"] for path, _, *rest in volumes if path.startswith("."))
    return {place: path for path, place, *_ in volumes if path.startswith(".")}


def test_the_profile_adds_a_prometheus_and_a_grafana(observers: dict[str, Json]) -> None:
    assert {name: container["profiles"] for name, container in observers.items()} == {
        "prometheus": ["observe"],
        "grafana": ["observe"],
    }
    assert all(container["image"].rpartition(":")[2][0] in "v123456789" for container in observers.values())


def test_the_router_and_every_service_are_read_at_the_port_that_they_serve(
    observers: dict[str, Json], containers: dict[str, Json]
) -> None:
    read_at = [
        target
        for job in read("prometheus/prometheus.yaml")["scrape_configs"]
        for config in job["static_configs"]
        for target in config["targets"]
    ]
    assert read_at == [f"{name}:{DEFAULT_PORTS[name]}" for name in ("router", *SERVICES)]
    reached = set(observers["prometheus"]["networks"])
    assert all(reached & set(containers[target.partition(":")[0]]["networks"]) for target in read_at)


def test_prometheus_reads_the_file_that_is_mounted(observers: dict[str, Json]) -> None:
    prometheus = observers["prometheus"]
    [config] = [word.partition("=")[2] for word in prometheus["command"] if word.startswith("--config.file=")]
    folder = mounts(prometheus)[str(PurePosixPath(config).parent)]
    assert (ROOT / folder / PurePosixPath(config).name).is_file()


def test_grafana_finds_prometheus_and_the_dashboard(observers: dict[str, Json]) -> None:
    grafana = observers["grafana"]
    mounted = mounts(grafana)
    assert mounted["/etc/grafana/provisioning"] == "./deploy/grafana/provisioning"
    [source] = read("grafana/provisioning/datasources/prometheus.yaml")["datasources"]
    assert (source["type"], source["url"]) == ("prometheus", "http://prometheus:9090")
    assert set(grafana["networks"]) & set(observers["prometheus"]["networks"]) == {"observe"}
    [provider] = read("grafana/provisioning/dashboards/galleria.yaml")["providers"]
    dashboard = f"{provider['options']['path']}/router.json"
    assert mounted[dashboard] == "./deploy/grafana/router.json"
    assert grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"] == dashboard


def test_grafana_is_reached_from_this_machine_alone_and_has_no_password_to_guess(observers: dict[str, Json]) -> None:
    published = {name: container["ports"] for name, container in observers.items() if "ports" in container}
    assert published == {"grafana": ["127.0.0.1:3000:3000"]}
    told = observers["grafana"]["environment"]
    assert told["GF_AUTH_DISABLE_LOGIN_FORM"] == "true"
    assert told["GF_AUTH_BASIC_ENABLED"] == "false"
    assert (told["GF_AUTH_ANONYMOUS_ENABLED"], told["GF_AUTH_ANONYMOUS_ORG_ROLE"]) == ("true", "Viewer")


def test_what_observes_reaches_neither_databases_nor_events_and_has_no_more_rights(observers: dict[str, Json]) -> None:
    assert observers["prometheus"]["networks"] == ["graph", "observe"]
    assert observers["grafana"]["networks"] == ["edge", "observe"]
    for container in observers.values():
        assert container["restart"] == "unless-stopped"
        assert container["healthcheck"]["test"][0] == "CMD"
        assert container["read_only"] is True
        assert container["cap_drop"] == ["ALL"]
        assert container["security_opt"] == ["no-new-privileges:true"]


def test_the_mall_does_not_wait_for_who_observes_it(containers: dict[str, Json], observers: dict[str, Json]) -> None:
    assert all(not set(container.get("depends_on", [])) & set(observers) for container in containers.values())
