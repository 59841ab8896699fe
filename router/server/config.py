"""router.yaml: the router's own settings, checked key by key before anything starts.

Environment variables are expanded in every value: ``${NAME}`` and ``${NAME:-default}``.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, cast

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from router.environment import UnsetVariable, expand_variables
from router.errors import InputError

INVALID_CONFIG = "INVALID_CONFIG"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ServerSettings(_Section):
    """Where the router listens, unless the command line says otherwise."""

    host: str = "127.0.0.1"
    port: int = Field(4000, ge=0, le=65535)


class GraphQLSettings(_Section):
    """The GraphQL endpoint. ``introspection`` left out: on wherever the explorer is."""

    path: str = Field("/graphql", pattern=r"^/\S+$")
    max_body_bytes: int = Field(1_000_000, gt=0)
    timeout_s: float = Field(30.0, gt=0)
    introspection: bool | None = None
    max_cached_operations: int = Field(1000, gt=0)


class SupergraphSettings(_Section):
    """How a changed supergraph is taken over while the router serves.

    Files are looked at every ``watch_interval_s``; subgraphs that tell their schema themselves are asked every
    ``poll_interval_s``. The ``warm_operations`` that were used last are planned before the swap, for at most
    ``warm_timeout_s``.
    """

    watch: bool = True
    watch_interval_s: float = Field(1.0, gt=0)
    poll_interval_s: float = Field(10.0, gt=0)
    warm_operations: int = Field(200, ge=0)
    warm_timeout_s: float = Field(10.0, ge=0)


class SubgraphSubscriptionSettings(_Section):
    """How a subgraph sends the events of its subscriptions; ``url`` left out: its routing_url."""

    protocol: Literal["websocket", "sse"] = "websocket"
    url: str | None = Field(None, pattern=r"^(https?|wss?)://\S+$")


class SubgraphSettings(_Section):
    """How subgraphs are called. ``timeouts`` overrides ``timeout_s`` by subgraph."""

    timeout_s: float = Field(20.0, gt=0)
    timeouts: Mapping[str, float] = Field(default_factory=dict)
    max_connections: int = Field(200, gt=0)
    max_response_bytes: int = Field(32 * 1024 * 1024, gt=0)
    keep_alive_s: float = Field(30.0, gt=0)
    subscriptions: Mapping[str, SubgraphSubscriptionSettings] = Field(default_factory=dict)


class SubscriptionSettings(_Section):
    """Subscriptions of clients, and how long a lost subgraph is tried again before they are given up.

    A client that leaves ``max_buffered_events`` waiting is closed. Equal subscriptions of clients with equal forwarded
    headers share one at the subgraph, unless ``share`` is off.
    """

    enabled: bool = True
    share: bool = True
    max_total: int = Field(10_000, gt=0)
    max_per_connection: int = Field(100, gt=0)
    max_buffered_events: int = Field(100, gt=0)
    connection_init_timeout_s: float = Field(10.0, gt=0)
    heartbeat_s: float = Field(5.0, gt=0)
    reconnect_timeout_s: float = Field(300.0, ge=0)


class BatchingSettings(_Section):
    """Several operations in one request, as an array."""

    enabled: bool = False
    max_operations: int = Field(10, gt=0)


class UploadSettings(_Section):
    """Files by the GraphQL multipart request specification.

    A web page may send forms to any address unasked, but not with headers of its own choice: one of
    ``preflight_headers`` must be there.
    """

    enabled: bool = False
    max_files: int = Field(10, gt=0)
    max_file_bytes: int = Field(10_000_000, gt=0)
    preflight_headers: tuple[str, ...] = Field(
        ("apollo-require-preflight", "x-apollo-operation-name", "graphql-preflight"), min_length=1
    )


class HeaderSettings(_Section):
    """``propagate`` names the client's headers that subgraphs get."""

    propagate: tuple[str, ...] = ("authorization",)


class ExplorerSettings(_Section):
    """The page at ``/``. ``enabled`` left out: in development alone. ``tabs`` are files of operations, relative to
    router.yaml; ``orders.json`` beside ``orders.graphql`` holds the variables of that tab."""

    enabled: bool | None = None
    title: str = "Galleria"
    headers: Mapping[str, str] = Field(default_factory=dict)
    tabs: tuple[Path, ...] = ()


class RouterConfig(_Section):
    """All settings. Without a file: those of production."""

    environment: Literal["development", "production"] = "production"
    server: ServerSettings = ServerSettings()
    graphql: GraphQLSettings = GraphQLSettings()
    supergraph: SupergraphSettings = SupergraphSettings()
    subgraphs: SubgraphSettings = SubgraphSettings()
    subscriptions: SubscriptionSettings = SubscriptionSettings()
    batching: BatchingSettings = BatchingSettings()
    uploads: UploadSettings = UploadSettings()
    headers: HeaderSettings = HeaderSettings()
    explorer: ExplorerSettings = ExplorerSettings()

    @property
    def has_explorer(self) -> bool:
        """Whether the explorer page and its plans are served."""
        enabled = self.explorer.enabled
        return self.environment == "development" if enabled is None else enabled

    @property
    def has_introspection(self) -> bool:
        """Whether ``__schema`` and ``__type`` are answered."""
        enabled = self.graphql.introspection
        return self.has_explorer if enabled is None else enabled


def load_config(path: Path | None, environ: Mapping[str, str] = os.environ) -> RouterConfig:
    """The settings in the file at ``path``, or the defaults where there is none.

    Where the file does not say, GALLERIA_ENV is the environment. Raises InputError (INVALID_CONFIG) that names file,
    key and remedy.
    """
    values = _read_values(path, environ) if path is not None else {}
    values.setdefault("environment", environ.get("GALLERIA_ENV") or "production")
    try:
        config = RouterConfig.model_validate(values)
    except ValidationError as error:
        raise InputError(INVALID_CONFIG, f"{path or 'GALLERIA_ENV'}: {_explain(error)}") from None
    return _with_absolute_tabs(config, path.parent) if path is not None else config


def nearest(name: str, known: Iterable[str]) -> str:
    """``; did you mean 'x'?``, or nothing where no known name is near."""
    found = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean '{found[0]}'?" if found else ""


def _read_values(path: Path, environ: Mapping[str, str]) -> dict[str, Any]:
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        message = f"{path}: {error.strerror}. Name the configuration with --config FILE."
        raise InputError(INVALID_CONFIG, message) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise InputError(INVALID_CONFIG, f"{path}: not YAML: {reason}") from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise InputError(INVALID_CONFIG, f"{path}: not a mapping of settings.")
    try:
        expanded = expand_variables(values, environ)
    except UnsetVariable as error:
        raise InputError(INVALID_CONFIG, f"{path}: {error}") from None
    return cast("dict[str, Any]", expanded)


def _explain(error: ValidationError) -> str:
    """The first thing that is wrong, on one line."""
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        *section, name = first["loc"]
        return f"{where}: there is no such setting{nearest(str(name), _settings_of(section))}"
    return f"{where}: {first['msg'][0].lower()}{first['msg'][1:]}, not {first['input']!r}"


def _settings_of(section: Iterable[int | str]) -> list[str]:
    model: type[BaseModel] = RouterConfig
    for part in section:
        annotation = model.model_fields[str(part)].annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            model = annotation
    return list(model.model_fields)


def _with_absolute_tabs(config: RouterConfig, folder: Path) -> RouterConfig:
    tabs = tuple(folder / tab for tab in config.explorer.tabs)
    return config.model_copy(update={"explorer": config.explorer.model_copy(update={"tabs": tabs})})
