"""Counts the files and bytes of finished folders."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lstmlm.records.shards import SPLITS

_GROWING = {"ingest": (".tfrecord",), "examples": (".tfrecord", ".index"), "infer": ("predictions-",)}
"""Stage -> what ends, or begins, the names of files that grow with the corpus."""


def counted(folder: Path, stage: str = "", *, growing: bool | None = None) -> tuple[int, int]:
    """Returns the number of files in a folder, and their bytes.

    Args:
        folder: The folder, with all below it.
        stage: The stage that made it.
        growing: Only those that grow with the corpus, or only the others; None: all.
    """
    parts = _GROWING.get(stage, ())
    sizes = [
        path.stat().st_size
        for path in folder.rglob("*")
        if path.is_file() and growing in (None, any(path.name.endswith(p) or path.name.startswith(p) for p in parts))
    ]
    return len(sizes), sum(sizes)


def record_sizes(facts: Mapping[str, Any]) -> dict[str, int]:
    """Returns the records of each split, given the facts of a records folder."""
    return {split: int(facts["splits"].get(split, {}).get("records", 0)) for split in SPLITS}


def row_bytes(predictions: Path) -> tuple[float, float]:
    """Returns the mean bytes of a row of the batch job's output without the text it wrote, and of that text."""
    rows = whole = text = 0
    for path in sorted(predictions.glob("predictions-*.jsonl")):
        for line in path.read_bytes().splitlines():
            written = json.loads(line).get("output")
            rows, whole = rows + 1, whole + len(line) + 1
            text += len(json.dumps(written, ensure_ascii=False).encode()) - 2 if isinstance(written, str) else 0
    return (whole - text) / max(1, rows), text / max(1, rows)
