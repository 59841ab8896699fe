"""Section ``authorization``: what ``@authenticated``, ``@requiresScopes`` and ``@policy`` come to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, StringConstraints

from router.server.config.section import Section

FunctionPlace = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")]


class AuthorizationSettings(Section):
    """``reject`` refuses an operation that asks for more than its requester may see, instead of leaving that out.

    ``policies`` names async functions by policy, as ``module:function``; ``*`` stands for any other.
    Who has ``inspection_scope`` may introspect and see plans even where others may not.
    """

    reject: bool = False
    policies: Mapping[str, FunctionPlace] = Field(default_factory=dict)
    policy_timeout_s: float = Field(1.0, gt=0)
    inspection_scope: str | None = Field(None, min_length=1)
