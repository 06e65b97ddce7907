"""Draws the confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

_MOST_NUMBERS = 30
"""Labels up to which the counts are written into the picture."""


def draw_confusion(labels: Sequence[str], counts: Sequence[Sequence[int]], path: Path, title: str) -> None:
    """Draws how often each label (row) was given as each (column) as a PNG: the colour is the share of the row.

    Args:
        labels: The labels.
        counts: Of each true label, how often each was given.
        path: The file to write.
        title: Written above it.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    table = np.asarray(counts, np.float64)
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1.0)
    size = min(20.0, 3.0 + 0.55 * len(labels))
    figure = Figure(figsize=(size + 1.0, size), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    image = axes.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0)
    names = [label if len(label) <= 24 else f"{label[:23]}…" for label in labels]
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right")
    axes.set_yticks(range(len(names)), names)
    axes.set(xlabel="predicted", ylabel="true", title=title)
    if len(labels) <= _MOST_NUMBERS:
        for row in range(len(labels)):
            for column in range(len(labels)):
                colour = "white" if shares[row, column] > 0.5 else "black"
                axes.text(column, row, f"{int(table[row, column])}", ha="center", va="center", color=colour, fontsize=8)
    figure.colorbar(image, ax=axes, label="share of the true label")
    figure.savefig(path, dpi=120, metadata={"Software": ""})
