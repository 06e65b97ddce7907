"""Rows of a benchmark: what they hold, how they are printed, where they are written."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

OUT = Path(__file__).resolve().parent / "out"
COLUMNS = ("row", "ours", "peer", "ratio", "bar", "holds")

Row = dict[str, Any]


def row(
    name: str,
    ours: float,
    *,
    peer: float | None = None,
    ratio: float | None = None,
    bar: float | None = None,
    at_most: bool = False,
    digits: int = 3,
) -> Row:
    """Returns a row; the bar is held against the ratio where there is one, else against our number.

    Args:
        name: What was measured, with its unit.
        ours: Our number.
        peer: The peer's.
        ratio: The one over the other, whichever way round is the better the larger.
        bar: The bound.
        at_most: Whether the bound is an upper one.
        digits: Decimals kept.
    """
    compared = ours if ratio is None else ratio
    holds = None if bar is None else bool(compared <= bar if at_most else compared >= bar)
    rounded = [None if value is None else round(float(value), digits) for value in (ours, peer, ratio)]
    return dict(zip(COLUMNS, [name, *rounded, bar, holds], strict=True))


def median(values: Sequence[float]) -> float:
    """Returns the median."""
    return float(statistics.median(values))


def publish(name: str, rows: Sequence[Row]) -> None:
    """Prints the rows as a Markdown table and writes `benchmarks/out/NAME.json`."""
    print("| " + " | ".join(COLUMNS) + " |")
    print("|" + "---|" * len(COLUMNS))
    for line in rows:
        print("| " + " | ".join("" if line[key] is None else str(line[key]) for key in COLUMNS) + " |")
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / f"{name}.json").write_text(json.dumps(list(rows), indent=1) + "\n", encoding="utf-8")
