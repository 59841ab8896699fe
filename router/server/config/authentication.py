"""Section ``authentication``: whose tokens are believed, and where they come from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from router.server.config.headers import HeaderName
from router.server.config.section import Section

# Those with a private key at the issuer alone: whoever can verify a symmetric signature can forge one.
Algorithm = Literal[
    "ES256", "ES384", "ES512", "EdDSA", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"
]  # fmt: skip


class IssuerSettings(Section):
    """One issuer, whose name is the ``iss`` of its tokens; its keys are a JWKS at a URL or in a file."""

    issuer: str = Field(min_length=1)
    audiences: tuple[Annotated[str, Field(min_length=1)], ...] = Field(min_length=1)
    jwks_url: str | None = Field(None, pattern=r"^https?://\S+$")
    jwks_file: Path | None = None
    algorithms: tuple[Algorithm, ...] = Field(("ES256", "RS256"), min_length=1)
    scopes_claim: str = "scope"

    @model_validator(mode="after")
    def _has_keys(self) -> Self:
        if (self.jwks_url is None) == (self.jwks_file is None):
            raise ValueError("name either jwks_url or jwks_file")
        return self


class AuthenticationSettings(Section):
    """Without ``issuers`` nobody is known, and no token is looked at. ``cookie`` is looked at after ``header``.

    ``claims_to_headers`` are the headers by which subgraphs get claims of a token, by the claim's name.
    """

    issuers: tuple[IssuerSettings, ...] = ()
    required: bool = False
    header: str = Field("authorization", pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
    scheme: str = "Bearer"
    cookie: str | None = None
    claims_to_headers: Mapping[str, HeaderName] = Field(default_factory=dict)
    leeway_s: float = Field(0.0, ge=0, le=300)
    max_cached_tokens: int = Field(10_000, ge=0)
    max_token_bytes: int = Field(8192, gt=0)
    refresh_keys_s: float = Field(300.0, gt=0)
    retry_keys_s: float = Field(10.0, gt=0)
    keys_timeout_s: float = Field(5.0, gt=0)

    @model_validator(mode="after")
    def _issuers_are_unique(self) -> Self:
        names = [one.issuer for one in self.issuers]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"two issuers are '{twice}': name it once, with all its audiences")
        return self
