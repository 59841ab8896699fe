"""Settings: typed, from the environment, and wrong ones named in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from subgraphs.chassis.errors import SettingsError
from subgraphs.chassis.settings import ServiceSettings, read_settings

GOOD = {"MONGODB_URL": "mongodb://notes:secret@127.0.0.1/notes", "NATS_URL": "nats://127.0.0.1:4222"}


def test_the_defaults_are_those_of_development() -> None:
    settings = read_settings(ServiceSettings, "notes", GOOD)
    assert (settings.development, settings.port, settings.seed_demo) == (True, None, False)
    assert settings.keys_directory == Path(".galleria/keys")
    assert settings.database_name == "notes"


def test_a_variable_with_the_services_name_comes_first() -> None:
    own = {"NOTES_MONGODB_URL": "mongodb://127.0.0.1/mine", "NOTES_PORT": "4711", "PORT": "1"}
    settings = read_settings(ServiceSettings, "notes", GOOD | own)
    assert (settings.database_name, settings.port) == ("mine", 4711)


def test_secrets_do_not_print() -> None:
    assert "secret" not in repr(read_settings(ServiceSettings, "notes", GOOD))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"MONGODB_URL": ""}, "MONGODB_URL: is not set"),
        ({"MONGODB_URL": "mongodb://127.0.0.1"}, "MONGODB_URL: must be mongodb://USER:PASSWORD@HOST:PORT/DATABASE"),
        ({"MONGODB_URL": "postgres://127.0.0.1/a"}, "MONGODB_URL: must be mongodb://USER:PASSWORD@HOST:PORT/DATABASE"),
        ({"NATS_URL": "http://127.0.0.1"}, "NATS_URL: must be nats:// or tls://USER:PASSWORD@HOST:PORT"),
        ({"PORT": "65536"}, "PORT: Input should be less than or equal to 65535"),
        ({"LOG_FORMAT": "xml"}, "LOG_FORMAT: Input should be 'text' or 'json'"),
        ({"GALLERIA_ENV": "prod"}, "GALLERIA_ENV: Input should be 'development' or 'production'"),
        ({"SEED_DEMO": "perhaps"}, "SEED_DEMO: Input should be a valid boolean, unable to interpret input"),
        ({"MONGODB_URL": "", "NATS_URL": ""}, "NATS_URL: is not set; MONGODB_URL: is not set"),
    ],
)
def test_a_wrong_setting_is_named(change: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        read_settings(ServiceSettings, "notes", GOOD | change)
    assert str(refusal.value) == message


def test_a_wrong_secret_does_not_print_either() -> None:
    with pytest.raises(SettingsError) as refusal:
        read_settings(ServiceSettings, "notes", GOOD | {"MONGODB_URL": "mongodb://notes:se%cret@127.0.0.1:no/notes"})
    assert str(refusal.value).startswith("MONGODB_URL: ")
    assert "cret" not in str(refusal.value)
