"""Section ``persisted_documents``: documents that are named instead of sent."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from router.server.config.section import Section


class PersistedDocumentSettings(Section):
    """``apq`` lets clients register documents by hash, up to ``apq_max_bytes``; where they are ``apq_shared``, with all
    replicas, by the server in ``nats``, which forgets them after ``apq_ttl_s``. ``manifest`` is a file of documents,
    relative to router.yaml; with ``require`` no others run."""

    apq: bool = False
    apq_max_bytes: int = Field(10_000_000, gt=0)
    apq_shared: bool = False
    apq_ttl_s: float | None = Field(None, gt=0)
    manifest: Path | None = None
    require: bool = False

    @model_validator(mode="after")
    def _require_goes_with_a_manifest_alone(self) -> Self:
        if self.require and self.manifest is None:
            raise ValueError("require needs a manifest of the documents that may run")
        if self.require and self.apq:
            raise ValueError("require lets none but the manifest's documents run, so leave apq out")
        if self.apq_shared and not self.apq:
            raise ValueError("apq_shared shares what apq lets clients register, so set that")
        return self
