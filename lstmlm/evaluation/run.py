"""The evaluate stage: computes the metrics of an export on held-out records and compares them with the thresholds."""

from __future__ import annotations

import json
import math
import numbers
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstmlm.errors import UserError
from lstmlm.evaluation.against import against_fingerprint, measure_earlier, worsened
from lstmlm.evaluation.baselines import shortfalls
from lstmlm.evaluation.metric import METRICS, bounds_of, values_of
from lstmlm.evaluation.thresholds import check_bounds, failures
from lstmlm.inference.model.backend_kind import BACKENDS
from lstmlm.inference.model.same_network import check_same_network
from lstmlm.progress import numbers_of
from lstmlm.publish.cache import local_copy, output_place
from lstmlm.publish.folder import Draft, Manifest, read_manifest
from lstmlm.stages import STAGES
from lstmlm.storage import place
from lstmlm.task import load_task

if TYPE_CHECKING:
    from lstmlm.progress import Progress
    from lstmlm.recipe.recipe import Recipe
    from lstmlm.task import Task

STAGE = STAGES["evaluate"]

Metrics = Mapping[str, int | float | str]
"""Name of a metric -> its value, or text for what is not a number."""

Outcome = dict[str, Any]
"""`metrics`, `failures`, `warnings` and `blessed`; perhaps `against` and `tables`."""


def evaluate(recipe: Recipe, export: Path, records: Path, output: Path, progress: Progress) -> Manifest:
    """Evaluates a published model on the valid split and compares the metrics with the recipe's thresholds.

    A model outside its thresholds is a result, not an error: `blessed` is false and `failures` says why.

    Args:
        recipe: The run.
        export: The export folder, or the URL of one in a store.
        records: The records folder, or the URL of one.
        output: A folder, or the URL of one in a store. Gets `metrics.json` with `metrics`, `failures`, `warnings` and
            `blessed`, and of the earlier model that the recipe names its metrics as `against`; so has the manifest.
            Only the file has `tables`, such as a confusion matrix, where the task measures any.
        progress: Receives the progress of the stage.

    Returns:
        The manifest of the output folder.

    Raises:
        UserError: An input folder is not finished, the valid split is empty, or a threshold makes no sense.
    """
    from lstmlm.records.shards import records_in

    task = load_task(recipe.task)
    check_thresholds(recipe)
    records, output, export = place(records), output_place(output), local_copy(export)
    model, data = read_manifest(export, "export", verify=True), read_manifest(records, "records")

    def write(draft: Draft) -> None:
        check_same_network(recipe, export)
        progress.update(0, unit="records", note="reading the valid split")
        held_out = list(records_in(records, "valid"))
        if not held_out:
            hint = "Raise corpus.valid_fraction or name a corpus.valid with text in it"
            raise UserError("the valid split is empty, so nothing can be evaluated", where=str(records), hint=hint)
        progress.update(0, len(held_out), unit="records", note="measuring")
        training = records / "Split-train"
        measured = task.evaluate(export, held_out, training, recipe)
        earlier = measure_earlier(recipe, task, held_out, training)
        found = outcome_of(recipe, task, measured, earlier)
        task.report(measured, draft.path, recipe)
        write_outcome(draft, found)
        note = "; ".join(found["failures"]) or "within all thresholds"
        progress.update(len(held_out), len(held_out), unit="records", note=note, numbers=numbers_of(found["metrics"]))

    stamp = STAGE.stamp(
        list(STAGE.decided(recipe).values()),
        model.fingerprint,
        data.fingerprint,
        *further_stamp(recipe),
    )
    return STAGE.publish(output, stamp, write)


def further_stamp(recipe: Recipe) -> list[str]:
    """Returns what identifies the other packages and folders that an evaluation depends on."""
    return [
        *BACKENDS.versions([recipe.decoding.backend]),
        *filter(None, [against_fingerprint(recipe)]),
        *load_task(recipe.task).decoding_stamp(recipe),
        *METRICS.versions(recipe.evaluation.metrics),
    ]


def check_thresholds(recipe: Recipe) -> None:
    """Refuses bounds of the recipe that say nothing or can never be kept.

    Raises:
        UserError: Names the threshold at fault.
    """
    check_bounds(recipe.evaluation.thresholds, bounds_of([*METRICS.builtin(), *recipe.evaluation.metrics]))


def outcome_of(
    recipe: Recipe, task: Task, measured: Mapping[str, Any], earlier: Mapping[str, Any] | None = None
) -> Outcome:
    """Returns what `metrics.json` holds.

    Args:
        recipe: The run.
        task: Its task.
        measured: What `Task.evaluate` returned.
        earlier: The same of an earlier model.
    """
    found = _verdict(recipe, task, _plain(measured), None if earlier is None else _plain(earlier))
    tables = {name: table for name, table in measured.items() if isinstance(table, Mapping)}
    return {**found, "tables": tables} if tables else found


def write_outcome(draft: Draft, found: Outcome) -> None:
    """Writes `metrics.json`; all but the tables are facts of the folder too."""
    draft.facts.update({name: value for name, value in found.items() if name != "tables"})
    text = json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    (draft.path / "metrics.json").write_text(text + "\n", encoding="utf-8")


def _verdict(recipe: Recipe, task: Task, metrics: Metrics, earlier: Metrics | None) -> dict[str, Any]:
    """Compares the metrics with the thresholds, with the baselines, and with those of an earlier model."""
    thresholds, added = recipe.evaluation.thresholds, recipe.evaluation.metrics
    found, warned = failures(metrics, thresholds), shortfalls(metrics, task, added)
    if earlier is not None:
        found += worsened(metrics, earlier, thresholds, task, values_of(added))
    elif any(bounds.worse is not None for bounds in thresholds.values()):
        warned.append("there is no earlier model to compare with, so `worse` of the thresholds bounds nothing")
    verdict = {"metrics": _writable(metrics), "failures": found, "warnings": warned, "blessed": not found}
    return verdict if earlier is None else {**verdict, "against": _writable(earlier)}


def _plain(metrics: Mapping[str, Any]) -> dict[str, int | float | str]:
    """Turns NumPy and TensorFlow scalars into Python numbers, and leaves tables out."""
    plain: dict[str, int | float | str] = {}
    for name, value in metrics.items():
        if isinstance(value, Mapping):
            continue
        if isinstance(value, str | int | float):
            plain[name] = value
        else:
            plain[name] = int(value) if isinstance(value, numbers.Integral) else float(value)
    return plain


def _writable(metrics: Metrics) -> dict[str, int | float | str]:
    """Replaces what JSON has no number for (nan, inf) by its name."""
    return {
        name: str(value) if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in metrics.items()
    }
