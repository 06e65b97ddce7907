"""Compares `lstmlm plan` with what `lstmlm run` then took: seconds, files and bytes of recipes with fewer steps."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from table import Row, row

ROOT = Path(__file__).resolve().parents[1]
TIME_BAR, SIZE_BAR = 1.3, 1.1
"""A plan may differ from the fact by that factor, up or down."""
FEW = ("training.warmup=10", "evaluation.thresholds={}")
RECIPES: Mapping[str, Sequence[str]] = {
    "demo": ("training.steps=100",),
    "trec": ("training.steps=100",),
    "translate_en_fr": ("training.steps=60", "evaluation.max_records=300", "inference.max_records=300"),
}
CORPUS = ROOT / "build" / "demo" / "python_docs.jsonl"


def planned_and_run(name: str, changes: Sequence[str], folder: Path) -> Path:
    """Plans and runs a recipe in an empty folder; returns the comparison that the run wrote."""
    shutil.rmtree(folder, ignore_errors=True)
    words = [f"pipelines/recipes/{name}.yaml", "--set", f"output={folder}"]
    for change in (*changes, *FEW):
        words += ["--set", change]
    for command in ("plan", "run"):
        _lstmlm(command, *words)
    return folder / name / "plan_and_fact.json"


def comparison(name: str, stages: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    """Yields a row for each quantity of a run, and for the seconds of each stage.

    Args:
        name: The recipe.
        stages: What `plan_and_fact.json` holds.
    """
    for quantity, bar in (("seconds", TIME_BAR), ("files", SIZE_BAR), ("bytes", SIZE_BAR)):
        fact = sum(one[quantity] for one in stages)
        planned = sum(one[f"planned_{quantity}"] for one in stages)
        factor = max(planned, fact) / max(1e-9, min(planned, fact))
        yield row(f"plan of {name}: {quantity}, peer: fact", planned, peer=fact, ratio=factor, bar=bar, at_most=True)
    for one in stages:
        yield row(f"the same: seconds of {one['stage']}", one["planned_seconds"], peer=one["seconds"])


def plans(work: Path, names: Sequence[str]) -> Iterator[Row]:
    """Yields the rows of the recipes with these names."""
    if not CORPUS.is_file():
        _lstmlm("demo-corpus", "-o", CORPUS)
    for name in names:
        found = json.loads(planned_and_run(name, RECIPES[name], work / name).read_text(encoding="utf-8"))
        yield from comparison(name, found["stages"])


def _lstmlm(*words: object) -> None:
    command = [sys.executable, "-m", "lstmlm", "--quiet", *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: exit code {done.returncode}\n{done.stderr[-2000:]}")
