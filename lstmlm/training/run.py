"""The train stage: checks, runs the workers, publishes the best model."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lstmlm.errors import UserError
from lstmlm.places import site_of
from lstmlm.progress import Progress
from lstmlm.publish import Claim, Manifest, claimed, fingerprint, is_finished, read_manifest
from lstmlm.recipe import Recipe, Training
from lstmlm.tokenizer.identity import vocabulary_facts
from lstmlm.training.checks import RECIPE_FILE, check_inputs, tell_other_recipes
from lstmlm.training.identity import deciding
from lstmlm.training.metrics import BEST, best_first, best_name, read_metrics
from lstmlm.training.objective import choose_objective
from lstmlm.training.place import forget_checkpoints, held_checkpoints
from lstmlm.training.plot import plot_loss
from lstmlm.training.watch import Listener, open_listeners

TRAIN_VERSION = "3"
POLL_SECONDS = 0.5


def train(
    recipe: Recipe, examples: Path, tokenizer: Path, output: Path, progress: Progress, *, ray_address: str | None = None
) -> Manifest:
    """Trains on Ray Train and publishes the weights of the best evaluation.

    A killed run continues from its last checkpoint, which is in the run's own folder under the fingerprint of what is
    trained; a file next to the output says where, so that it continues wherever the command is started again. The
    number of workers is not part of that fingerprint: it does not change the result.

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
    data, pieces = read_manifest(examples, "examples"), read_manifest(tokenizer, "tokenizer")
    stamp = fingerprint(TRAIN_VERSION, deciding(recipe), data.fingerprint, pieces.fingerprint)
    if is_finished(output, "model", stamp):
        forget_checkpoints(site_of(output), stamp)
        return read_manifest(output, "model")
    check_inputs(recipe, data, pieces)
    with claimed(output, "model", stamp) as claim, held_checkpoints(recipe, claim.site, stamp) as work:
        listeners = open_listeners(recipe)
        tell_other_recipes(recipe, work.parent, work.name)
        (work / RECIPE_FILE).write_text(recipe.model_dump_json(indent=1) + "\n", encoding="utf-8")
        from lstmlm.training.distributed import train_on_ray

        with _watched(work / "metrics.jsonl", recipe.training, progress, listeners):
            train_on_ray(recipe, examples.resolve(), tokenizer.resolve(), work, ray_address)
        _publish(recipe, work, read_metrics(work / "metrics.jsonl"), vocabulary_facts(pieces), claim)
        shutil.rmtree(work)
    return read_manifest(output, "model")


MODEL_SECTIONS = {"name", "task", "seed", "corpus", "examples", "model", "training"}


def _publish(
    recipe: Recipe, work: Path, metrics: list[dict[str, Any]], vocabulary: dict[str, Any], claim: Claim
) -> None:
    """Puts the model folder together from what the workers left.

    Raises:
        UserError: What they left is damaged.
    """
    objective = choose_objective(recipe)
    evaluations = best_first(metrics, objective)
    if not evaluations or not (work / best_name(evaluations[0]["step"])).is_file():
        cure = f"Remove the folder {work} and train again"
        raise UserError("what training left is damaged: its best weights are missing", where=str(work), cure=cure)
    best = evaluations[0]
    with claim.draft() as draft:
        shutil.copyfile(work / best_name(best["step"]), draft.path / "weights.npz")
        if recipe.training.keep_best > 1:
            (draft.path / BEST).mkdir()
            for kept in sorted(work.glob("best-*.npz")):
                shutil.copyfile(kept, draft.path / BEST / kept.name)
        model = {"recipe": recipe.model_dump(mode="json", include=MODEL_SECTIONS), "vocabulary": vocabulary["size"]}
        (draft.path / "model.json").write_text(json.dumps(model, indent=1) + "\n", encoding="utf-8")
        lines = "".join(json.dumps(row) + "\n" for row in metrics)
        (draft.path / "metrics.jsonl").write_text(lines, encoding="utf-8")
        plot_loss(metrics, draft.path / "loss.png", recipe.name)
        steps = max(row["step"] for row in metrics)
        draft.facts = {"valid_loss": best["valid_loss"], objective.key: best[objective.key]}
        draft.facts |= {"best_step": best["step"], "steps": steps, "vocabulary": vocabulary}
        draft.facts["best_steps"] = [row["step"] for row in evaluations[: recipe.training.keep_best]]


@contextmanager
def _watched(metrics: Path, plan: Training, progress: Progress, listeners: Sequence[Listener]) -> Iterator[None]:
    """Follows the metrics file that rank 0 writes, and tells the progress line and the listeners."""
    finished = threading.Event()
    told: set[tuple[int, bool]] = set()

    def look() -> None:
        rows = read_metrics(metrics)
        if rows:
            progress.update(rows[-1]["step"], plan.steps, unit="steps", note=" ".join(_note(rows, plan.metric)))
        for row in rows:
            key = row["step"], "valid_loss" in row
            if key not in told:
                told.add(key)
                for listener in listeners:
                    listener.metrics(row)

    def follow() -> None:
        while not finished.wait(POLL_SECONDS):
            look()

    progress.update(0, plan.steps, unit="steps", note="starting the workers")
    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        finished.set()
        thread.join()
        look()
        for listener in listeners:
            listener.close()


def _note(rows: list[dict[str, Any]], metric: str) -> Iterator[str]:
    forms = {"loss": "loss {:.3f}", "valid_loss": "valid {:.3f}"}
    if metric != "loss":
        forms[f"valid_{metric}"] = metric + " {:.2f}"
    forms["tokens_per_second"] = "{:,.0f} tokens/s"
    for key, form in forms.items():
        values = [row[key] for row in rows if key in row]
        if values:
            yield form.format(values[-1])
