"""What all sections of router.yaml have in common: frozen, and every unknown key is an error."""

from __future__ import annotations

from typing import Any, get_args

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A section of router.yaml, or an entry of one."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def section_in(annotation: Any) -> type[Section] | None:
    """The section that values of a field are, or hold as entries of a mapping or list; None for plain values."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    found = (section_in(argument) for argument in get_args(annotation))
    return next((section for section in found if section is not None), None)
