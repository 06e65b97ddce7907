"""Averages the weights of a run's best evaluations into one model."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from lstmlm.errors import UserError
from lstmlm.formats.arrays import open_npz
from lstmlm.publish.cache import local_copy, output_place
from lstmlm.publish.folder import Draft, Manifest, fingerprint, read_manifest
from lstmlm.stages import STAGES
from lstmlm.training.metrics.log import BEST, best_name

STAGE = STAGES["average"]


def average(model: Path, output: Path, count: int | None = None) -> Manifest:
    """Publishes a model whose weights are the mean of the best evaluations' (Vaswani et al. 2017).

    Args:
        model: Output of the train stage, made with `training.keep_best` above 1, or the URL of one in a store.
        output: The folder to publish, or the URL of one in a store: a model like any other, for `lstmlm export`.
        count: How many of the best; None: all that were kept.

    Raises:
        UserError: The model does not hold as many.
    """
    model, output = local_copy(model), output_place(output)
    trained = read_manifest(model, "model", verify=True)
    files = _best_first(model, trained)
    if count is not None:
        if count > len(files):
            what = f"cannot average {count} evaluations: only {len(files)} were kept"
            raise UserError(what, where=str(model), hint="Train with a larger training.keep_best")
        files = files[:count]

    def write(draft: Draft) -> None:
        for name in ("model.json", "metrics.jsonl", "loss.png"):
            shutil.copyfile(model / name, draft.path / name)
        _write_mean(files, draft.path / "weights.npz")
        draft.facts = trained.facts | {"averaged": [file.name for file in files]}

    # The version is text and the first part, as it was before the table: finished models stay valid.
    stamp = fingerprint(str(STAGE.version), trained.fingerprint, [file.name for file in files])
    return STAGE.publish(output, stamp, write)


def _best_first(model: Path, trained: Manifest) -> list[Path]:
    """Returns the kept weights, those of the best evaluation first."""
    named = (model / BEST / best_name(step) for step in trained.facts.get("best_steps", []))
    files = [path for path in named if path.is_file()]
    if len(files) < 2:
        what = "this model has only the weights of its best evaluation"
        raise UserError(what, where=str(model), hint="Train with training.keep_best=5, for example")
    return files


def _write_mean(files: list[Path], path: Path) -> None:
    """Writes the mean of .npz files of the same arrays, one array of each in memory at a time."""
    archives = [open_npz(file) for file in files]
    try:
        names = archives[0].files
        mean = {
            name: np.mean([archive[name] for archive in archives], axis=0, dtype=np.float64).astype(np.float32)
            for name in names
        }
    finally:
        for archive in archives:
            archive.close()
    with path.open("wb") as stream:
        np.savez(stream, **mean)
