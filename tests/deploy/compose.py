"""compose.yaml as a container engine would read it: YAML, with the environment's variables put in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent.parent
COMPOSE_FILE = ROOT / "compose.yaml"
Json = dict[str, Any]

# The forms that the file uses: ${NAME:?what is wrong without it} and ${NAME:-default}.
_VARIABLE = re.compile(r"\$\{(?P<name>[A-Z_]+):(?P<sign>[?-])(?P<rest>[^}]*)\}")


class UnsetVariableError(Exception):
    """A variable that the file requires is not set; the message is the one that the engine would print."""


def read_compose(environment: Mapping[str, str]) -> Json:
    """The whole file with ``environment`` put in; raises UnsetVariableError where the engine would refuse to start."""
    document: Json = _interpolate(yaml.safe_load(COMPOSE_FILE.read_text()), environment)
    return document


def variables() -> dict[str, set[str]]:
    """For each variable of the file the signs of its uses: "?" where it is required, "-" where it has a default."""
    uses: dict[str, set[str]] = {}
    for match in _VARIABLE.finditer(COMPOSE_FILE.read_text()):
        uses.setdefault(match["name"], set()).add(match["sign"])
    return uses


def _interpolate(value: Any, environment: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _interpolate(item, environment) for key, item in value.items()}
    if isinstance(value, list):
        return [_interpolate(item, environment) for item in value]
    return _replace(value, environment) if isinstance(value, str) else value


def _replace(text: str, environment: Mapping[str, str]) -> str:
    def replacement(match: re.Match[str]) -> str:
        found = environment.get(match["name"], "")
        if not found and match["sign"] == "?":
            raise UnsetVariableError(f"required variable {match['name']} is missing a value: {match['rest']}")
        return found or match["rest"]

    replaced = _VARIABLE.sub(replacement, text)
    assert "$" not in replaced, f"a form of variable that these tests do not know: {text}"
    return replaced
