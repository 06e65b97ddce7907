"""The picture of a training run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """Reads `metrics.jsonl`; where a resumed run wrote a step again, the later row counts.

    The file may be read while a worker writes it: a last line that is not whole yet is left out.
    """
    rows: dict[tuple[int, bool], dict[str, Any]] = {}
    if path.is_file():
        whole, _, _ = path.read_text(encoding="utf-8").rpartition("\n")
        for line in whole.splitlines():
            row = json.loads(line)
            rows[row["step"], "valid_loss" in row] = row
    return [rows[key] for key in sorted(rows)]


def plot_loss(metrics: list[dict[str, Any]], path: Path, title: str) -> None:
    """Draws training and validation loss (nats a token) over steps as a PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for key, label, style in (("loss", "training", "-"), ("valid_loss", "validation", "o-")):
        points = [(row["step"], row[key]) for row in metrics if key in row]
        if points:
            axes.plot(*zip(*points, strict=True), style, label=label, markersize=3)
    axes.set(xlabel="step", ylabel="loss (nats a token)", title=title)
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=120, metadata={"Software": ""})
