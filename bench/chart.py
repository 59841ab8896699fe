"""The table as a picture: requests per second of each router, operation by operation."""

from __future__ import annotations

from pathlib import Path
from statistics import median

from bench.report import Samples

COLOURS = {"galleria": "#7b2d8b", "galleria-sharing": "#b57bc2", "ceiling": "#9a9a9a"}
OTHERS = "#4a7fb5"


def draw(samples: Samples, path: Path) -> bool:
    """Write a PNG to ``path``; False where matplotlib (the extra ``bench``) is not installed."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return False
    figure = Figure(figsize=(4 * len(samples), 4.5), layout="constrained")
    for place, (operation, of_routers) in enumerate(samples.items(), 1):
        axes = figure.add_subplot(1, len(samples), place)
        names = list(of_routers)
        rates = [median(sample.requests_per_s for sample in of_routers[name]) for name in names]
        bars = axes.barh(names, rates, color=[COLOURS.get(name, OTHERS) for name in names])
        axes.bar_label(bars, labels=[f"{rate:,.0f}" for rate in rates], padding=3)
        axes.set_title(f"operation {operation}")
        axes.set_xlabel("requests/s, one core")
        axes.set_xmargin(0.25)
        axes.invert_yaxis()
    figure.savefig(path, dpi=110)
    return True
