"""Settings of a service, from the environment, typed.

Every field ``mongodb_url`` is read from ``<SERVICE>_MONGODB_URL`` (``INVENTORY_MONGODB_URL``), else from
``MONGODB_URL``: one environment can hold the settings of several services. A service with settings of its own
subclasses :class:`ServiceSettings`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pymongo.errors import ConfigurationError
from pymongo.uri_parser import parse_uri

from subgraphs.chassis.errors import SettingsError
from subgraphs.chassis.identity.router_keys import read_keys

S = TypeVar("S", bound="CommandSettings")


class CommandSettings(BaseModel):
    """What every command can be told."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    galleria_env: Literal["development", "production"] = Field(
        default="development", description="production refuses the development key, weak secrets, keys over plain HTTP"
    )
    galleria_data: Path = Field(default=Path(".galleria"), description="where the development key lies")

    @property
    def development(self) -> bool:
        """Whether conveniences that production must not have are on."""
        return self.galleria_env == "development"

    @property
    def keys_directory(self) -> Path:
        """Where the development key lives."""
        return self.galleria_data / "keys"


class BusSettings(CommandSettings):
    """What is needed to reach the bus."""

    nats_url: SecretStr = Field(description="NATS server with JetStream; tls:// is never spoken to without TLS")

    @field_validator("nats_url")
    @classmethod
    def _speaks_nats(cls, url: SecretStr) -> SecretStr:
        if urlsplit(url.get_secret_value()).scheme not in ("nats", "tls"):
            raise ValueError("must be nats:// or tls://USER:PASSWORD@HOST:PORT")
        return url


class ServiceSettings(BusSettings):
    """What every service can be told."""

    mongodb_url: SecretStr = Field(description="user, password, host and database name of this service's own database")
    jwks_file: Path | None = Field(default=None, description="keys that sign bearer tokens; read again when changed")
    jwks_url: str | None = Field(default=None, description="the same from a URL; asked again for an unknown key id")
    token_leeway_s: float = Field(
        default=0.0,
        ge=0,
        le=300,
        description="by how much the clocks of whoever issues tokens and of this service may differ",
    )
    router_keys: SecretStr | None = Field(
        default=None,
        description="ID:SECRET that the router signs with, several by commas; others then need a token",
    )
    router_only: bool = Field(default=False, description="1 answers what is signed by the router, and nothing else")
    router_signature_window_s: float = Field(
        default=30.0, gt=0, le=3600, description="how long a signature holds, and how far clocks may differ"
    )
    seed_demo: bool = Field(default=False, description="1 puts the demo shop into an empty database")
    host: str = Field(default="127.0.0.1", description="address to listen on")
    port: int | None = Field(
        default=None, ge=0, le=65535, description="port to listen on, instead of the service's own"
    )
    log_format: Literal["text", "json"] = Field(default="text", description="text for people, json for machines")
    log_level: Literal["debug", "info", "warning"] = Field(
        default="info", description="debug has a line for each request and each event"
    )
    otel_exporter_otlp_endpoint: str | None = Field(
        default=None, description="OTLP collector (HTTP) for traces; needs the extra galleria[otel]"
    )
    mongodb_timeout_ms: int = Field(default=5000, ge=50, le=60_000, description="for one database operation")

    @field_validator("mongodb_url")
    @classmethod
    def _names_a_database(cls, url: SecretStr) -> SecretStr:
        parts = urlsplit(url.get_secret_value())
        if parts.scheme not in ("mongodb", "mongodb+srv") or not parts.path.strip("/"):
            raise ValueError("must be mongodb://USER:PASSWORD@HOST:PORT/DATABASE")
        try:
            # not for mongodb+srv, which would ask the name server
            if parts.scheme == "mongodb":
                parse_uri(url.get_secret_value())
        except (ConfigurationError, ValueError):
            # The driver's message has what it took for the database, which may be half of a password.
            raise ValueError(
                "is not read as a URL; write what is special in user and password percent-encoded (RFC 3986)"
            ) from None
        return url

    @field_validator("router_keys")
    @classmethod
    def _are_keys(cls, keys: SecretStr | None) -> SecretStr | None:
        if keys is not None:
            read_keys(keys)
        return keys

    @field_validator("router_only")
    @classmethod
    def _has_keys(cls, router_only: bool, info: ValidationInfo) -> bool:
        if router_only and info.data.get("router_keys", "") is None:
            raise ValueError("needs ROUTER_KEYS, or nobody would be answered")
        return router_only

    @field_validator("jwks_url", "otel_exporter_otlp_endpoint")
    @classmethod
    def _is_a_web_address(cls, url: str | None) -> str | None:
        if url is not None and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname):
            raise ValueError("must be https://HOST/PATH, or http:// in development")
        return url

    @property
    def database_name(self) -> str:
        """The database that ``mongodb_url`` names."""
        return urlsplit(self.mongodb_url.get_secret_value()).path.strip("/")


def read_settings(kind: type[S], service: str, environment: Mapping[str, str] | None = None) -> S:
    """The settings of ``service`` from ``environment`` (default: the process's own).

    Raises SettingsError, one line that names every wrong variable, where a value is missing or wrong.
    """
    environment = os.environ if environment is None else environment
    try:
        return kind.model_validate(_own_values(kind, service, environment))
    except ValidationError as error:
        raise SettingsError("; ".join(_sentences(error))) from None


def _own_values(kind: type[CommandSettings], service: str, environment: Mapping[str, str]) -> dict[str, str]:
    names = {field: (f"{service.upper()}_{field.upper()}", field.upper()) for field in kind.model_fields}
    found = {field: environment.get(own) or environment.get(shared) for field, (own, shared) in names.items()}
    return {field: value for field, value in found.items() if value}


def _sentences(error: ValidationError) -> list[str]:
    sentences = []
    for problem in error.errors(include_url=False, include_input=False):
        variable = str(problem["loc"][0]).upper()
        missing = problem["type"] == "missing"
        reason = "is not set" if missing else problem["msg"].removeprefix("Value error, ")
        sentences.append(f"{variable}: {reason}")
    return sentences
