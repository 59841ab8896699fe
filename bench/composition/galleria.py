"""``python -m bench.composition.galleria FILE ROUNDS``: our composer, timed; prints milliseconds and peak memory."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from router import Subgraph, compose


def main(file: str, rounds: int) -> None:
    """Compose the set in ``file`` again and again; ends with code 1 if it does not compose."""
    subgraphs = [Subgraph(s["name"], s["url"], s["typeDefs"]) for s in json.loads(Path(file).read_text())["subgraphs"]]
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        composition = compose(subgraphs)
        times.append((time.perf_counter() - start) * 1000)
        if composition.errors:
            sys.exit(str(composition.errors[0]))
    print(json.dumps({"ms": times, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
