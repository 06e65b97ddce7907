"""The trained model that `benchmarks/infer.py` decodes with: the recipe translate_en_fr, trained once."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "build" / "bench" / "translate"
QUICK = ("training.steps=60", "training.warmup=30", "evaluation.max_records=50", "inference.max_records=50")


@dataclasses.dataclass(frozen=True)
class Trained:
    """An export folder, and the records it was trained on."""

    export: Path
    records: Path


def trained(corpora: Path, *, quick: bool) -> Trained:
    """Runs the recipe, or takes what an earlier run left.

    Args:
        corpora: Folder of the corpora.
        quick: Train for a minute: enough for speed, not for quality.
    """
    output = FOLDER.with_name("translate-quick") if quick else FOLDER
    command = [sys.executable, "-m", "lstmlm", "run", "pipelines/recipes/translate_en_fr.yaml"]
    settings = [f"output={output}", *(QUICK if quick else ())]
    words = [word for setting in settings for word in ("--set", setting)]
    environment = os.environ | {"LSTMLM_CORPORA": str(corpora), "PYTHONPATH": str(ROOT)}
    done = subprocess.run([*command, *words], cwd=ROOT, env=environment, stdout=sys.stderr)
    if done.returncode not in (0, 3):  # 3: not good enough to be pushed, as after a minute
        raise SystemExit(f"translate_en_fr: exit code {done.returncode}")
    return of_run(output / "translate_en_fr")


def of_run(folder: Path) -> Trained:
    """Returns the latest export and records of a run's folder."""

    def latest(pattern: str) -> Path:
        return max(folder.glob(pattern), key=lambda path: path.stat().st_mtime)

    return Trained(latest("artifacts/Exporter/model/*/Format-Serving"), latest("artifacts/Ingest/records/*"))
