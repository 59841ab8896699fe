"""Reading router.yaml: every wrong key or value is told by its name, and nothing starts.

Environment variables are expanded in every value: ``${NAME}`` and ``${NAME:-default}``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from router.environment import UnsetVariable, expand_variables
from router.errors import InputError
from router.nearest import nearest
from router.server.config.headers import UNSAFE_VALUE
from router.server.config.router_config import RouterConfig
from router.server.config.section import Section, section_in
from router.server.config.told_value import told_value
from router.yaml_fault import yaml_fault
from router.yaml_text import read_yaml

INVALID_CONFIG = "INVALID_CONFIG"
# Where the name of a key is wrong, and not its value, pydantic ends the place with this.
_KEY = "[key]"
_UNKNOWN_KEY = "extra_forbidden"


def load_config(path: Path | None, environ: Mapping[str, str] = os.environ) -> RouterConfig:
    """The settings in the file at ``path``, or the defaults where there is none.

    Where the file does not say, GALLERIA_ENV is the environment. Raises InputError (INVALID_CONFIG) that names file,
    key and remedy.
    """
    written = _read_values(path) if path is not None else {}
    values = _expanded(written, path, environ)
    values.setdefault("environment", environ.get("GALLERIA_ENV") or "production")
    config = check_config(values, str(path or "GALLERIA_ENV"), written)
    return cast("RouterConfig", _with_absolute_paths(config, path.parent)) if path is not None else config


def check_config(values: Mapping[str, Any], where: str, written: Mapping[str, Any] | None = None) -> RouterConfig:
    """The settings that ``values`` are. InputError (INVALID_CONFIG) that begins with ``where`` they come from.

    It tells a wrong value as it was ``written``, with the name of a variable in place of what that holds.
    """
    try:
        return RouterConfig.model_validate(values)
    except ValidationError as error:
        raise InputError(
            INVALID_CONFIG, f"{where}: {_explain(error, values if written is None else written)}"
        ) from None


def _read_values(path: Path) -> dict[str, Any]:
    try:
        values = read_yaml(path.read_text(encoding="utf-8"))
    except OSError as error:
        message = f"{path}: {error.strerror}. Name the configuration with --config FILE."
        raise InputError(INVALID_CONFIG, message) from None
    except UnicodeDecodeError as error:
        raise InputError(INVALID_CONFIG, f"{path}: not YAML: not UTF-8 at byte {error.start + 1}.") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InputError(INVALID_CONFIG, f"{path}: not YAML: {yaml_fault(error)}") from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise InputError(INVALID_CONFIG, f"{path}: not a mapping of settings.")
    return values


def _expanded(values: dict[str, Any], path: Path | None, environ: Mapping[str, str]) -> dict[str, Any]:
    try:
        expanded = expand_variables(values, environ)
    except UnsetVariable as error:
        raise InputError(INVALID_CONFIG, f"{path}: {error}") from None
    except RecursionError as error:  # An alias within what it stands for.
        raise InputError(INVALID_CONFIG, f"{path}: not YAML: {yaml_fault(error)}") from None
    return cast("dict[str, Any]", expanded)


def _explain(error: ValidationError, written: Mapping[str, Any]) -> str:
    """The first thing that is wrong, on one line; an unknown key before all else, as it may be what else is missing."""
    faults = error.errors(include_url=False)
    first = next((fault for fault in faults if fault["type"] == _UNKNOWN_KEY), faults[0])
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] == _UNKNOWN_KEY:
        *section, name = first["loc"]
        return f"{where}: there is no such setting{nearest(str(name), _settings_of(section))}"
    if first["type"] == UNSAFE_VALUE:
        return f"{where}: {first['msg']}"
    # What is wrong between several settings of the file has no place in it.
    reason = ": ".join(part for part in (where, _said(first)) if part)
    if first["type"] == "model_type" or not where:
        return reason
    try:
        value = _value_at(written, first["loc"])
    except LookupError:
        return reason  # A default, or the name of a variable that stands for more than one value.
    told = repr(value) if first["loc"][-1] == _KEY else told_value(RouterConfig, first["loc"], value)
    return reason if told is None else f"{reason}, not {told}"


def _said(error: ErrorDetails) -> str:
    """What is wrong, in words of YAML: pydantic has those of Python."""
    if error["type"] == "model_type":
        return "this is a section: write its settings below it, or leave it out"
    message = error["msg"].removeprefix("Value error, ")
    message = f"{message[0].lower()}{message[1:]}".replace(" after validation", "")
    return message.replace("valid tuple", "list").replace("tuple", "list").replace("valid dictionary", "mapping")


def _value_at(values: Any, place: Iterable[int | str]) -> Any:
    """The value at a path into mappings and lists. LookupError where there is none."""
    *way, last = place
    if last == _KEY:
        return way[-1]
    for step in (*way, last):
        if not isinstance(values, dict | list | tuple):
            raise LookupError
        values = values[step]  # type: ignore[index]
    return values


def _settings_of(section: Iterable[int | str]) -> list[str]:
    """The keys of the section at a path, in which names and indices of entries are no keys."""
    model: type[Section] = RouterConfig
    for part in section:
        field = model.model_fields.get(str(part))
        model = (section_in(field.annotation) if field is not None else None) or model
    return list(model.model_fields)


def _with_absolute_paths(section: Section, folder: Path) -> Section:
    """The section with its paths, at every depth, from ``folder``."""
    changed = {name: _absolute(getattr(section, name), folder) for name in type(section).model_fields}
    return section.model_copy(update=changed)


def _absolute(value: object, folder: Path) -> object:
    if isinstance(value, Path):
        return folder / value
    if isinstance(value, Section):
        return _with_absolute_paths(value, folder)
    if isinstance(value, Mapping):
        return {name: _absolute(member, folder) for name, member in value.items()}
    if isinstance(value, tuple):
        return tuple(_absolute(member, folder) for member in value)
    return value
