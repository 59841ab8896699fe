"""compose.yaml with every required variable set."""

from __future__ import annotations

import pytest

from tests.deploy.compose import Json, read_compose, variables


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    """A value for each variable that has no default: its own name in small letters."""
    return {name: name.lower() for name, signs in variables().items() if "?" in signs}


@pytest.fixture(scope="session")
def compose(environment: dict[str, str]) -> Json:
    return read_compose(environment)


@pytest.fixture(scope="session")
def containers(compose: Json) -> dict[str, Json]:
    """What compose.yaml runs where no profile is asked for, by name."""
    return {name: container for name, container in compose["services"].items() if "profiles" not in container}


@pytest.fixture(scope="session")
def observers(compose: Json) -> dict[str, Json]:
    """What the profile ``observe`` runs beside it."""
    return {name: container for name, container in compose["services"].items() if "profiles" in container}
