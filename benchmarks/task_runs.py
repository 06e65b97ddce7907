"""Runs a recipe from its corpus to its predictions, for the rows of `task_rows`.

The stages are those of `lstmlm run`, in one process of their own: training has a worker in that process, where
`lstmlm run` starts Ray. So a row measures what is learnt in the minutes that the recipe trains, and not how Ray starts.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / "build" / "bench-tasks"
RECIPES = ROOT / "pipelines" / "recipes"


@dataclasses.dataclass(frozen=True)
class Result:
    """What a run gave.

    Attributes:
        folder: Holds a folder for each stage, by the stage's name.
        seconds: Wall time of each stage that was run.
    """

    folder: Path
    seconds: dict[str, float]

    @property
    def metrics(self) -> dict[str, Any]:
        """The metrics on the valid split."""
        found: dict[str, Any] = json.loads((self.folder / "evaluate" / "metrics.json").read_text(encoding="utf-8"))
        return found["metrics"]

    @property
    def vocabulary(self) -> Path:
        """The file of the vocabulary."""
        return self.folder / "tokenizer" / "tokenizer.model"

    @property
    def predictions(self) -> list[dict[str, Any]]:
        """The output of the batch job over the valid split, in order."""
        files = sorted((self.folder / "infer").glob("predictions-*.jsonl"))
        return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def run_recipe(
    recipe: Path,
    folder: Path,
    changes: Sequence[str] = (),
    stages: Sequence[str] = (),
    earlier: Result | None = None,
) -> Result:
    """Runs a recipe.

    Args:
        recipe: The file.
        folder: What is published goes here; finished stages of the same recipe are not run again.
        changes: `field=value`, as with `--set`.
        stages: The stages to run, in order; none named: from `ingest` to `infer`, which predicts the valid split.
        earlier: A run with the stages that are not run, such as one of the same model in another precision.

    Raises:
        SystemExit: A stage failed; what it printed was printed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable,
        __file__,
        str(recipe),
        str(folder),
        str((earlier or Result(folder, {})).folder),
        ",".join(stages),
        *changes,
    ]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "2"}
    status = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
    if status:
        raise SystemExit(f"{recipe.name}: exit code {status}")
    seconds: dict[str, float] = json.loads((folder / "seconds.json").read_text(encoding="utf-8"))
    return Result(folder, seconds)


def both_ways(recipe: Path, folder: Path, steps: int) -> tuple[Result, Result]:
    """Trains a language model and one that reads backward, with the same vocabulary and embedding.

    Args:
        recipe: The recipe of the first.
        folder: Gets `forward` and `backward`.
        steps: Steps of each.
    """
    changes = [f"training.steps={steps}", f"training.warmup={min(200, steps // 4)}"]
    stages = ["ingest", "tokenizer", "examples", "train"]
    forward = run_recipe(recipe, folder / "forward", changes, stages)
    shared = f"{{model: {forward.folder / 'train'}, parts: [embedding], freeze: [embedding]}}"
    changes += ["task_options.direction=backward", f"training.initial={shared}"]
    changes.append(f"tokenizer.model={forward.vocabulary}")
    return forward, run_recipe(recipe, folder / "backward", changes, stages)


def _here(file: Path, folder: Path, earlier: Path, stages: Sequence[str], changes: Sequence[str]) -> None:
    """Runs the stages in this process."""
    from lstmlm.progress import Silent
    from lstmlm.recipe.file import load_recipe
    from lstmlm.stages import STAGES
    from lstmlm.training.workers import distributed
    from lstmlm.training.workers.all_reduce import SingleWorker
    from lstmlm.training.workers.worker import train_worker

    def train_here(recipe: Any, examples: Path, tokenizer: Path, work: Path, address: str | None) -> None:
        train_worker(recipe, examples, tokenizer, work, SingleWorker(), lambda row: print(row, flush=True))

    distributed.train_on_ray = train_here
    recipe = load_recipe(file, [f"output={folder}", *changes])
    at = {name: (folder if name in stages or not stages else earlier) / name for name in STAGES}
    inputs: dict[str, tuple[Path, ...]] = {
        "ingest": (),
        "tokenizer": (at["ingest"],),
        "examples": (at["ingest"], at["tokenizer"]),
        "train": (at["examples"], at["tokenizer"]),
        "export": (at["train"], at["tokenizer"]),
        "evaluate": (at["export"], at["ingest"]),
        "infer": (at["export"],),
    }
    seconds = {}
    for stage in stages or inputs:
        started = time.monotonic()
        more = {"records": at["ingest"]} if stage == "infer" else {}
        STAGES[stage].load()(recipe, *inputs[stage], at[stage], Silent(), **more)
        seconds[stage] = time.monotonic() - started
    (folder / "seconds.json").write_text(json.dumps(seconds) + "\n", encoding="utf-8")


if __name__ == "__main__":
    _, file, folder, earlier, stages, *changes = sys.argv
    _here(Path(file), Path(folder), Path(earlier), [name for name in stages.split(",") if name], changes)
