"""What a document may cost before anything is planned or fetched."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OperationLimits:
    """``max_tokens`` bounds the text, ``max_fields`` what it grows to once its fragments are inlined, ``max_deferred``
    the deferred fragments that it has then."""

    max_tokens: int = 15_000
    max_fields: int = 20_000
    max_deferred: int = 100


DEFAULT_LIMITS = OperationLimits()
