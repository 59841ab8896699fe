"""What a message may tell of a wrong value: whoever writes a secret at a wrong place finds it in no log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, get_args

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from router.server.config.section import Section, section_in
from router.told_url import told_url


def told_value(model: type[Section], place: Iterable[int | str], value: object) -> str | None:
    """``value`` at its place below ``model``, without credentials of an address; None where it may be a secret.

    That is where the setting is one (a SecretStr, or one without ``repr``), or is a section that has one, and in all
    that has members.
    """
    if isinstance(value, Mapping | list | tuple):
        return None
    is_secret = False
    for part in place:
        field = model.model_fields.get(str(part))
        if field is None:
            continue  # The name or the index of an entry.
        below = section_in(field.annotation)
        is_secret = _is_secret(field) or (below is not None and _has_secret(below))
        model = below or model
    if is_secret:
        return None
    return repr(told_url(value) if isinstance(value, str) and ("://" in value or "@" in value) else value)


def _is_secret(field: FieldInfo) -> bool:
    return not field.repr or _names(field.annotation, SecretStr)


def _has_secret(model: type[Section]) -> bool:
    for field in model.model_fields.values():
        below = section_in(field.annotation)
        if _is_secret(field) or (below is not None and _has_secret(below)):
            return True
    return False


def _names(annotation: Any, kind: type) -> bool:
    return annotation is kind or any(_names(argument, kind) for argument in get_args(annotation))
