"""The lock files name the extras that locked packages ask of each other.

A pip that meets ``name[extra]`` without finding it in the lock looks for the newest release of ``name``, whose hash the
lock does not have: with older pips a new release of any such package would break every fresh installation.
"""

from __future__ import annotations

import re
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKED = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(\[(?P<extras>[^]]+)\])?==", re.MULTILINE)


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_extras_that_packages_ask_for_are_locked(lock: str) -> None:
    extras_of = {
        canonicalize_name(match["name"]): frozenset((match["extras"] or "").split(",")) - {""}
        for match in LOCKED.finditer((ROOT / lock).read_text())
    }
    asked = [
        (name, needed)
        for name, extras in extras_of.items()
        for needed in _requirements(name, extras)
        if needed.extras and canonicalize_name(needed.name) in extras_of
    ]
    missing = [
        f"{name} needs {needed}"
        for name, needed in asked
        if not needed.extras <= extras_of[canonicalize_name(needed.name)]
    ]
    assert asked or lock == "requirements.lock"
    assert missing == []


def _requirements(name: str, extras: frozenset[str]) -> list[Requirement]:
    """What the installed release of ``name`` needs here; nothing of packages of other platforms."""
    try:
        texts = distribution(name).requires or []
    except ModuleNotFoundError:
        return []
    needed = [Requirement(text) for text in texts]
    return [
        one
        for one in needed
        if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in {"", *extras})
    ]


def test_what_is_tested_is_what_runs() -> None:
    tested = dict(_versions("requirements-dev.lock"))
    for lock in ("requirements.lock", "requirements-build.lock"):
        assert [pin for pin in _versions(lock) if tested[pin[0]] != pin[1]] == []


def _versions(lock: str) -> list[tuple[str, str]]:
    return re.findall(r"^([\w.-]+)(?:\[[^]]+\])?==(\S+)", (ROOT / lock).read_text(), re.MULTILINE)
