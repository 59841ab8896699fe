"""A production start refuses what only development may have."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from subgraphs.chassis.errors import SettingsError
from subgraphs.chassis.identity.dev_keys import JWKS_FILE, ensure_key
from subgraphs.chassis.production import check_production
from subgraphs.chassis.settings import ServiceSettings, read_settings
from tests.chassis.test_command import mall

LONG = "qT7vK2mXw9RzB4nL"
GOOD = {
    "GALLERIA_ENV": "production",
    "MONGODB_URL": f"mongodb://notes:{LONG}@db/notes",
    "NATS_URL": f"nats://mall:{LONG}@bus:4222",
    "JWKS_URL": "https://id.example.com/jwks.json",
}


class SigningSettings(ServiceSettings):
    """A service with a secret of its own, that has a default for development."""

    webhook_secret: SecretStr = SecretStr("development-webhook-secret")


def refusal(**change: str) -> str:
    with pytest.raises(SettingsError) as error:
        check_production(read_settings(ServiceSettings, "notes", GOOD | change))
    return str(error.value)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"NATS_URL": f"nats://{LONG}@bus:4222"},
        {"MONGODB_URL": "mongodb://db/notes?authMechanism=MONGODB-X509"},
        {"GALLERIA_ENV": "development", "MONGODB_URL": "mongodb://db/notes", "JWKS_URL": "http://id/jwks.json"},
    ],
)
def test_what_is_strong_enough_may_start(change: dict[str, str]) -> None:
    check_production(read_settings(ServiceSettings, "notes", GOOD | change))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"MONGODB_URL": "mongodb://notes:hunter2@db/notes"},
            "MONGODB_URL: its secret is shorter than 16 characters; production needs a longer one",
        ),
        (
            {"MONGODB_URL": "mongodb://db/notes"},
            "MONGODB_URL: its secret is shorter than 16 characters; production needs a longer one",
        ),
        (
            {"NATS_URL": f"nats://mall:{'ab' * 20}@bus"},
            "NATS_URL: its secret is the same few characters again and again; production needs a random one",
        ),
        ({"JWKS_URL": "http://id/jwks.json"}, "JWKS_URL: must begin with https:// in production"),
    ],
)
def test_what_can_be_guessed_or_changed_on_its_way_is_refused(change: dict[str, str], message: str) -> None:
    assert refusal(**change) == message
    assert "hunter2" not in message


def test_the_development_key_is_refused_by_name(tmp_path: Path) -> None:
    ensure_key(tmp_path)
    message = refusal(JWKS_URL="", JWKS_FILE=str(tmp_path / JWKS_FILE))
    assert message.startswith("JWKS_FILE: holds the development key")


def test_a_default_secret_of_a_service_is_refused() -> None:
    with pytest.raises(SettingsError, match="WEBHOOK_SECRET: is the default of development"):
        check_production(read_settings(SigningSettings, "notes", GOOD))
    check_production(read_settings(SigningSettings, "notes", GOOD | {"WEBHOOK_SECRET": LONG * 2}))


def test_a_refused_start_is_one_line_and_code_2(tmp_path: Path) -> None:
    weak = GOOD | {"MONGODB_URL": "mongodb://inventory:hunter2@db/inventory", "JWKS_URL": "http://id/jwks.json"}
    result = mall("serve", "inventory", "--port", "0", GALLERIA_DATA=str(tmp_path), **weak)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("mall: MONGODB_URL: its secret is shorter than 16 characters")
    assert result.stderr.endswith("JWKS_URL: must begin with https:// in production\n")
    assert result.stderr.count("\n") == 1
    assert "hunter2" not in result.stderr
    assert list(tmp_path.iterdir()) == []
