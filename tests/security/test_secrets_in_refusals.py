"""What is refused at the start or at a reload is told without its value, wherever that may be a secret."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from router.composition.subgraphs_file import fetch_sdl, load_subgraphs
from router.errors import InputError
from router.execution.http.client import parse_address
from router.server.config import load_config
from router.told_url import told_url
from subgraphs.chassis.errors import SettingsError
from subgraphs.chassis.settings import ServiceSettings, read_settings
from tests.server.running_router import refused, write_supergraph

SECRET = "s3cret-Hunter2"
ISSUER = {"issuer": "x", "audiences": ["a"]}
NO_MAPPING = "input should be a mapping"
NO_SECTION = "this is a section: write its settings below it, or leave it out"


def refusal(folder: Path, text: str) -> str:
    """What is told of a router.yaml, after its name."""
    path = folder / "router.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        load_config(path, {})
    assert caught.value.code == "INVALID_CONFIG"
    return caught.value.message.removeprefix(f"{path}: ")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"nats": f"nats://u:{SECRET}@h"}, f"nats: {NO_SECTION}"),
        ({"nats": {"url": [SECRET]}}, "nats.url: input should be a valid string"),
        ({"signing": f"id:{SECRET}"}, f"signing: {NO_SECTION}"),
        ({"headers": {"set": f"x-key: {SECRET}"}}, f"headers.set: {NO_MAPPING}"),
        ({"headers": {"set": {"x-key": [SECRET]}}}, "headers.set.x-key: input should be a valid string"),
        ({"headers": {"subgraphs": {"a": {"set": [SECRET]}}}}, f"headers.subgraphs.a.set: {NO_MAPPING}"),
        ({"headers": [{"set": SECRET}]}, f"headers: {NO_SECTION}"),
        ({"subgraphs": {"tls": SECRET}}, f"subgraphs.tls: {NO_SECTION}"),
        ({"entity_cache": {"valkey": SECRET}}, f"entity_cache.valkey: {NO_SECTION}"),
        ({"entity_cache": {"invalidation": {"secret": [SECRET]}}}, "input should be a valid string"),
        ({"plugins": [{"use": "a:b", "settings": SECRET}]}, f"plugins.0.settings: {NO_MAPPING}"),
        ({"plugins": {"use": "a:b", "settings": {"key": SECRET}}}, "plugins: input should be a list"),
        ({"traffic": {"addresses": {"a": [f"ftp://u:{SECRET}@h/x?key={SECRET}"]}}}, "not 'ftp://h/x'"),
        ({"cors": {"origins": [f"https://u:{SECRET}@h"]}}, "not 'https://h'"),
        ({"telemetry": {"tracing": {"endpoint": f"ftp://u:{SECRET}@h"}}}, "not 'ftp://h'"),
        ({"subgraphs": {"subscriptions": {"a": {"url": f"ftp://u:{SECRET}@h"}}}}, "not 'ftp://h'"),
        ({"authentication": {"issuers": [{**ISSUER, "jwks_url": f"ftp://u:{SECRET}@h"}]}}, "not 'ftp://h'"),
        (
            {"authentication": {"issuers": [{**ISSUER, "jwks_url": f"https://u:{SECRET}@h", "jwks_file": "x"}]}},
            "authentication.issuers.0: name either jwks_url or jwks_file",
        ),
    ],
)
def test_a_wrong_setting_that_may_be_a_secret_is_told_by_its_key(
    tmp_path: Path, settings: dict[str, Any], told: str
) -> None:
    message = refusal(tmp_path, json.dumps(settings))
    assert message.endswith(told)
    assert SECRET not in message


def test_a_wrong_setting_that_can_be_no_secret_is_told_with_its_value(tmp_path: Path) -> None:
    message = refusal(tmp_path, 'nats: {prefix: "a b"}')
    assert message == "nats.prefix: string should match pattern '^[A-Za-z0-9_-]+$', not 'a b'"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"signing: {{keys: *{SECRET}}}", "found undefined alias (line 1, column 17)"),
        (f"signing: !{SECRET} x", "could not determine a constructor for the tag (line 1, column 10)"),
        (f"a: b\nkeys: {SECRET}: c", "mapping values are not allowed here (line 2, column 21)"),
        (
            f"keys: %{SECRET}",
            "while scanning for the next token, found character '%' that cannot start any token (line 1, column 7)",
        ),
        (f'keys: "{SECRET}', "while scanning a quoted scalar, found unexpected end of stream (line 1, column 22)"),
        (f"keys: {SECRET}\nborn: 2024-13-45", "a number or a date in it cannot be one"),
        ("a: " + "[" * 3000, "it is nested too deeply"),
    ],
)
def test_a_file_that_is_no_yaml_is_told_without_its_lines(tmp_path: Path, text: str, told: str) -> None:
    assert refusal(tmp_path, text) == f"not YAML: {told}"


def test_a_list_of_subgraphs_that_is_no_yaml_is_told_without_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "supergraph.yaml"
    path.write_text(f"subgraphs:\n  a: b\n   routing_url: http://u:{SECRET}@h\n")
    with pytest.raises(InputError) as caught:
        load_subgraphs(path)
    assert caught.value.message == f"{path} is not YAML: mapping values are not allowed here (line 3, column 15)"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        (f"http://u:{SECRET}@h:1/graphql?key={SECRET}#{SECRET}", "http://h:1/graphql"),
        (f"http://u:{SECRET}/with@half@h/graphql", "http://h/graphql"),
        (f"http://u:{SECRET}?with#half@h/graphql", "http://h/graphql"),
        (f"u:{SECRET}@h", "h"),
        ("http://h/graphql", "http://h/graphql"),
        ("no URL", "no URL"),
    ],
)
def test_an_address_is_told_without_credentials_and_query(url: str, told: str) -> None:
    assert told_url(url) == told


def test_the_address_of_a_subgraph_is_told_without_credentials() -> None:
    with pytest.raises(InputError) as wrong:
        parse_address("shop", f"http://u:{SECRET}/x@h/graphql")
    assert wrong.value.message == (
        "The URL of subgraph 'shop' is not an http or https URL: 'http://h/graphql'. Correct its routing_url."
    )
    with pytest.raises(InputError) as unreachable:
        fetch_sdl("shop", f"http://u:{SECRET}@127.0.0.1:9/graphql?key={SECRET}")
    assert unreachable.value.message.startswith("The subgraph 'shop' does not give its schema at http://127.0.0.1:9/gr")
    assert SECRET not in unreachable.value.message
    with pytest.raises(InputError) as no_url:
        fetch_sdl("shop", f"http://u:{SECRET}/x@h/graphql")
    expected = "The address of the subgraph 'shop' is no URL of http or https; correct its subgraph_url"
    assert no_url.value.message == expected


def test_a_router_that_does_not_start_tells_no_secret(tmp_path: Path) -> None:
    config = tmp_path / "router.yaml"
    config.write_text(f"nats: nats://u:{SECRET}@h\n")
    code, stderr = refused(["--supergraph", str(write_supergraph(tmp_path)), "--config", str(config)])
    assert (code, SECRET in stderr) == (2, False)
    assert stderr.startswith("INVALID_CONFIG: ")


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        (
            "MONGODB_URL",
            f"mongodb://u:1/{SECRET}@h:27017/db",
            "MONGODB_URL: is not read as a URL; write what is special in user and password percent-encoded (RFC 3986)",
        ),
        ("MONGODB_URL", f"mongo://u:{SECRET}@h/db", "MONGODB_URL: must be mongodb://USER:PASSWORD@HOST:PORT/DATABASE"),
        ("NATS_URL", f"http://u:{SECRET}@h", "NATS_URL: must be nats:// or tls://USER:PASSWORD@HOST:PORT"),
        ("JWKS_URL", f"ftp://u:{SECRET}@h", "JWKS_URL: must be https://HOST/PATH, or http:// in development"),
        (
            "ROUTER_KEYS",
            f"a:{SECRET}",
            "ROUTER_KEYS: must be ID:SECRET, several apart by commas, a secret of at least 32 characters",
        ),
    ],
)
def test_a_wrong_setting_of_a_service_is_told_without_its_value(variable: str, value: str, told: str) -> None:
    good = {"MONGODB_URL": "mongodb://u:p@h/db", "NATS_URL": "nats://u:p@h"}
    with pytest.raises(SettingsError) as caught:
        read_settings(ServiceSettings, "orders", {**good, variable: value})
    assert str(caught.value) == told
