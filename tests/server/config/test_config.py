"""router.yaml: every wrong key or value is one line that names it, and nothing starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from router.errors import InputError
from router.server.config import RouterConfig, load_config
from router.server.graphs.graph import open_graph
from router.supergraph.read import read_supergraph
from tests.server.shop import SUPERGRAPH

ROOT = Path(__file__).parents[3]


def load(folder: Path, text: str, **environ: str) -> RouterConfig:
    path = folder / "router.yaml"
    path.write_text(text)
    return load_config(path, environ)


def refusal(folder: Path, text: str, **environ: str) -> str:
    """The message, without the path of the file."""
    with pytest.raises(InputError) as caught:
        load(folder, text, **environ)
    assert caught.value.code == "INVALID_CONFIG"
    return caught.value.message.removeprefix(f"{folder / 'router.yaml'}: ")


def test_without_a_file_the_router_is_in_production_and_shows_nothing() -> None:
    config = load_config(None, {})
    assert config.environment == "production"
    assert not config.has_explorer
    assert not config.has_introspection


def test_the_environment_comes_from_galleria_env_where_the_file_does_not_say() -> None:
    assert load_config(None, {"GALLERIA_ENV": "development"}).has_introspection


@pytest.mark.parametrize(
    ("text", "explorer", "introspection"),
    [
        ("environment: development", True, True),
        ("environment: production", False, False),
        ("{environment: production, explorer: {enabled: true}}", True, True),
        ("{environment: development, graphql: {introspection: false}}", True, False),
    ],
)
def test_explorer_and_introspection_follow_the_environment(
    tmp_path: Path, text: str, explorer: bool, introspection: bool
) -> None:
    config = load(tmp_path, text)
    assert (config.has_explorer, config.has_introspection) == (explorer, introspection)


def test_variables_are_expanded_and_tabs_are_relative_to_the_file(tmp_path: Path) -> None:
    text = "{server: {port: '${P}', host: '${H:-::1}'}, explorer: {tabs: ['tabs/${T:-a}.graphql']}}"
    config = load(tmp_path, text, P="81", T="")
    assert (config.server.port, config.server.host) == (81, "::1")
    assert config.explorer.tabs == (tmp_path / "tabs" / "a.graphql",)


def test_an_empty_file_is_a_file_of_defaults(tmp_path: Path) -> None:
    assert load(tmp_path, "") == RouterConfig()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("explorer: {enabeld: true}", "explorer.enabeld: there is no such setting; did you mean 'enabled'?"),
        ("explorers: {}", "explorers: there is no such setting; did you mean 'explorer'?"),
        (
            "subgraphs: {subscriptions: {stock: {protocl: sse}}}",
            "subgraphs.subscriptions.stock.protocl: there is no such setting; did you mean 'protocol'?",
        ),
        ("xyz: 1", "xyz: there is no such setting"),
        (
            "rate_limits: {rules: [{name: all, limits: 50}]}",
            "rate_limits.rules.0.limits: there is no such setting; did you mean 'limit'?",
        ),
        ("server: {port: 70000}", "server.port: input should be less than or equal to 65535, not 70000"),
        ("graphql: {path: graphql}", r"graphql.path: string should match pattern '^/[^\s?#]+$', not 'graphql'"),
        (
            "environment: ${GALLERIA}",
            "the environment variable GALLERIA is not set. Set it, or write ${GALLERIA:-default}.",
        ),
        ("- a", "not a mapping of settings."),
        (
            "graphql: {path: /a}\nheaders: {}\ngraphql: {path: /b}",
            "not YAML: found the key 'graphql' twice in one mapping (line 3, column 1)",
        ),
        ("plugins: &all [*all]", "not YAML: it is nested too deeply"),
        ("graphql: {timeout_s: .inf}", "graphql.timeout_s: input should be a finite number, not inf"),
        ("subgraphs: {timeouts: {stock: -1}}", "subgraphs.timeouts.stock: input should be greater than 0, not -1"),
        (
            "traffic: {addresses: {stock: []}}",
            "traffic.addresses.stock: list should have at least 1 item, not 0",
        ),
        ("graphql:\ncors:\n", "graphql: this is a section: write its settings below it, or leave it out"),
        ("cors: {origins: https://a.test}", "cors.origins: input should be a list, not 'https://a.test'"),
        ("subgraphs: {timeouts: 3}", "subgraphs.timeouts: input should be a mapping, not 3"),
        (
            "graphql: {path: /metrics}",
            "graphql.path: the router has something of its own at /health, /metrics, /status, /plan, /explorer and "
            "below, not '/metrics'",
        ),
        (
            "entity_cache: {invalidation: {path: /graphql}}",
            "graphql.path and entity_cache.invalidation.path are the same",
        ),
        (
            "authentication: {issuers: [&a {issuer: a, audiences: [b], jwks_file: c}, *a]}",
            "authentication: two issuers are 'a': name it once, with all its audiences",
        ),
        (
            "cors: {origins: [https://a.test/]}",
            "cors.origins.0: no browser says this: write scheme and host in lower case, without a path, as in "
            "https://shop.example, or a regular expression in cors.patterns, not 'https://a.test/'",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, message: str) -> None:
    assert refusal(tmp_path, text) == message


def test_what_is_no_yaml_is_told_on_one_line(tmp_path: Path) -> None:
    message = refusal(tmp_path, "a: [")
    assert message.startswith("not YAML: ")
    assert "\n" not in message


def test_a_missing_file_is_named_with_the_option(tmp_path: Path) -> None:
    path = tmp_path / "missing.yaml"
    with pytest.raises(InputError) as caught:
        load_config(path, {})
    assert caught.value.message == f"{path}: No such file or directory. Name the configuration with --config FILE."


def test_a_limit_for_an_unknown_subgraph_is_refused(tmp_path: Path) -> None:
    config = load(tmp_path, "subgraphs: {timeouts: {stok: 1}}")
    with pytest.raises(InputError) as caught:
        open_graph(read_supergraph(SUPERGRAPH), config)
    assert caught.value.message == ("subgraphs.timeouts.stok: there is no subgraph of that name; did you mean 'stock'?")


def test_the_malls_own_configuration_is_valid_and_its_tabs_exist() -> None:
    config = load_config(ROOT / "router.yaml", {})
    assert config.has_explorer
    assert [tab.name for tab in config.explorer.tabs] == [
        "orders.graphql",
        "place-order.graphql",
        "recommendations.graphql",
    ]
    assert all(tab.exists() for tab in config.explorer.tabs)
    assert not load_config(ROOT / "router.yaml", {"GALLERIA_ENV": "production"}).has_explorer


def test_a_wrong_address_of_nats_is_refused_without_its_password(tmp_path: Path) -> None:
    assert refusal(tmp_path, "nats: {url: 'http://user:planted@host'}") == (
        "nats.url: this is no URL of a NATS server, as in nats://user:password@host:4222"
    )
    assert "planted" not in repr(load(tmp_path, "nats: {url: 'nats://user:planted@host'}"))
