"""Loads a published model from a folder, an object store or a web server."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstmlm.api.model import Model
from lstmlm.errors import UserError
from lstmlm.publish.folder import MANIFEST
from lstmlm.recipe.recipe import Recipe
from lstmlm.recipe.sections.inference import InferenceSection
from lstmlm.task import load_task, stored_task

if TYPE_CHECKING:
    from lstmlm.api.recipes import RecipeLike


Place = str | os.PathLike[str]


def load(
    export: Place | Sequence[Place],
    *,
    decoding: Mapping[str, Any] | None = None,
    threads: int | None = None,
    recipe: RecipeLike | None = None,
) -> Model:
    """Loads a model; of those that onnxruntime computes, without TensorFlow.

    Args:
        export: An export folder: the output of `lstmlm export`, or `pushed/N` of a run; or its URL (`s3://`, `gs://`,
            `https://`), whose files are kept in `$LSTMLM_CACHE` (`~/.cache/lstmlm`) after the first time. A list of
            several, trained with one vocabulary, decodes as an ensemble: at each step their log-probabilities are
            averaged and normalised.
        decoding: Fields of the recipe's `decoding` section that replace those of the export, such as `{"method":
            "beam", "n_best": 5}`.
        threads: Threads to compute with; None: one for each core.
        recipe: The recipe of the model; needed only where it names code of another package.

    Raises:
        UserError: Not a finished export, a field of `decoding` is unknown or wrong, or the exports of an ensemble do
            not fit together.
    """
    from lstmlm.api.fetch import fetched, is_url
    from lstmlm.inference.model.loading import check_task
    from lstmlm.inference.model.same_network import check_same_network
    from lstmlm.inference.model.stored import stored_recipe

    places = [export] if isinstance(export, str | os.PathLike) else [*export]
    if not places:
        raise UserError("no export is named", where="load", hint="Name an export folder or its URL")
    folder, *models = [fetched(str(one)) if is_url(str(one)) else _export_in(Path(one)) for one in places]
    if recipe is None:
        run, named = _reading_as_learnt(stored_recipe(folder, decoding)), stored_task
    else:
        from lstmlm.api.recipes import recipe_of

        changes = [f"decoding.{name}={_written(value)}" for name, value in (decoding or {}).items()]
        run, named = recipe_of(recipe, changes), load_task
        check_task(folder, run.task)
        check_same_network(run, folder)
    run = _with_threads(run, threads)
    task = named(run.task)
    if models:
        if "inference.models" in task.unused_fields():
            what = f"models of the task {run.task} decode in no ensemble"
            raise UserError(what, where="load", hint="Name one export")
        run = run.model_copy(update={"inference": run.inference.model_copy(update={"models": tuple(models)})})
    task.check_recipe(run)
    task.check_predicting(folder, run)
    return Model(folder, run, task)


def _export_in(folder: Path) -> Path:
    """Returns an export folder; of a folder with versions, such as `pushed` of a run, the last one.

    Raises:
        UserError: There is none.
    """
    if (folder / MANIFEST).is_file():
        return folder
    if (version := last_version(folder)) is not None:
        return version
    if (folder / "config.json").is_file() and (folder / "model.safetensors").is_file():
        hint = f"Make an export of it: lstmlm hub load {folder} -o EXPORT"
        raise UserError("a folder of the Hugging Face hub, not an export", where=str(folder), hint=hint)
    what = "not an export folder" if folder.is_dir() else "no such folder"
    raise UserError(what, where=str(folder), hint="Name the output of `lstmlm export`, or its URL")


def last_version(folder: Path) -> Path | None:
    """Returns the last version in a folder with versions, such as `pushed` of a run; None: it is no such folder."""
    versions = [one for one in folder.glob("*") if one.name.isdecimal() and (one / MANIFEST).is_file()]
    return max(versions, key=lambda one: int(one.name), default=None)


def _reading_as_learnt(recipe: Recipe) -> Recipe:
    """Returns the recipe of an export, which has no `inference` section, with the column that was learnt from."""
    return recipe.model_copy(update={"inference": InferenceSection(field=recipe.corpus.source)})


def _with_threads(recipe: Recipe, threads: int | None) -> Recipe:
    """Returns the recipe with the number of threads that the model is computed with."""
    if threads is not None and threads < 1:
        raise UserError(f"threads is {threads}", where="load", hint="Give 1 or more, or leave it out")
    count = threads or len(os.sched_getaffinity(0))
    return recipe.model_copy(update={"training": recipe.training.model_copy(update={"threads": count})})


def _written(value: Any) -> str:
    """Returns a value as `--set` takes it."""
    return json.dumps(value, ensure_ascii=False)
