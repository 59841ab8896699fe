"""The Compose specification's own schema, and what of it a schema cannot say."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.deploy.compose import ROOT, Json, UnsetVariableError, read_compose, variables

SCHEMA = Path(__file__).parent / "compose-spec" / "compose-spec.json"


def violations(document: Json) -> list[str]:
    errors = Draft202012Validator(json.loads(SCHEMA.read_text())).iter_errors(document)
    return [f"{'.'.join(map(str, error.absolute_path))}: {error.message}" for error in errors]


def test_the_file_follows_the_compose_specification(compose: Json) -> None:
    assert violations(compose) == []


def test_a_misspelled_key_would_be_found(compose: Json) -> None:
    router = {**compose["services"]["router"], "heathcheck": {}}
    broken = {**compose, "services": {**compose["services"], "router": router}}
    assert violations(broken) == [
        "services.router: Unevaluated properties are not allowed ('heathcheck' was unexpected)"
    ]


@pytest.mark.parametrize("kind", ["networks", "volumes"])
def test_whatever_a_container_names_is_declared_and_nothing_is_declared_in_vain(compose: Json, kind: str) -> None:
    named = set()
    for container in compose["services"].values():
        for use in container.get(kind, []):
            if not isinstance(use, dict):  # a folder of this machine otherwise
                name = use.partition(":")[0]
                named |= {name} if not name.startswith(".") else set()
    assert named == set(compose[kind])


def test_what_a_container_starts_after_exists(containers: dict[str, Json]) -> None:
    for container in containers.values():
        assert set(container.get("depends_on", [])) <= set(containers)


def test_one_container_builds_the_image_that_six_run(containers: dict[str, Json]) -> None:
    """Engines that build at the same time refuse the second image of a name, or do the work six times."""
    running = {name: container for name, container in containers.items() if container.get("image") == "galleria"}
    assert len(running) == 6
    assert [name for name, container in running.items() if "build" in container] == ["router"]
    assert {container.get("pull_policy") for name, container in running.items() if name != "router"} == {"never"}


def test_mounted_files_exist(containers: dict[str, Json]) -> None:
    mounts = [mount for container in containers.values() for mount in container.get("volumes", [])]
    paths = [ROOT / mount.partition(":")[0] for mount in mounts if str(mount).startswith(".")]
    assert paths
    assert all(path.exists() for path in paths)


def test_a_missing_password_stops_everything_and_is_named(environment: dict[str, str]) -> None:
    for name in environment:
        incomplete = {key: value for key, value in environment.items() if key != name}
        with pytest.raises(UnsetVariableError, match=rf"^required variable {name} is missing a value: \w+"):
            read_compose(incomplete)


def test_each_variable_is_in_the_document_and_no_other() -> None:
    document = (ROOT / "docs" / "production.md").read_text()
    section = document.partition("## In containers\n")[2].partition("\n## ")[0]
    first_cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    assert {name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)} == set(variables())
