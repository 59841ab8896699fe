"""The cases that conformance is measured on; they come from other projects and are no part of this repository."""

from __future__ import annotations

import gzip
import importlib.util
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

_ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def composition_cases() -> list[dict[str, Any]]:
    """Sets of subgraphs with the reference composer's outcome; without ``GALLERIA_SHARED`` skips, and fails on CI."""
    shared = Path(os.environ.get("GALLERIA_SHARED", _ROOT.parent / "shared"))
    path = shared / "federation" / "composition-cases.jsonl.gz"
    if not path.is_file():
        reason = f"no composition cases at {path}; set GALLERIA_SHARED to the folder that holds them"
        if os.environ.get("CI"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="session")
def canonical_body() -> Callable[[str], str]:
    """The order-insensitive form of a supergraph, see canonical.py."""
    spec = importlib.util.spec_from_file_location("canonical", Path(__file__).with_name("canonical.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    body: Callable[[str], str] = module.body
    return body
