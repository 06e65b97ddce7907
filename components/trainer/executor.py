"""Runs the stage of `Trainer`."""

from __future__ import annotations

from tfx import types

from components.runtime import Runtime
from components.stage import StageExecutor, folder
from lstmlm.recipe.recipe import Recipe
from lstmlm.training.run import train as stage


class TrainerExecutor(StageExecutor):
    """Calls `lstmlm.training.run.train`."""

    def run(
        self, recipe: Recipe, inputs: dict[str, types.Artifact], outputs: dict[str, types.Artifact], runtime: Runtime
    ) -> None:
        """See `StageExecutor.run`."""
        stage(
            recipe,
            folder(inputs["examples"]),
            folder(inputs["tokenizer"]),
            folder(outputs["model"]),
            runtime.progress,
            ray_address=runtime.ray_address,
        )
