"""The router as an ASGI app, as another server than its own serves it: of the supergraph in the file SUPERGRAPH."""

from __future__ import annotations

import os
from pathlib import Path

from bench.contestants import HERE
from router import Router

app = Router(Path(os.environ["SUPERGRAPH"]), HERE / "configs" / "alone.yaml")
