"""A process of its own: how many bytes each of many compiled operations takes, and how many it is said to take."""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Callable

import psutil

from bench.contestants import SUPERGRAPH
from bench.memory import DIFFERENT
from bench.operations import read_operation
from router.operation.limits import OperationLimits
from router.server.operations.compiled_operation import OperationCompiler, weight_of
from router.server.operations.recently_used import CacheSize
from router.supergraph.read import read_supergraph

BIG: str = json.loads(read_operation("a").body)["query"]
OBJECT = "a{0}: reviews {{ b{0}: body u{0}: author {{ n{0}: name w{0}: username }} }}"


def _objects(number: int) -> str:
    """Forty objects, each of names of its own."""
    objects = " ".join(OBJECT.format(f"{index}x{number}") for index in range(20))
    return f"query Q{number} {{ p{number}: topProducts {{ {objects} }} }}"


def _flat(number: int) -> str:
    """Ninety fields of one object, each of a name of its own."""
    fields = " ".join(f"a{index}x{number}: name" for index in range(90))
    return f"query Q{number} {{ p{number}: topProducts {{ {fields} }} }}"


# Texts of different numbers; all but those of "big" share nothing.
SHAPES: dict[str, Callable[[int], str]] = {
    "smallest": lambda number: f"query Q{number} {{ p{number}: topProducts {{ u{number}: upc }} }}",
    "ordinary": lambda number: DIFFERENT.format(n=number),
    "big": lambda number: BIG.replace("topProducts", f"p{number}: topProducts", 1),
    "objects": _objects,
    "flat": _flat,
}


def main(shape: str, count: int) -> None:
    """Print the bytes that each of ``count`` operations of SHAPES took, and their weight."""
    text_of, supergraph = SHAPES[shape], read_supergraph(SUPERGRAPH.read_text())
    compile_ = OperationCompiler(supergraph, CacheSize(2 * count + 100, 2**40), OperationLimits(max_aliases=1000))
    kept = [compile_(text_of(number), None) for number in range(50)]  # What all share is there now.
    gc.collect()
    before = psutil.Process().memory_info().rss
    texts = [text_of(number) for number in range(50, 50 + count)]
    kept += [compile_(text, None) for text in texts]
    gc.collect()
    taken = (psutil.Process().memory_info().rss - before) / count
    sys.stdout.write(f"{taken} {weight_of(texts[-1], kept[-1].operation.selections)}\n")
    assert len(kept) == 50 + count


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
