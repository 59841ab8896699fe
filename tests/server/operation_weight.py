"""A process of its own: prints how many bytes of memory each of many compiled operations takes."""

from __future__ import annotations

import gc
import sys

import psutil

from bench.contestants import SUPERGRAPH
from bench.memory import DIFFERENT
from router.server.compiled_operation import OperationCompiler
from router.server.recently_used import CacheSize
from router.supergraph.read import read_supergraph


def main(count: int) -> None:
    compile_ = OperationCompiler(read_supergraph(SUPERGRAPH.read_text()), CacheSize(2 * count, 2**40))
    kept = [compile_(DIFFERENT.format(n=number), None) for number in range(50)]  # What all share is there now.
    gc.collect()
    before = psutil.Process().memory_info().rss
    texts = [DIFFERENT.format(n=number) for number in range(50, 50 + count)]
    kept += [compile_(text, None) for text in texts]
    gc.collect()
    sys.stdout.write(f"{(psutil.Process().memory_info().rss - before) / count}\n")
    assert len(kept) == 50 + count


if __name__ == "__main__":
    main(int(sys.argv[1]))
