"""Section ``subgraphs.tls``: how the router and its subgraphs prove to each other who they are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from router.server.config.headers import UNSAFE_VALUE
from router.server.config.section import Section


def _none_if_empty(value: object) -> object:
    """An environment variable can leave a file out."""
    return None if value == "" else value


def _secret_text(value: object) -> object:
    if value is None or isinstance(value, str | SecretStr):
        return value or None
    raise PydanticCustomError(UNSAFE_VALUE, "this is a text: put it in quotes")


FilePath = Annotated[Path | None, BeforeValidator(_none_if_empty)]
Secret = Annotated[SecretStr | None, BeforeValidator(_secret_text)]


class TlsSettings(Section):
    """Files in PEM, relative to router.yaml. ``ca_file`` takes the place of the authorities that the system trusts.

    With ``crl_file``, the lists of those that sign subgraphs' certificates, none of these may have been revoked.
    With ``certificate_file`` the router proves who it is; its key is in ``key_file``, or in the same file.
    """

    ca_file: FilePath = None
    crl_file: FilePath = None
    certificate_file: FilePath = None
    key_file: FilePath = None
    key_password: Secret = None
    server_name: str | None = Field(None, min_length=1)

    @model_validator(mode="after")
    def _has_a_certificate_for_the_key(self) -> Self:
        if self.certificate_file is None and (self.key_file is not None or self.key_password is not None):
            raise PydanticCustomError(UNSAFE_VALUE, "a key needs certificate_file, which says whose it is")
        return self


class SubgraphTlsSettings(TlsSettings):
    """For all subgraphs whose URL is https; those in ``subgraphs``, by name, hold over them for one."""

    subgraphs: Mapping[str, TlsSettings] = Field(default_factory=dict)
