"""Reads the metrics log of a training run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lstmlm.training.metrics.objective import Objective

METRICS_FILE = "metrics.jsonl"
"""Name of the rows of a training."""
BEST = "best"
"""Folder of a model with the weights of its good evaluations, with `training.keep_best` above 1."""


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """Reads `metrics.jsonl`; where a resumed run wrote a step again, the later row counts.

    The file may be read while a worker writes it, and a killed one may have left a line unfinished: a line that is not
    a row is left out. A resumed run writes the rows after its checkpoint again.
    """
    rows = {(row["step"], "valid_loss" in row): row for row in written_rows(path)}
    return [rows[key] for key in sorted(rows)]


def written_rows(path: Path) -> list[dict[str, Any]]:
    """Reads `metrics.jsonl` as it was written: a step that a resumed run repeated occurs twice."""
    try:
        whole, _, _ = path.read_bytes().rpartition(b"\n")
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [row for row in map(_row, whole.split(b"\n")) if row is not None]


def _row(line: bytes) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) and type(row.get("step")) is int else None


def best_first(metrics: list[dict[str, Any]], objective: Objective) -> list[dict[str, Any]]:
    """Returns the rows of the evaluations, the best first; of equal ones the earlier."""
    rows = (row for row in metrics if objective.key in row)
    return sorted(rows, key=lambda row: (objective.cost(row[objective.key]), row["step"]))


def best_name(step: int) -> str:
    """Returns the name of the file with the weights of a good evaluation."""
    return f"best-{step:08d}.npz"
