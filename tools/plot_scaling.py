"""Draws docs/figures/scaling.svg from what `pneumo benchmark scale|serve --json FILE` measured:

python -m tools.plot_scaling scale.json serve.json
"""

import json
import re
import sys
from pathlib import Path

from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

TARGET = Path(__file__).parents[1] / "docs" / "figures" / "scaling.svg"
# What a row's name says of its place on the axis, its panel's axes, and how to get ms an image.
PANELS = (
    (r"(.+): each of (\d+) files", "files", lambda value: value),
    (r"(.+): ([\d.]+) megapixels", "megapixels", lambda value: value),
    (r"(.+): (\d+) clients", "clients at once", lambda rate: 1000 / rate),
)


def main() -> None:
    """Draw the three panels."""
    rows: list[dict] = []
    for path in sys.argv[1:]:
        facts = json.loads(Path(path).read_text())
        rows += [row for suite in ("scale", "serve") for row in facts.get(suite, ())]
    figure = Figure(figsize=(9, 2.8), layout="constrained")
    FigureCanvasSVG(figure)
    for axes, (pattern, label, cost) in zip(figure.subplots(1, 3), PANELS, strict=True):
        lines: dict[str, list[tuple[float, float]]] = {}
        for row in rows:
            if found := re.match(pattern, row["name"]):
                lines.setdefault(found[1], []).append((float(found[2]), cost(row["median"])))
        for name, points in lines.items():
            axes.plot(*zip(*points, strict=True), marker="o", markersize=3, label=name)
        axes.set(xscale="log", xlabel=label, ylabel="ms an image", ylim=(0, None))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    figure.savefig(TARGET, metadata={"Date": None})


if __name__ == "__main__":
    main()
