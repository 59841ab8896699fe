"""The operations of the public gateways benchmark: documents, bodies to send, answers to expect.

``a`` is a big federated query (87 kB answer), ``b`` one field of one subgraph, ``c`` a small query over two subgraphs
with ``@requires``; ``b2`` and ``c2`` are the same with another argument in each request, so that nothing can be shared.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "federation"
FIRST_ARGUMENT = 1_000_000  # post.lua replaces this number, so that each request of b2 and c2 differs
NAMES = ("a", "b", "c", "b2", "c2")


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation; ``unique`` ones are sent with another argument each time. ``headers`` are sent with it."""

    name: str
    body: str
    expected: Any
    unique: bool
    headers: Mapping[str, str] = field(default_factory=dict)


def read_operation(name: str) -> Operation:
    """The operation ``name`` (one of NAMES)."""
    unique = name.endswith("2")
    request: dict[str, Any] = {"query": (FOLDER / "operations" / f"{name}.graphql").read_text()}
    if unique:
        request["variables"] = {"first": FIRST_ARGUMENT}
    expected = json.loads((FOLDER / "expected" / f"{name}.json").read_text())
    return Operation(name, json.dumps(request), expected, unique)
