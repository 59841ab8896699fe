"""What is planned: the supergraphs of the shared composition cases, each with operations drawn at random."""

from __future__ import annotations

import gzip
import json
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from graphql import parse, validate

from bench.errors import BenchError
from router.errors import GalleriaError
from router.supergraph import Supergraph, read_supergraph
from tests.differential.operations import OperationGenerator

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Case:
    """A supergraph that the reference composer made, and valid operations over it."""

    name: str
    sdl: str
    supergraph: Supergraph
    operations: tuple[str, ...]


def read_cases(seed: str, count: int) -> Iterator[Case]:
    """Every supergraph of the shared cases with up to ``count`` operations, the same ones for the same seed.

    BenchError where the cases are not there, or one of them cannot be read.
    """
    shared = Path(os.environ.get("GALLERIA_SHARED", ROOT.parent / "shared"))
    path = shared / "federation" / "composition-cases.jsonl.gz"
    if not path.is_file():
        raise BenchError(f"there are no composition cases at {path}: set GALLERIA_SHARED to the folder that holds them")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            case = json.loads(line)
            if case["oracle"].get("ok"):
                yield _read_case(case["id"], case["oracle"]["supergraphSdl"], seed, count)


def _read_case(name: str, sdl: str, seed: str, count: int) -> Case:
    try:
        supergraph = read_supergraph(sdl)
    except GalleriaError as error:
        raise BenchError(f"the supergraph of case {name} cannot be read: {error}") from error
    rng = random.Random(f"{seed} {name}")  # noqa: S311 - not a secret
    drawn = (_draw(supergraph, rng) for _ in range(count))
    return Case(name, sdl, supergraph, tuple(dict.fromkeys(text for text in drawn if text)))


def _draw(supergraph: Supergraph, rng: random.Random) -> str | None:
    schema = supergraph.api_schema
    kind = "mutation" if schema.mutation_type is not None and rng.random() < 0.1 else "query"
    text = OperationGenerator(schema, rng).write(kind)
    return None if validate(schema, parse(text)) else text
