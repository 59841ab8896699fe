"""docs/router-settings.md lists every setting with its real default."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from router.server.config import RouterConfig
from router.server.config.section import section_in

DOCUMENT = Path(__file__).parents[3] / "docs" / "router-settings.md"


def settings(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Key and default, as the document writes them."""
    for name, field in model.model_fields.items():
        if isinstance(field.default, BaseModel):
            yield from settings(type(field.default), f"{prefix}{name}.")
            continue
        yield prefix + name, written(field)
        entry = section_in(field.annotation)
        if entry is not None:
            place = "[]." if field.get_default(call_default_factory=True) == () else ".NAME."
            yield from settings(entry, f"{prefix}{name}{place}")


def written(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is None:
        return "none"
    if value == ():
        return "`[]`"
    if isinstance(value, tuple):
        return ", ".join(f"`{member}`" for member in value)
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def test_every_setting_is_there_with_its_default() -> None:
    rows = re.findall(r"^\| `([^`]+)` \| (.+?) \| .+\. \|$", DOCUMENT.read_text(), re.MULTILINE)
    assert rows == list(settings(RouterConfig))
