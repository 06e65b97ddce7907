"""Runs the stage of `Exporter`."""

from __future__ import annotations

from tfx import types
from tfx.utils import path_constants

from components.runtime import Runtime
from components.stage import StageExecutor, folder
from lstmlm.export import export as stage
from lstmlm.recipe.recipe import Recipe


class ExporterExecutor(StageExecutor):
    """Calls `lstmlm.export.export`; the folder is where Pusher looks for a model to serve."""

    def run(
        self, recipe: Recipe, inputs: dict[str, types.Artifact], outputs: dict[str, types.Artifact], runtime: Runtime
    ) -> None:
        """See `StageExecutor.run`."""
        output = folder(outputs["model"]) / path_constants.SERVING_MODEL_DIR
        stage(recipe, folder(inputs["training_run"]), folder(inputs["tokenizer"]), output, runtime.progress)
