"""Evaluates an exported model on test sets: files that no earlier stage has seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstmlm.errors import UserError
from lstmlm.evaluation.against import measure_earlier
from lstmlm.evaluation.run import STAGE, Outcome, check_thresholds, further_stamp, outcome_of, write_outcome
from lstmlm.evaluation.sets.reading import read_set, set_fingerprint
from lstmlm.inference.model.loading import check_task
from lstmlm.inference.model.same_network import check_same_network
from lstmlm.publish.cache import local_copy, output_place
from lstmlm.publish.folder import Draft, Manifest, read_manifest
from lstmlm.storage import place
from lstmlm.task import load_task

if TYPE_CHECKING:
    from lstmlm.progress import Progress
    from lstmlm.recipe.recipe import Recipe


def evaluate_sets(
    recipe: Recipe,
    export: Path,
    inputs: Sequence[Path],
    output: Path,
    progress: Progress,
    *,
    records: Path | None = None,
) -> Manifest:
    """Evaluates a published model on files.

    Args:
        recipe: The run; `corpus` says how rows are read: the columns, not the files.
        export: The export folder, or the URL of one in a store.
        inputs: Test sets, each a file, a folder or a glob.
        output: As of `lstmlm.evaluation.run.evaluate`. Of several sets, the names of metrics begin with that of the
            set and a colon.
        progress: Receives the progress of the stage.
        records: A records folder: baselines learn from its train split. None: they are left out.

    Returns:
        The manifest of the output folder.

    Raises:
        UserError: The export is not finished or of another task, a set cannot be read, or a threshold makes no sense.
    """
    output, export = output_place(output), local_copy(export)
    records = None if records is None else place(records)
    check_thresholds(recipe)
    check_task(export, recipe.task)
    check_same_network(recipe, export)
    _refuse_repeated(inputs)
    model = read_manifest(export, "export", verify=True)
    data = None if records is None else read_manifest(records, "records").fingerprint

    def write(draft: Draft) -> None:
        task = load_task(recipe.task)
        training = None if records is None else records / "Split-train"
        outcomes: dict[str, Outcome] = {}
        for done, path in enumerate(inputs):
            progress.update(done, len(inputs), unit="sets", note=f"{path.name}: reading")
            found = read_set(path, recipe)
            progress.update(done, len(inputs), unit="sets", note=f"{path.name}: {len(found.records)} records")
            measured = task.evaluate(export, found.records, training, recipe)
            earlier = measure_earlier(recipe, task, found.records, training)
            outcomes[found.name] = outcome_of(recipe, task, measured, earlier)
            facts = {"rows": found.rows, "records": len(found.records), "dead_letters": len(found.dead)}
            draft.facts.setdefault("sets", {})[found.name] = facts
            if len(inputs) == 1:
                task.report(measured, draft.path, recipe)
        write_outcome(draft, joined(outcomes))
        progress.update(len(inputs), len(inputs), unit="sets")

    sets = [[str(path), set_fingerprint(path, recipe)] for path in inputs]
    decided = list(STAGE.decided(recipe).values())
    stamp = STAGE.stamp("sets", decided, model.fingerprint, sets, data, *further_stamp(recipe))
    return STAGE.publish(output, stamp, write)


def joined(outcomes: Mapping[str, Outcome]) -> Outcome:
    """Returns the outcomes of several sets as one; names and sentences say which set they are of."""
    if len(outcomes) == 1:
        return next(iter(outcomes.values()))
    tables: dict[str, Any] = {}
    for name, one in outcomes.items():
        tables |= {f"{name}: {table}": content for table, content in one.get("tables", {}).items()}
    found: Outcome = {
        "metrics": {f"{name}: {metric}": v for name, one in outcomes.items() for metric, v in one["metrics"].items()},
        "failures": [f"{name}: {text}" for name, one in outcomes.items() for text in one["failures"]],
        "warnings": [f"{name}: {text}" for name, one in outcomes.items() for text in one["warnings"]],
        "blessed": all(one["blessed"] for one in outcomes.values()),
    }
    return {**found, "tables": tables} if tables else found


def _refuse_repeated(inputs: Sequence[Path]) -> None:
    repeated = {str(path) for path in inputs if list(inputs).count(path) > 1}
    if not inputs or repeated:
        what = f"the set {sorted(repeated)[0]} is named twice" if repeated else "no set is named"
        raise UserError(what, where="--input", hint="Name each set once")
