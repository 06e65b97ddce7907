"""The train stage: checks, runs the workers, publishes the best model."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lstmlm.errors import TryAgain, UserError
from lstmlm.progress import Progress, numbers_of
from lstmlm.publish.cache import local_copy, output_place
from lstmlm.publish.durable import remove_folder
from lstmlm.publish.folder import Claim, Manifest, claimed, fingerprint, read_manifest
from lstmlm.publish.lineage import inherited
from lstmlm.publish.linked import link_or_copy
from lstmlm.publish.places import site_of
from lstmlm.recipe.recipe import Recipe
from lstmlm.recipe.sections.training import TrainingSection
from lstmlm.stages import STAGES
from lstmlm.storage import StorePath, place
from lstmlm.tokenizer.identity import vocabulary_facts
from lstmlm.training.checkpoints.continuing import TRAINED, describe, earlier_rows, keep_last, take_over
from lstmlm.training.checkpoints.identity import deciding
from lstmlm.training.checkpoints.place import forget_checkpoints, held_checkpoints, home_of, pointed
from lstmlm.training.checks import check_inputs
from lstmlm.training.initial.check import check_initial
from lstmlm.training.initial.earlier import initial_fingerprint, lineage, with_absolute_paths
from lstmlm.training.initial.resume import bring_state
from lstmlm.training.metrics.log import BEST, METRICS_FILE, best_first, best_name, read_metrics, written_rows
from lstmlm.training.metrics.objective import choose_objective
from lstmlm.training.metrics.plot import plot_loss
from lstmlm.training.metrics.trackers import Tracker, open_trackers

STAGE = STAGES["train"]
POLL_SECONDS, STORE_SECONDS = 0.5, 5.0


def train(
    recipe: Recipe, examples: Path, tokenizer: Path, output: Path, progress: Progress, *, ray_address: str | None = None
) -> Manifest:
    """Trains on Ray Train and publishes the weights of the best evaluation.

    A killed run continues from its last checkpoint, which is in the run's own folder under the fingerprint of what is
    trained, or for an output in a store next to it. A file says where, so that it continues wherever the command is
    started again. The
    number of workers is not part of that fingerprint: it does not change the result.

    Args:
        recipe: The run.
        examples: Folder of the examples stage, or the URL of one in a store.
        tokenizer: Folder of the tokenizer stage, or the URL of one in a store.
        output: Where `weights.npz`, `model.json`, `metrics.jsonl` and `loss.png` are published.
        progress: Receives steps and loss.
        ray_address: An existing Ray cluster.

    Raises:
        UserError: The inputs do not fit the recipe, or training cannot continue.
    """
    examples, output, words = place(examples), output_place(output), local_copy(tokenizer)
    data, vocabulary = read_manifest(examples, "examples"), read_manifest(words, "tokenizer", verify=True)
    origin, origins = initial_fingerprint(recipe), lineage(recipe) | inherited(data)
    recipe = with_absolute_paths(recipe)
    trained_on = {"examples": data.fingerprint, "tokenizer": vocabulary.fingerprint}
    trained_on |= {} if origin is None else {"initial": origin}
    # The version is text and the first part, as it was before the table: finished models and checkpoints stay valid.
    stamp = fingerprint(str(STAGE.version), deciding(recipe), *trained_on.values())

    def work_until_published() -> None:
        check_inputs(recipe, data, vocabulary)
        check_initial(recipe, words, vocabulary)
        with claimed(output, STAGE.kind, stamp) as claim:
            home = home_of(recipe, claim.site)
            before = pointed(claim.site)
            with held_checkpoints(recipe, claim.site, stamp) as work:
                trackers = open_trackers(recipe)
                others = [*work.parent.glob("*"), home / TRAINED, *([before] if before else [])]
                take_over(work, recipe, trained_on, others)
                describe(work, recipe, trained_on)
                bring_state(recipe, home, work)
                from lstmlm.training.workers.distributed import train_on_ray

                with _watched(work / METRICS_FILE, recipe.training, progress, trackers):
                    train_on_ray(recipe, examples.resolve(), place(tokenizer).resolve(), work, ray_address)
                _publish(recipe, work, {"vocabulary": vocabulary_facts(vocabulary), **origins}, claim)
                keep_last(work, home, stamp)
                remove_folder(work)

    manifest = STAGE.once(output, stamp, work_until_published)
    forget_checkpoints(site_of(output), stamp)
    return manifest


MODEL_SECTIONS = {"name", "task", "task_options", "seed", "corpus", "examples", "model", "training"}


def _publish(recipe: Recipe, work: Path, known: dict[str, Any], claim: Claim) -> None:
    """Puts the model folder together from what the workers left.

    `known` are facts of what it was trained on: the vocabulary, and the earlier models.

    Raises:
        UserError: What they left is damaged.
    """
    objective = choose_objective(recipe)
    metrics, earlier = read_metrics(work / METRICS_FILE), earlier_rows(work)
    rows = [*earlier, *metrics]
    evaluations = best_first(rows, objective)
    if not evaluations or not (work / best_name(evaluations[0]["step"])).is_file():
        hint = f"Remove the folder {work} and train again"
        raise UserError("the training folder is damaged: its best weights are missing", where=str(work), hint=hint)
    best = evaluations[0]
    with claim.draft(copied=True) as draft:
        link_or_copy(work / best_name(best["step"]), draft.path / "weights.npz")
        if recipe.training.keep_best > 1:
            (draft.path / BEST).mkdir()
            for kept in sorted(work.glob("best-*.npz")):
                link_or_copy(kept, draft.path / BEST / kept.name)
        model = {
            "recipe": recipe.model_dump(mode="json", include=MODEL_SECTIONS),
            "vocabulary": known["vocabulary"]["size"],
        }
        (draft.path / "model.json").write_text(json.dumps(model, indent=1) + "\n", encoding="utf-8")
        lines = "".join(json.dumps(row) + "\n" for row in metrics)
        (draft.path / "metrics.jsonl").write_text(lines, encoding="utf-8")
        plot_loss(rows, draft.path / "loss.png", recipe.name)
        steps = max(row["step"] for row in rows)
        draft.facts = {"valid_loss": best["valid_loss"], objective.key: best[objective.key]}
        draft.facts |= {"best_step": best["step"], "steps": steps, **known}
        if earlier:
            draft.facts["resumed_from"] = max(row["step"] for row in earlier)
        draft.facts["best_steps"] = [row["step"] for row in evaluations[: recipe.training.keep_best]]


@contextmanager
def _watched(
    metrics: Path, settings: TrainingSection, progress: Progress, trackers: Sequence[Tracker]
) -> Iterator[None]:
    """Follows the metrics file that rank 0 writes, and passes each row to the progress line and the trackers."""
    finished = threading.Event()
    seen: set[tuple[int, bool]] = set()

    before = len(written_rows(metrics))

    def look() -> None:
        rows = written_rows(metrics)
        if len(rows) > before:  # until then the workers start, which is no time of a step's
            last = {name: value for row in rows for name, value in row.items()}
            note, numbers = " ".join(_note(last, settings.metric)), numbers_of(last)
            progress.update(last["step"], settings.steps, unit="steps", note=note, numbers=numbers)
        for row in rows:
            key = row["step"], "valid_loss" in row
            if key not in seen:
                seen.add(key)
                for tracker in trackers:
                    tracker.metrics(row)

    def follow() -> None:
        while not finished.wait(STORE_SECONDS if isinstance(metrics, StorePath) else POLL_SECONDS):
            with contextlib.suppress(TryAgain):  # the next look shows what this one does not
                look()

    progress.update(0, settings.steps, unit="steps", note="starting the workers")
    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        finished.set()
        thread.join()
        with contextlib.suppress(TryAgain):
            look()
        for tracker in trackers:
            tracker.close()


def _note(last: Mapping[str, Any], metric: str) -> Iterator[str]:
    forms = {"loss": "loss {:.3f}", "valid_loss": "valid {:.3f}"}
    if metric != "loss":
        forms[f"valid_{metric}"] = metric + " {:.2f}"
    forms["tokens_per_second"] = "{:,.0f} tokens/s"
    for key, form in forms.items():
        if key in last:
            yield form.format(last[key])
