"""Environment variables in the values of YAML files: ``${NAME}``, ``${NAME:-default}``, and rover's ``${env.NAME}``."""

from __future__ import annotations

import re
from collections.abc import Mapping

_VARIABLE = re.compile(r"\$\{(?:env\.)?([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


class UnsetVariable(Exception):  # noqa: N818 - what is wrong with the environment
    """``name`` has neither a value nor a default; ``str(error)`` says what to do, and comes after the file's name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the environment variable {name} is not set. Set it, or write ${{{name}:-default}}.")
        self.name = name


def expand_variables(value: object, environ: Mapping[str, str]) -> object:
    """``value`` with the variables replaced in all texts of its lists and mappings; UnsetVariable.

    A default stands in for a variable that is unset or empty, as in a shell.
    """
    if isinstance(value, str):
        return _expand_text(value, environ)
    if isinstance(value, Mapping):
        return {key: expand_variables(member, environ) for key, member in value.items()}
    if isinstance(value, list):
        return [expand_variables(member, environ) for member in value]
    return value


def _expand_text(text: str, environ: Mapping[str, str]) -> str:
    def replace(match: re.Match[str]) -> str:
        name, default = match.group(1), match.group(2)
        value = environ.get(name)
        if default is not None:
            return value or default
        if value is None:
            raise UnsetVariable(name)
        return value

    return _VARIABLE.sub(replace, text)
