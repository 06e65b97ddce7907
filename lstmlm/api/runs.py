"""Runs recipes: `train` up to an evaluated model, stage by stage; `run` the whole pipeline of TFX."""

from __future__ import annotations

import dataclasses
import importlib.util
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lstmlm import plugins
from lstmlm.api.load import load
from lstmlm.api.model import Model
from lstmlm.api.recipes import RecipeLike, recipe_of
from lstmlm.checks.needs import EVERYTHING
from lstmlm.errors import UserError
from lstmlm.progress import Progress, Silent
from lstmlm.publish.manifest import read_object
from lstmlm.stages import STAGES

FOLDERS = {
    "ingest": "records",
    "tokenizer": "tokenizer",
    "examples": "examples",
    "train": "model",
    "export": "export",
    "evaluate": "evaluation",
}
"""Stage of `train` -> its folder in that of the run."""

ProgressOf = Callable[[str], Progress]
"""Returns what receives the progress of a stage."""


@dataclasses.dataclass(frozen=True, slots=True)
class TrainedModel:
    """What a recipe came to.

    Attributes:
        export: The export folder; None where a pipeline ended before it.
        metrics: Metric -> value, measured on the valid split.
        failures: A sentence for each threshold that is not met; none: the model is good enough.
        warnings: What else speaks against the model.
        folders: Stage -> its folder.
    """

    export: Path | None
    metrics: Mapping[str, Any]
    failures: tuple[str, ...]
    warnings: tuple[str, ...]
    folders: Mapping[str, Path]

    def load(self, **options: Any) -> Model:
        """Loads the model; see `lstmlm.load` for the options."""
        if self.export is None:
            raise UserError("the run made no export", hint="Run the recipe to its end")
        return load(self.export, **options)


def train(
    recipe: RecipeLike,
    *changes: str,
    folder: str | Path | None = None,
    ray_address: str | None = None,
    progress: ProgressOf = lambda stage: Silent(),
) -> TrainedModel:
    """Trains, exports and evaluates the model of a recipe, without TFX. What is finished is kept: a rerun is a no-op.

    Args:
        recipe: The path of a YAML file, the same fields as a mapping, or a `Recipe`.
        changes: `section.field=value`, as `--set` takes them.
        folder: Gets the folder of each stage; None: `stages` in the folder of the run.
        ray_address: A Ray cluster to train on; None: one is started here.
        progress: Returns what receives the progress of a stage.

    Returns:
        The model. One outside its thresholds is a result too: `failures` says why.

    Raises:
        UserError: The recipe, the corpus or a folder is not as it has to be.
    """
    run = recipe_of(recipe, changes, EVERYTHING)
    place = run.run_folder / "stages" if folder is None else Path(folder)
    folders = {stage: place / name for stage, name in FOLDERS.items()}
    for name in FOLDERS:
        stage = STAGES[name]
        inputs = {one.name: folders[one.stage] for one in stage.inputs if not one.optional}
        further = {"ray_address": ray_address} if name == "train" else {}
        stage.load()(run, output=folders[name], progress=progress(name), **inputs, **further)
    return _trained(folders)


def run(recipe: RecipeLike, *changes: str, run_id: str | None = None, ray_address: str | None = None) -> TrainedModel:
    """Runs every stage of a recipe through TFX, as `lstmlm run` does; what is done is taken from the cache.

    Args:
        recipe: See `train`.
        changes: See `train`.
        run_id: Name of the run; an existing one is resumed.
        ray_address: See `train`.

    Raises:
        BelowThreshold: The model is not good enough to be pushed.
        UserError: See `train`; or TFX is not installed.
    """
    if importlib.util.find_spec("tfx") is None:
        hint = "Install it: pip install 'lstmlm[tfx]', or use lstmlm.train"
        raise UserError("lstmlm.run needs tfx, which is not installed", hint=hint)
    # By name: the pipelines import this package.
    report = plugins.imported("pipelines.local:run_local")(
        recipe_of(recipe, changes, EVERYTHING), run_id=run_id, ray_address=ray_address
    )
    return _trained(report.artifacts)


def _trained(folders: Mapping[str, Path]) -> TrainedModel:
    """Reads the verdict of the evaluation."""
    found = read_object(folders["evaluate"] / "metrics.json", "metrics") if "evaluate" in folders else {}
    sentences: tuple[Sequence[str], Sequence[str]] = (found.get("failures", ()), found.get("warnings", ()))
    failures, warnings = map(tuple, sentences)
    return TrainedModel(folders.get("export"), found.get("metrics", {}), failures, warnings, folders)
