"""Sends the metrics of a run to TensorBoard and MLflow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from lstmlm.errors import UserError
from lstmlm.recipe.recipe import Recipe


class Tracker(Protocol):
    """Receives every row of `metrics.jsonl` once."""

    def metrics(self, row: Mapping[str, Any]) -> None:
        """Takes `{"step": ..., name: number, ...}`."""

    def close(self) -> None:
        """Ends the run."""


class TensorBoard:
    """Writes event files.

    Args:
        folder: Where they are written.
    """

    def __init__(self, folder: Path) -> None:
        import tensorflow as tf

        self._summary = tf.summary
        self._writer = tf.summary.create_file_writer(str(folder))

    def metrics(self, row: Mapping[str, Any]) -> None:
        """See `Tracker.metrics`."""
        with self._writer.as_default():
            for name, value in _numbers(row):
                self._summary.scalar(name, value, step=row["step"])

    def close(self) -> None:
        """See `Tracker.close`."""
        self._writer.close()


class MLflow:
    """Logs to an MLflow server or folder.

    Args:
        uri: Its tracking URI.
        recipe: The run; its `model` and `training` fields become parameters.

    Raises:
        UserError: MLflow is not installed.
    """

    def __init__(self, uri: str, recipe: Recipe) -> None:
        try:
            import mlflow
        except ImportError as error:
            hint = "Install the package `mlflow`, or leave the field out"
            raise UserError("MLflow is not installed", where="training.mlflow", hint=hint) from error
        self._mlflow = mlflow
        mlflow.set_tracking_uri(uri)
        mlflow.set_experiment("lstmlm")
        mlflow.start_run(run_name=recipe.name)
        for section in ("model", "training"):
            fields = getattr(recipe, section).model_dump(mode="json")
            mlflow.log_params({f"{section}.{name}": value for name, value in fields.items()})

    def metrics(self, row: Mapping[str, Any]) -> None:
        """See `Tracker.metrics`."""
        self._mlflow.log_metrics(dict(_numbers(row)), step=row["step"])

    def close(self) -> None:
        """See `Tracker.close`."""
        self._mlflow.end_run()


def open_trackers(recipe: Recipe) -> list[Tracker]:
    """Returns the trackers that the recipe's `training` section asks for."""
    trackers: list[Tracker] = []
    if recipe.training.tensorboard:
        trackers.append(TensorBoard(recipe.run_folder / "tensorboard"))
    if recipe.training.mlflow:
        trackers.append(MLflow(recipe.training.mlflow, recipe))
    return trackers


def _numbers(row: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    return ((name, float(value)) for name, value in row.items() if name != "step")
