"""Answers for a stage that has finished under a run id, without TFX, which takes many seconds to import.

A scheduler calls stage by stage, each in a process of its own, and calls finished ones again when a run is retried.
"""

from __future__ import annotations

import json
from pathlib import Path

from components.recipe_sections import sections
from components.version import code_version
from lstmlm.evaluation.thresholds import check_verdict
from lstmlm.publish.folder import MANIFEST, fingerprint, replacing
from lstmlm.publish.manifest import read_object
from lstmlm.recipe.recipe import Recipe
from lstmlm.stages import Stage, node_of, pipeline_stages
from pipelines.chosen import run_name, with_kept_choice

FOLDER = "finished"
"""Folder of the run's folder with a note per run id and stage."""


def note_finished(recipe: Recipe, run_id: str, stage: Stage, artifact: Path | None, files: str) -> None:
    """Notes that a stage has finished.

    Args:
        recipe: The run.
        run_id: The run id.
        stage: The stage.
        artifact: Folder of its main output; None where there is none.
        files: The fingerprint of the files that it reads and no stage made.
    """
    home = recipe.run_folder.resolve()
    place = "" if artifact is None else str(artifact.resolve().relative_to(home))
    path = _note(recipe, run_id, stage)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as stream:
        stream.write(json.dumps({"key": _key(recipe, stage, files), "artifact": place}).encode())


def finished_artifact(recipe: Recipe, run_id: str, stage: Stage) -> Path | None:
    """Returns the folder of a stage's main output where the stage has finished; None: the pipeline has to answer.

    The pipeline has to where the recipe, a file that the stage reads or the code has changed, or the output is gone.

    Raises:
        UserError: A file that the stage reads cannot be read.
    """
    try:
        found = json.loads(_note(recipe, run_id, stage).read_text(encoding="utf-8"))
        key, place = found["key"], found["artifact"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    artifact, chosen = recipe.run_folder / place, with_kept_choice(recipe, run_id)
    if not place or not artifact.is_dir() or chosen is None:
        return None
    if key != _key(chosen, stage, stage.outside_fingerprint(chosen)):
        return None
    return artifact


def run_is_finished(recipe: Recipe, run_id: str, only: Stage | None = None) -> bool:
    """Says whether every stage of a run has finished, or one, as the folders say that they published.

    Args:
        recipe: The run.
        run_id: The run id.
        only: Ask for this stage.

    Raises:
        BelowThreshold: It has finished with a model outside the thresholds of the recipe.
        UserError: A file that a stage reads cannot be read.
    """
    for stage in [stage for stage in pipeline_stages() if not node_of(stage).lookup] if only is None else [only]:
        artifact = finished_artifact(recipe, run_id, stage)
        if artifact is None or (stage.function and not (artifact / MANIFEST).is_file()):
            return False
        if stage.name == "evaluate":
            check_blessed(artifact)
    return True


def run_content(recipe: Recipe) -> str:
    """Returns what identifies the work of a run: the recipe, the code, and the files that its stages read.

    Raises:
        UserError: A file cannot be read.
    """
    return fingerprint(*(_key(recipe, stage, stage.outside_fingerprint(recipe)) for stage in pipeline_stages()))


def check_blessed(evaluation: Path) -> None:
    """Refuses to continue after an evaluation that failed.

    Raises:
        BelowThreshold: The model is outside the thresholds of the recipe.
    """
    check_verdict(read_object(evaluation / "metrics.json", "failures", "blessed"), evaluation)


def _note(recipe: Recipe, run_id: str, stage: Stage) -> Path:
    return recipe.run_folder / FOLDER / run_name(run_id) / f"{stage.name}.json"


def _key(recipe: Recipe, stage: Stage, files: str) -> str:
    return fingerprint(sections(recipe, stage), code_version(stage), files)
