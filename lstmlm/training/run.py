"""The train stage: checks, runs the workers, publishes the best model."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lstmlm.progress import Progress
from lstmlm.publish import Manifest, fingerprint, is_finished, publish, read_manifest
from lstmlm.recipe import Recipe
from lstmlm.training.plot import plot_loss, read_metrics

TRAIN_VERSION = "1"
POLL_SECONDS = 0.5


def train(
    recipe: Recipe, examples: Path, tokenizer: Path, output: Path, progress: Progress, *, ray_address: str | None = None
) -> Manifest:
    """Trains on Ray Train and publishes the weights of the best evaluation.

    A killed run continues from its last checkpoint, which lies in the run's own folder under the fingerprint of what
    is trained. The number of workers is not part of that fingerprint: it does not change the result.

    Args:
        recipe: The run.
        examples: Folder of the examples stage.
        tokenizer: Folder of the tokenizer stage.
        output: Where `weights.npz`, `model.json`, `metrics.jsonl` and `loss.png` shall appear.
        progress: Told of steps and loss.
        ray_address: An existing Ray cluster.

    Raises:
        UserError: The inputs do not fit the recipe, or training cannot go on.
    """
    data = read_manifest(examples, "examples")
    vocabulary = int(read_manifest(tokenizer, "tokenizer").facts["vocabulary"])
    stamp = _fingerprint(recipe, data, read_manifest(tokenizer))
    if is_finished(output, "model", stamp):
        return read_manifest(output, "model")
    work = (recipe.run_folder / "checkpoints" / stamp[:16]).resolve()
    work.mkdir(parents=True, exist_ok=True)
    (work / "recipe.json").write_text(recipe.model_dump_json(indent=1) + "\n", encoding="utf-8")
    from lstmlm.training.distributed import train_on_ray

    with _watched(work / "metrics.jsonl", recipe.training.steps, progress):
        train_on_ray(recipe, examples.resolve(), vocabulary, work, ray_address)
    metrics = read_metrics(work / "metrics.jsonl")
    best = min((row for row in metrics if "valid_loss" in row), key=lambda row: float(row["valid_loss"]))
    with publish(output, "model", stamp) as draft:
        shutil.copyfile(work / "best.npz", draft.path / "weights.npz")
        model = {"recipe": recipe.model_dump(mode="json", include=MODEL_SECTIONS), "vocabulary": vocabulary}
        (draft.path / "model.json").write_text(json.dumps(model, indent=1) + "\n", encoding="utf-8")
        lines = "".join(json.dumps(row) + "\n" for row in metrics)
        (draft.path / "metrics.jsonl").write_text(lines, encoding="utf-8")
        plot_loss(metrics, draft.path / "loss.png", recipe.name)
        draft.facts = {"valid_loss": best["valid_loss"], "best_step": best["step"], "steps": recipe.training.steps}
    shutil.rmtree(work)
    return read_manifest(output, "model")


MODEL_SECTIONS = {"name", "task", "seed", "corpus", "examples", "model", "training"}
SPREAD = {"workers", "threads", "use_gpu", "collective_timeout", "max_failures", "keep", "checkpoint_every"}


def _fingerprint(recipe: Recipe, examples: Manifest, tokenizer: Manifest) -> str:
    """Hashes what decides the weights: not how the work is spread, nor how often it is saved."""
    content = recipe.model_dump(mode="json", include={"task", "seed", "examples", "model", "training"})
    content["training"] = {key: value for key, value in content["training"].items() if key not in SPREAD}
    return fingerprint(TRAIN_VERSION, content, examples.fingerprint, tokenizer.fingerprint)


@contextmanager
def _watched(metrics: Path, steps: int, progress: Progress) -> Iterator[None]:
    """Follows the metrics file that rank 0 writes, and tells the listener."""
    finished = threading.Event()

    def follow() -> None:
        while not finished.wait(POLL_SECONDS):
            rows = read_metrics(metrics)
            if rows:
                note = " ".join(_note(rows))
                progress.update(rows[-1]["step"], steps, unit="steps", note=note)

    progress.update(0, steps, unit="steps", note="starting the workers")
    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        finished.set()
        thread.join()


def _note(rows: list[dict[str, Any]]) -> Iterator[str]:
    for key, form in (
        ("loss", "loss {:.3f}"),
        ("valid_loss", "valid {:.3f}"),
        ("tokens_per_second", "{:,.0f} tokens/s"),
    ):
        values = [row[key] for row in rows if key in row]
        if values:
            yield form.format(values[-1])
